"""Which bound parts moved since a review opened, in words."""

from collections.abc import Mapping
from dataclasses import dataclass

_NAMES: Mapping[str, str] = {
    "model_files": "the files of the model version",
    "run": "the training run",
    "scope": "the scope",
    "criteria": "the criteria of the scope",
    "evidence": "the evidence",
    "card": "the model card",
    "policy": "the policy version",
    "dataset": "the dataset",
    "datasheet": "the datasheet",
    "sprint": "what the sprint came to",
    "decision": "the decision after the experiments",
    "policy_text": "the text of the policy",
}
_SHOWN = 12
#: All evidence under one digest, as reviews bound it before it was told apart by kind.
ALL_EVIDENCE = "evidence"
_TOLD_APART_LATER = frozenset({"evidence", "card", "criteria"})


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
    if not name:
        return words
    return f"{words} {name.replace('_', ' ') if kind == ALL_EVIDENCE else name}"


def compare_bindings(bound: Mapping[str, str], now: Mapping[str, str]) -> list[Moved]:
    """Return every part that was added, removed or changed, by name."""
    return [
        Moved(part, bound.get(part, ""), now.get(part, ""))
        for part in sorted({*bound, *now})
        if bound.get(part, "") != now.get(part, "")
    ]


def is_bound_as_one(bindings: Mapping[str, str]) -> bool:
    """Return whether a review bound all its evidence under one digest, as reviews once did."""
    return ALL_EVIDENCE in bindings


def is_evidence(part: str) -> bool:
    """Return whether a part binds evidence, the model card included."""
    return part.partition(":")[0] in {ALL_EVIDENCE, "card"}


def as_bound(
    bound: Mapping[str, str], now: Mapping[str, str], all_evidence: str
) -> Mapping[str, str]:
    """Return what is there now in the shape that a review was bound in.

    A review that bound its evidence as one is compared as one: it does not go stale because parts
    are told apart since then, and nothing that it bound goes unseen.
    """
    if not is_bound_as_one(bound):
        return now
    kept = {k: v for k, v in now.items() if k.partition(":")[0] not in _TOLD_APART_LATER}
    return {**kept, ALL_EVIDENCE: all_evidence}
