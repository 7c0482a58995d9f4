"""A script of a policy answers, and can do nothing else, however hard it tries."""

import json
import time
from pathlib import Path

import pytest

from pipeline.services import sandbox
from pipeline.services.sandbox import ScriptFailed, run_script

FACTS = {"metrics": {"auc": 0.8}}
YES = "import json\nprint(json.dumps({'passed': True"

#: This machine's kernel may be older than the guards; what they stop is asserted where they are.
needs_guards = pytest.mark.skipif(
    run_script("print('{\"passed\": true}')", {}, seconds=10).unguarded != (),
    reason="this kernel cannot close off files, network and processes",
)


def failure_of(source: str, seconds: int = 5) -> str:
    with pytest.raises(ScriptFailed) as failure:
        run_script(source, FACTS, seconds=seconds)
    return str(failure.value)


def test_a_script_reads_facts_and_answers():
    source = (
        "import json, sys\n"
        "auc = json.load(sys.stdin)['metrics']['auc']\n"
        "print(json.dumps({'passed': auc > 0.7, 'message': 'It is good.', 'values': {'a': auc}}))"
    )
    answer = run_script(source, FACTS, seconds=5)
    assert (answer.passed, answer.message, answer.values) == (True, "It is good.", {"a": 0.8})


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "no JSON object"),
        ("print('{')", "no JSON object"),
        ("print('[' * 60000)", "no JSON object"),
        ('print(\'{"passed": true}{"passed": true}\')', "no JSON object"),
        ("print('[1]')", "does not say `passed`"),
        ("print('{\"passed\": 1}')", "does not say `passed`"),
        ('print(\'{"passed": "true"}\')', "does not say `passed`"),
        ('print(\'{"passed": true, "values": {"a": NaN}}\')', "finite numbers"),
        ('print(\'{"passed": true, "values": {"a": []}}\')', "finite numbers"),
        ('print(\'{"passed": true, "message": 1}\')', "`message` is a text"),
        (YES + ", 'values': {str(n): n for n in range(51)}}))", "at most 50"),
        ("raise KeyError('auc')", "The script broke: KeyError: 'auc'"),
        (YES + "}))\nraise SystemExit(3)", "exit code 3"),
        ("import numpy", "No module named 'numpy'"),
        ("print('x' * 10**7)", "File too large"),
        ("import sys; sys.stderr.write('x' * 10**7)", "The script broke"),
        ("bytearray(10**9)", "MemoryError"),
    ],
)
def test_what_is_no_answer_is_a_failure_that_says_why(source, words):
    assert words in failure_of(source)


@pytest.mark.parametrize("source", ["while True: pass", "import time; time.sleep(60)"])
def test_a_script_that_does_not_end_is_ended(source):
    started = time.monotonic()
    assert "ended after 1 seconds" in failure_of(source, seconds=1)
    assert time.monotonic() - started < 5


def test_whoever_asked_can_end_a_running_script():
    class Enough(Exception):
        pass

    def tick():
        raise Enough

    with pytest.raises(Enough):
        run_script("import time; time.sleep(60)", FACTS, seconds=60, tick=tick)


def test_a_script_sees_nothing_of_the_environment(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "s3cret")
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    source = (
        "import json, os, sys\n"
        "print(json.dumps({'passed': True, 'values': {**os.environ, 'args': len(sys.argv)}}))"
    )
    assert run_script(source, FACTS, seconds=5).values == {"args": 1}


@needs_guards
@pytest.mark.parametrize(
    "source",
    [
        "import os; os.fork()",
        "import subprocess; subprocess.run(['/bin/true'])",
        "import os; os.execv('/bin/true', ['true'])",
        "import threading; threading.Thread(target=print).start()",
        "import os; os.kill(os.getppid(), 9)",
        "import socket; socket.socket()",
        "import socket; socket.socketpair()",
        "import os; os.chmod('/', 0o777)",
        "import os; os.listdir('..')",
        "open('/etc/passwd').read()",
        "open('/proc/self/environ').read()",
        "open('own.txt', 'w').write('x')",
        "import os; os.mkdir('own')",
        "import resource; resource.setrlimit(resource.RLIMIT_NPROC, (64, 64))",
    ],
)
def test_a_script_gets_at_nothing_outside(source):
    said = failure_of(source)
    assert any(
        words in said
        for words in ("not permitted", "Permission denied", "can't start new thread", "not allowed")
    )


@needs_guards
def test_a_script_writes_no_file_anywhere(tmp_path):
    target = tmp_path / "evil.txt"
    failure_of(f"open({str(target)!r}, 'w').write('x')")
    assert not target.exists()
    kept = tmp_path / "kept.txt"
    kept.write_text("mine")
    failure_of(f"import os; os.unlink({str(kept)!r})")
    assert kept.read_text() == "mine"


@needs_guards
def test_a_script_reads_no_file_of_the_service():
    here = str(Path(sandbox.__file__))
    assert "Permission denied" in failure_of(f"open({here!r}).read()")


def test_where_the_machine_cannot_guard_the_answer_says_so(monkeypatch, tmp_path):
    child = tmp_path / "child.py"
    source = sandbox.CHILD.read_text().replace('sys.platform != "linux"', "True")
    child.write_text(source)
    monkeypatch.setattr(sandbox, "CHILD", child)
    answer = run_script("print('{\"passed\": true}')", FACTS, seconds=5)
    assert answer.unguarded == ("files", "network", "processes")


def test_a_script_cannot_claim_that_it_was_guarded(monkeypatch, tmp_path):
    child = tmp_path / "child.py"
    child.write_text(sandbox.CHILD.read_text().replace('sys.platform != "linux"', "True"))
    monkeypatch.setattr(sandbox, "CHILD", child)
    source = (
        "import os\n"
        "for number in range(3, 32):\n"
        '    try: os.write(number, b\'["files", "network", "processes"]\')\n'
        "    except OSError: pass\n"
        "print('{\"passed\": true}')"
    )
    assert run_script(source, FACTS, seconds=5).unguarded == ("files", "network", "processes")


def test_texts_that_a_database_cannot_store_are_cleaned():
    said = json.dumps({"passed": False, "message": "a\0b\ud800", "values": {"k\0": "v\0"}})
    answer = run_script(f"print({said!r})", FACTS, seconds=5)
    assert (answer.message, dict(answer.values)) == ("ab?", {"k": "v"})


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run_script("print('{\"passed\": true}')", FACTS, seconds=5)
    failure_of("while True: pass", seconds=1)
    assert list(tmp_path.iterdir()) == []
