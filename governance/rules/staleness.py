"""Which bound parts moved since a review opened, in words."""

from collections.abc import Mapping
from dataclasses import dataclass

_NAMES: Mapping[str, str] = {
    "model_files": "the files of the model version",
    "run": "the training run",
    "scope": "the scope",
    "evidence": "the evidence",
    "policy": "the policy version",
    "dataset": "the dataset",
}
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Moved:
    """One bound part whose digest differs; empty where the part is absent."""

    part: str
    was: str
    now: str

    @property
    def sentence(self) -> str:
        """Return what happened to the part, for people."""
        name = part_name(self.part)
        name = name[0].upper() + name[1:]
        if not self.was:
            return f"{name} was added ({self.now[:_SHOWN]})."
        if not self.now:
            return f"{name} is gone (it was {self.was[:_SHOWN]})."
        return f"{name} changed ({self.was[:_SHOWN]} became {self.now[:_SHOWN]})."


def part_name(part: str) -> str:
    """Return the words for a bound part, such as `dataset:train`."""
    kind, _, name = part.partition(":")
    words = _NAMES.get(kind, kind.replace("_", " "))
    return f"{words} {name}" if name else words


def compare_bindings(bound: Mapping[str, str], now: Mapping[str, str]) -> list[Moved]:
    """Return every part that was added, removed or changed, by name."""
    return [
        Moved(part, bound.get(part, ""), now.get(part, ""))
        for part in sorted({*bound, *now})
        if bound.get(part, "") != now.get(part, "")
    ]
