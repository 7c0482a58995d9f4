"""Running a script of a policy in a process of its own that can do next to nothing."""

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

CHILD = Path(__file__).with_name("sandbox_child.py")
MEMORY = 512 * 1024 * 1024
#: Most bytes of an answer, and of any file where the file system cannot be closed off.
OUTPUT = 64 * 1024
MOST_VALUES = 50
LONGEST_TEXT = 400
GUARDS = ("files", "network", "processes")
#: How often a running script is looked at, in seconds.
_PAUSE = 0.05


class ScriptFailed(Exception):
    """The script gave no answer; the message says why, in a sentence."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a script said, and what this machine could not keep it from."""

    passed: bool
    message: str
    values: Mapping[str, Any]
    unguarded: tuple[str, ...] = ()


def run_script(
    source: str, facts: Mapping[str, Any], *, seconds: int, tick: Callable[[], None] = lambda: None
) -> Answer:
    """Run a script on facts and return what it said; `tick` is called now and then and may raise.

    The script gets the facts as JSON on standard input, an empty environment and an empty
    directory, and prints one JSON object: `passed` (true or false), `message`, `values`.

    Raises:
        ScriptFailed: it took too long, broke, or printed something else.
    """
    with tempfile.TemporaryDirectory(prefix="check-") as place, contextlib.ExitStack() as stack:
        directory = Path(place)
        (directory / "check.py").write_text(source, encoding="utf-8")
        (directory / "empty").mkdir()
        opened = {
            name: stack.enter_context((directory / name).open("w+b"))
            for name in ("given", "said", "complained", "guarded")
        }
        opened["given"].write(json.dumps(facts, allow_nan=False).encode())
        opened["given"].seek(0)
        process = _start(directory, opened, seconds)
        try:
            _wait(process, seconds, tick)
        finally:
            _end(process)
        return _read(process.returncode, {name: _content(file) for name, file in opened.items()})


def _start(
    directory: Path, opened: Mapping[str, BinaryIO], seconds: int
) -> "subprocess.Popen[bytes]":
    limits = {
        "AS": MEMORY,
        "CPU": seconds + 1,
        "FSIZE": OUTPUT,
        "NOFILE": 32,
        "NPROC": 0,
        "CORE": 0,
    }
    report = opened["guarded"].fileno()
    arguments = [json.dumps(limits), str(directory / "check.py"), str(report)]
    # -I: no variables, no user packages, no current directory; -S: no installed packages.
    return subprocess.Popen(  # noqa: S603 - our own program; the script is what it confines
        [sys.executable, "-I", "-S", "-B", str(CHILD), *arguments],
        stdin=opened["given"],
        stdout=opened["said"],
        stderr=opened["complained"],
        pass_fds=(report,),
        cwd=directory / "empty",
        env={},
        start_new_session=True,
    )


def _wait(process: "subprocess.Popen[bytes]", seconds: int, tick: Callable[[], None]) -> None:
    deadline = time.monotonic() + seconds
    while process.poll() is None:
        if time.monotonic() > deadline:
            raise ScriptFailed(f"The script was ended after {seconds} seconds without an answer.")
        tick()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PAUSE)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the script with whatever it started; its group outlives it if it forked."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _content(stream: BinaryIO) -> bytes:
    stream.seek(0)
    return stream.read(OUTPUT + 1)


def _read(code: int, content: Mapping[str, bytes]) -> Answer:
    said = content["said"]
    if code != 0 or not content["guarded"]:
        raise ScriptFailed(_complaint(code, content["complained"].decode(errors="replace")))
    if len(said) >= OUTPUT:
        raise ScriptFailed(f"The script printed more than {OUTPUT // 1024} KB.")
    try:
        answer = json.loads(said)
    except (ValueError, RecursionError) as error:
        raise ScriptFailed(f"The script printed no JSON object: {error}.") from error
    guarded = json.loads(content["guarded"])
    return Answer(*_checked(answer), tuple(name for name in GUARDS if name not in guarded))


def _complaint(code: int, text: str) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"The script was ended by {signal.Signals(-code).name}; it asked for too much."
    last = next((line for line in reversed(text.splitlines()) if line.strip()), f"exit code {code}")
    return f"The script broke: {_clean(last.strip())}."


def _checked(answer: Any) -> tuple[bool, str, dict[str, Any]]:
    if not isinstance(answer, dict) or not isinstance(answer.get("passed"), bool):
        raise ScriptFailed("The script's answer does not say `passed`: true or false.")
    message, values = answer.get("message", ""), answer.get("values", {})
    if not isinstance(message, str) or not isinstance(values, dict):
        raise ScriptFailed("In the script's answer `message` is a text and `values` an object.")
    if len(values) > MOST_VALUES or not all(_is_plain(value) for value in values.values()):
        raise ScriptFailed(
            f"`values` holds at most {MOST_VALUES} texts, finite numbers, true, false or null."
        )
    plain = {
        _clean(key): _clean(one) if isinstance(one, str) else one for key, one in values.items()
    }
    return answer["passed"], _clean(message), plain


def _is_plain(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | int)


def _clean(text: str) -> str:
    """Return a text as any database can store it."""
    return text.encode(errors="replace").decode().replace("\0", "")[:LONGEST_TEXT]
