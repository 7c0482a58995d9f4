"""Mappings that notice when somebody looks for a fact that nobody recorded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Trace:
    """What was looked for in vain: keys that were absent, and kinds of facts never recorded."""

    absent: set[str] = field(default_factory=set)
    unrecorded: set[str] = field(default_factory=set)


class Recorded(Mapping[str, Any]):
    """Facts by name as they were recorded; a name that is not there is noted and is absent."""

    def __init__(self, facts: Mapping[str, Any], trace: Trace, what: str) -> None:
        self._facts, self._trace, self._what = facts, trace, what

    def __getitem__(self, name: str) -> Any:
        if name not in self._facts:
            self._trace.absent.add(f"{self._what} {name}".strip())
        return self._facts[name]

    def __contains__(self, name: object) -> bool:
        if name not in self._facts:
            self._trace.absent.add(f"{self._what} {name}".strip())
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)


class _Unrecorded(Mapping[Any, Any]):
    """Facts of which no record tells how they were; whoever looks is noted, and finds nothing."""

    def __init__(self, trace: Trace, what: str) -> None:
        self._trace, self._what = trace, what

    def __getitem__(self, name: Any) -> Any:
        self._trace.unrecorded.add(self._what)
        raise KeyError(name)

    def __iter__(self) -> Iterator[Any]:
        self._trace.unrecorded.add(self._what)
        return iter(())

    def __len__(self) -> int:
        self._trace.unrecorded.add(self._what)
        return 0


class UnrecordedTuple(tuple[Any, ...]):
    """Rows of which no record tells how they were; whoever looks is noted."""

    trace: Trace
    what: str

    def __iter__(self) -> Iterator[Any]:
        self.trace.unrecorded.add(self.what)
        return super().__iter__()

    def __len__(self) -> int:
        self.trace.unrecorded.add(self.what)
        return super().__len__()


def unrecorded(trace: Trace, what: str) -> Mapping[Any, Any]:
    """Return facts that were not recorded, such as `reporting lines`."""
    return _Unrecorded(trace, what)


def unrecorded_rows(trace: Trace, what: str) -> tuple[Any, ...]:
    """Return rows that were not recorded, such as `approvals of datasets`."""
    rows = UnrecordedTuple()
    rows.trace, rows.what = trace, what
    return rows
