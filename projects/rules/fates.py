"""What becomes of each row of an imported file, whether it was only tried or done."""

from collections.abc import Iterator
from dataclasses import dataclass, field

CREATE, UPDATE, UNCHANGED, REMOVE, REFUSED = "create", "update", "unchanged", "remove", "refused"
FATES = (CREATE, UPDATE, UNCHANGED, REMOVE, REFUSED)


@dataclass(slots=True)
class Fate:
    """What becomes of one row, and why; `errors` names every wrong field."""

    number: int
    key: str
    title: str
    fate: str = UNCHANGED
    errors: dict[str, list[str]] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)

    def refuse(self, name: str, text: str) -> None:
        """Add a reason, after which the row is refused."""
        self.fate = REFUSED
        self.errors.setdefault(name, []).append(text)


@dataclass(frozen=True, slots=True)
class Import:
    """The fate of every row of a file; `is_done` says whether anything was written."""

    fates: tuple[Fate, ...]
    unknown_columns: tuple[str, ...]
    shape: str
    digest: str
    is_done: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """Return how many rows meet each fate."""
        return {name: sum(one.fate == name for one in self.fates) for name in FATES}

    @property
    def reasons(self) -> list[str]:
        """Return why rows are refused, a sentence for each, with the line it stands on."""
        return [
            f"{f'Line {one.number}' if one.number else one.key}, {name}: {text}"
            for one in self.fates
            for name, texts in one.errors.items()
            for text in texts
        ]

    def told(self) -> Iterator[str]:
        """Yield the fate of each row and their count, as the command line tells them."""
        for one in self.fates:
            why = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in one.errors.items())
            changes = why or ", ".join(one.changes)
            yield f"{one.number or ''}\t{one.fate}\t{one.key}\t{one.title}\t{changes}".rstrip()
        if self.unknown_columns:
            yield f"Columns that are left out: {', '.join(self.unknown_columns)}."
        counts = ", ".join(f"{count} {name}" for name, count in self.counts.items() if count)
        yield f"{'imported' if self.is_done else 'dry run'}: {counts or 'nothing'}"

    @property
    def is_refused(self) -> bool:
        return any(one.fate == REFUSED for one in self.fates)
