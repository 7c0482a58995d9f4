"""How full a column of the board may get."""

from dataclasses import dataclass

#: Columns that hold work in progress; what is finished or waits in the backlog needs no limit.
LIMITED_COLUMNS = ("todo", "doing", "review")
WARN, BLOCK = "warn", "block"
MODES = (WARN, BLOCK)
MOST = 999


@dataclass(frozen=True, slots=True)
class Wip:
    """What a column holds over all active sprints of a project, and how much it may hold."""

    column: str
    held: int
    most: int | None = None
    mode: str = WARN

    @property
    def is_over(self) -> bool:
        return self.most is not None and self.held > self.most

    @property
    def is_full(self) -> bool:
        return self.most is not None and self.held >= self.most

    @property
    def blocks(self) -> bool:
        """Return whether one more is refused."""
        return self.is_full and self.mode == BLOCK

    @property
    def warns(self) -> bool:
        """Return whether one more is let in with a warning."""
        return self.is_full and self.mode == WARN


def problems_of(column: str, most: int, mode: str) -> list[str]:
    """Return what is wrong with a limit that somebody wants to set."""
    found = []
    if column not in LIMITED_COLUMNS:
        found.append(f"{column} takes no limit; {', '.join(LIMITED_COLUMNS)} do.")
    if not 1 <= most <= MOST:
        found.append(f"A limit is a number from 1 to {MOST}, not {most}.")
    if mode not in MODES:
        found.append(f"A limit either warns or blocks; {mode!r} is neither.")
    return found
