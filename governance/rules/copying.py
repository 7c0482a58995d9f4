"""Which sign-offs of a review survive that something it binds moved, as copy conditions say.

A sign-off survives only if every part that moved is covered for its role, so that one more part
can end a sign-off and never bring one back.
"""

from collections.abc import Collection, Iterable, Sequence

from governance.rules.policy import CopyCondition
from governance.rules.staleness import ALL_EVIDENCE, part_name
from projects.rules.carrying import Survival

#: No policy can cover these: they never change, and where they do that is damage.
NEVER_COVERED = frozenset({"model_files"})


def survival(conditions: Sequence[CopyCondition], role: str, moved: Collection[str]) -> Survival:
    """Return whether a role's sign-off survives that the named parts moved, and why."""
    uncovered = [part for part in moved if not _is_covered(conditions, role, part)]
    if uncovered:
        reason = f"The policy asks again when this changes: {_names(uncovered)}."
        return Survival(role, survives=False, reason=reason)
    if not moved:
        return Survival(role, survives=True, reason="Nothing that it binds moved.")
    reason = f"The policy lets it stand when this changes: {_names(moved)}."
    return Survival(role, survives=True, reason=reason)


def _is_covered(conditions: Sequence[CopyCondition], role: str, part: str) -> bool:
    kind = part.partition(":")[0]
    if kind in NEVER_COVERED:
        return False
    named = {
        name for one in conditions if one.roles is None or role in one.roles for name in one.changed
    }
    # Evidence that was bound as one may have been the card as well.
    if part == ALL_EVIDENCE:
        return {ALL_EVIDENCE, "card"} <= named
    return part in named or kind in named


def _names(parts: Iterable[str]) -> str:
    return ", ".join(part_name(part) for part in parts)
