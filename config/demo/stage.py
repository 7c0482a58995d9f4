"""Tell the story on the terminal: chapters, acts, refusals, progress and the table at the end."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

#: A hasty scope has dozens of them; the page of the scope lists all.
SHOWN_REASONS = 8


class ActFailed(Exception):
    """A step of the story did not hold; the demo ends with this sentence."""


@dataclass
class Act:
    """One line of the table at the end."""

    chapter: str
    title: str
    outcome: str
    seconds: float


@dataclass
class Stage:
    """Prints what happens and remembers it.

    Every act either holds or raises `ActFailed`; an expected refusal that does not come is a
    failure as well, so the exit code of the demo means that every door did what it should.
    """

    out: TextIO = field(default_factory=lambda: sys.stdout)
    total: int = 1
    acts: list[Act] = field(default_factory=list)
    _chapter: str = ""
    _number: int = 0
    _started: float = field(default_factory=time.monotonic)

    def chapter(self, title: str) -> None:
        """Open the next chapter."""
        self._number += 1
        self._chapter = title
        elapsed = time.monotonic() - self._started
        self.say(f"\n[{self._number}/{self.total}] {title}  ({elapsed:.0f} s)")

    def say(self, text: str) -> None:
        self.out.write(f"{text}\n")
        self.out.flush()

    def note(self, text: str) -> None:
        """Print an indented remark."""
        for line in text.splitlines():
            self.say(f"      {line}")

    @contextmanager
    def act(self, title: str) -> Iterator[list[str]]:
        """Run one act; what is appended to the yielded list becomes its outcome."""
        started = time.monotonic()
        remarks: list[str] = []
        yield remarks
        outcome = "; ".join(remarks) or "done"
        self._close(title, outcome, started)
        self.say(f"  ok  {title}" + (f": {outcome}" if remarks else ""))

    def refused(
        self, title: str, attempt: Callable[[], "Refusal | None"], *, code: str
    ) -> "Refusal":
        """Run an attempt that must be refused with `code`, and show the refusal's own words."""
        started = time.monotonic()
        refusal = attempt()
        if refusal is None:
            raise ActFailed(f"{title}: this should have been refused, and was not.")
        if refusal.code != code:
            raise ActFailed(
                f"{title}: refused as it should, but with {refusal.code} instead of {code}: "
                f"{refusal.message}"
            )
        self._close(title, f"refused ({refusal.code})", started)
        self.say(f"  no  {title}: refused ({refusal.code})")
        self.note(f"“{refusal.message}”")
        for reason in refusal.reasons[:SHOWN_REASONS]:
            self.note(f"  - {reason}")
        if (more := len(refusal.reasons) - SHOWN_REASONS) > 0:
            self.note(f"  … and {more} more")
        return refusal

    def progress(self, percent: int, message: str) -> None:
        """Show how far long work has come; a bar on a terminal, nothing in a log file."""
        if not self.out.isatty():
            return
        filled = percent * 24 // 100
        bar = "#" * filled + "." * (24 - filled)
        self.out.write(f"\r      [{bar}] {percent:3d} % {message[:50]:<50}")
        if percent >= 100:  # noqa: PLR2004 - a percentage
            self.out.write("\r" + " " * 90 + "\r")
        self.out.flush()

    def _close(self, title: str, outcome: str, started: float) -> None:
        self.acts.append(Act(self._chapter, title, outcome, time.monotonic() - started))

    def table(self) -> None:
        """Print what happened, one line an act."""
        self.say("\nWhat happened")
        width = max(len(act.title) for act in self.acts)
        chapter = ""
        for act in self.acts:
            if act.chapter != chapter:
                chapter = act.chapter
                self.say(f"  {chapter}")
            self.say(f"    {act.title:<{width}}  {act.outcome[:90]}")


@dataclass(frozen=True)
class Refusal:
    """What a door answered when it said no."""

    code: str
    message: str
    reasons: tuple[str, ...] = ()
    status: int = 0
