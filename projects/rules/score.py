"""The readiness score, item by item: 0 absent, 0.5 there but weak, 1 earned."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from projects.rules.readiness_policy import Item
from projects.rules.scope_terms import Circumstances, Content, Defect, LostPoints, rows, text

ABSENT, WEAK, EARNED = 0.0, 0.5, 1.0
_ATTESTED = "attestation"


def lost_points(
    content: Content, defects: Iterable[Defect], circumstances: Circumstances
) -> Iterator[LostPoints]:
    """Yield what each item did not earn, with what would earn it."""
    found = tuple(defects)
    for section, part in circumstances.policy.sections.items():
        for item in part.items.values():
            lost = _lost(item, content, found)
            if lost is not None:
                points, reason, name = lost
                yield LostPoints(section, points, reason, name)


def _lost(
    item: Item, content: Content, defects: tuple[Defect, ...]
) -> tuple[float, str, str] | None:
    heard = [defect for defect in defects if _concerns(item, defect)]
    earned = sum(_earned(item, name, heard) for name in item.fields) / len(item.fields)
    reasons = [defect.sentence for defect in heard]
    if item.share:
        share, reason = SHARES[item.share](content)
        earned *= share
        reasons += [reason] if share < EARNED else []
    missing = round(item.points * (EARNED - earned), 2)
    if not missing:
        return None
    return missing, " ".join(reasons), heard[0].field if heard else item.fields[0]


def _concerns(item: Item, defect: Defect) -> bool:
    if defect.field not in item.fields:
        return False
    named = {*item.absent, *(item.weak or ())}
    return defect.is_absence or item.listens_to_all or defect.code in named


def _earned(item: Item, name: str, heard: Iterable[Defect]) -> float:
    about = [defect for defect in heard if defect.field == name]
    if any(defect.is_absence or defect.code in item.absent for defect in about):
        return ABSENT
    return WEAK if about else EARNED


def _measured_criteria(content: Content) -> tuple[float, str]:
    criteria = rows(content, "criteria")
    attested = [text(row, "key") for row in criteria if text(row, "source") == _ATTESTED]
    share = 1 - len(attested) / len(criteria) if criteria else EARNED
    return share, f"Let a machine check what people only attest: {', '.join(attested)}."


#: How large a share of the rows fulfils something, and what to do about the others.
SHARES: Mapping[str, Callable[[Content], tuple[float, str]]] = {
    "measured_criteria": _measured_criteria,
}
