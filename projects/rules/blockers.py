"""What stops a scoping document from being submitted, whatever it scores."""

from collections.abc import Iterable, Iterator

from projects.rules.checks import RULES
from projects.rules.readiness_policy import ALWAYS, BLOCKS
from projects.rules.scope_terms import Blocker, Circumstances, Defect


def find(defects: Iterable[Defect], circumstances: Circumstances) -> Iterator[Blocker]:
    """Yield every blocker among what is wrong with a document."""
    for defect in defects:
        if _blocks(defect, circumstances):
            yield Blocker(defect.code, defect.sentence, defect.field)


def _blocks(defect: Defect, circumstances: Circumstances) -> bool:
    if defect.is_absence or defect.effect == ALWAYS:
        return True
    # A rule with a need of its own was asked only because the tier has that need.
    asked = defect.code in RULES and bool(RULES[defect.code].need)
    return defect.effect == BLOCKS and (asked or circumstances.needs(defect.field))
