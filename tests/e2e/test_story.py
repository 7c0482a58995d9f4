"""The demo as a person starts it, and proof that it cannot end well when a door stays open."""

import io
import os
import re
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from config.demo import scoping, story
from config.demo.stage import ActFailed, Refusal, Stage
from tests.e2e.conftest import descendants_of, is_alive, wait_until

ROOT = Path(__file__).resolve().parents[2]
OWN_SETTINGS = {"DJANGO_SETTINGS_MODULE", "SECRET_KEY", "COUNTERSIGN_HOME", "DATABASE_URL"}
CHAPTERS = {
    1: "People, a project, and a scope copied from a blog",
    2: "A balanced scope and its gate",
    3: "The data, explored and released",
    4: "The sprint: hypotheses, experiments, runs",
    5: "A model version and its validation",
    6: "Staging, canary, production",
    7: "Serving what was signed",
    8: "The following months",
    9: "A second project: consumer credit, high risk, in validation",
    10: "A third project: card fraud, in scoping",
    11: "The record, checked from outside",
}
#: What the doors answer, by chapter and in this order. The story itself only asks that they say no.
REFUSALS = {
    1: ["scope_not_ready"],
    2: ["sprint_not_allowed", "separation_of_duties"],
    3: ["wrong_separator"],
    5: [
        "promotion_not_approved",
        "promotion_not_approved",
        "separation_of_duties",
        "signing_needs_session",
    ],
    7: ["unknown_column", "digest_mismatch"],
    10: ["scope_not_ready", "scope_not_ready"],
}
HEADING = re.compile(r"^\[(\d+)/\d+\] (.+?)  \(\d+ s\)$")
REFUSED = re.compile(r"^  no  .+: refused \((\w+)\)$")


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in OWN_SETTINGS}
    return {**kept, "COUNTERSIGN_HOME": str(home)}


def chapters_of(output: str) -> tuple[dict[int, str], dict[int, list[str]]]:
    """Return the chapters' titles and the codes of what was refused in each."""
    titles: dict[int, str] = {}
    codes: dict[int, list[str]] = defaultdict(list)
    for line in output.splitlines():
        if heading := HEADING.match(line):
            titles[int(heading[1])] = heading[2]
        elif refused := REFUSED.match(line):
            codes[max(titles)].append(refused[1])
    return titles, dict(codes)


@dataclass(frozen=True)
class Told:
    """A demo that was played to its end."""

    home: Path
    port: int
    code: int
    output: str


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, free_port: int) -> Told:
    home = tmp_path_factory.mktemp("story") / "home"
    (home / "artifacts").mkdir(parents=True)
    (home / "artifacts" / "keep.txt").write_text("Somebody's work.")
    (home / "countersign.sqlite3").write_bytes(b"Somebody's database.")
    played = subprocess.run(
        [sys.executable, "manage.py", "demo", "--no-serve", "--port", str(free_port)],
        cwd=ROOT,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=900,
    )
    return Told(home, free_port, played.returncode, played.stdout)


def assert_beside_is_untouched(told: Told) -> None:
    assert (told.home / "artifacts" / "keep.txt").read_text() == "Somebody's work."
    assert (told.home / "countersign.sqlite3").read_bytes() == b"Somebody's database."
    # A management command reads its key before it knows that it is a demo.
    assert {path.name for path in told.home.iterdir()} <= {
        "artifacts",
        "countersign.sqlite3",
        "demo",
        "keys",
    }


@pytest.mark.slow
class TestPlayed:
    def test_every_chapter_is_played_and_the_exit_code_says_so(self, told):
        assert told.code == 0, told.output
        titles, _codes = chapters_of(told.output)
        assert titles == CHAPTERS
        assert "What happened" in told.output

    def test_every_door_refuses_for_its_own_reason(self, told):
        _titles, codes = chapters_of(told.output)
        assert codes == REFUSALS

    def test_refusals_are_told_in_words(self, told):
        assert '"type": "about:blank"' not in told.output
        assert "“Signing takes a browser session and a password; a token may not sign.”" in (
            told.output
        )

    def test_the_ledger_that_it_leaves_verifies(self, told):
        verified = subprocess.run(
            [sys.executable, "manage.py", "verify_ledger"],
            cwd=ROOT,
            env=environment(told.home / "demo"),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert verified.returncode == 0, verified.stderr
        entries = re.search(r"The ledger verifies: (\d+) entries", verified.stdout)
        assert entries, verified.stdout
        assert int(entries[1]) > 50, "a whole story leaves more than that"

    def test_files_beside_it_are_untouched(self, told):
        assert_beside_is_untouched(told)

    def test_a_second_one_starts_afresh_and_ends_without_orphans(self, told, tmp_path):
        leftover = told.home / "demo" / "leftover.txt"
        leftover.write_text("From the first story.")
        export = told.home / "demo" / "ledger-export.zip"
        assert export.exists()
        with Playing(told, tmp_path / "second.log") as second:
            second.wait_for("[2/11]")
            family = descendants_of(second.process.pid)
            assert len(family) > 3, "the web process, the workers and the story"
            second.process.send_signal(signal.SIGTERM)
            code = second.process.wait(timeout=30)
        assert code == 128 + signal.SIGTERM, second.said
        assert wait_until(lambda: not any(map(is_alive, family)), seconds=10)
        assert "version 1\n" in second.said, "the first scope of a fresh project"
        assert not leftover.exists()
        assert not export.exists()
        assert_beside_is_untouched(told)


class Playing:
    """A demo that is still playing."""

    def __init__(self, told: Told, log: Path) -> None:
        self.log = log
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "demo", "--no-serve", "--port", str(told.port)],
                cwd=ROOT,
                env=environment(told.home),
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def wait_for(self, words: str) -> None:
        def is_over() -> bool:
            return words in self.said or self.process.poll() is not None

        assert wait_until(is_over, seconds=240), self.said
        assert words in self.said

    def __enter__(self) -> "Playing":
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=30)


class OpenDoor:
    """A browser to whom no door says no."""

    def get(self, path: str, **params: Any) -> Any:
        gauge = {"score": 0.0}
        return {
            "score": 0.0,
            "threshold": 75.0,
            "blockers": [],
            "under_scoped": gauge,
            "over_scoped": gauge,
        }

    def post(self, path: str, body: Any = None) -> Any:
        return {"id": 1, "version": 1}

    def attempt(self, path: str, body: Any = None) -> Refusal | None:
        return None


class ShutDoor(OpenDoor):
    """A browser that is refused whatever must be refused."""

    def attempt(self, path: str, body: Any = None) -> Refusal:
        return Refusal("scope_not_ready", "Not yet.", ("Record a baseline.",))


@pytest.fixture
def first_chapter(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Play the first chapter alone, as written, in front of other doors."""

    class Founded:
        pk = 1

    monkeypatch.setattr(scoping, "found_project", lambda *_, **__: Founded())
    monkeypatch.setattr(story, "CHAPTERS", (scoping.people_and_hasty_scope,))
    monkeypatch.setattr(story, "_where_to_look", lambda play: None)

    def before(door: Any) -> None:
        monkeypatch.setattr(story, "make_people", lambda url: defaultdict(door))

    return before


def test_a_refusal_that_does_not_come_fails_the_story(first_chapter, tmp_path):
    first_chapter(OpenDoor)
    out = io.StringIO()
    assert story.play_story("http://127.0.0.1:1", tmp_path, out=out) is False
    assert "Lena submits it: this should have been refused, and was not." in out.getvalue()
    assert "What happened" not in out.getvalue()


def test_the_same_chapter_holds_when_the_refusal_comes(first_chapter, tmp_path):
    first_chapter(ShutDoor)
    out = io.StringIO()
    assert story.play_story("http://127.0.0.1:1", tmp_path, out=out) is True, out.getvalue()
    assert chapters_of(out.getvalue())[1] == {1: ["scope_not_ready"]}


def test_a_story_that_stopped_is_an_exit_code(first_chapter, capsys):
    first_chapter(OpenDoor)
    with pytest.raises(SystemExit) as end:
        call_command("play_demo")
    assert end.value.code == 1
    assert "The story stopped" in capsys.readouterr().out


def test_an_expectation_that_does_not_hold_ends_the_act():
    stage = Stage(out=io.StringIO())
    with pytest.raises(ActFailed), stage.act("The gate opens"):
        raise ActFailed("The scope gate did not pass.")
    assert not stage.acts
    assert "ok  The gate opens" not in stage.out.getvalue()
