"""How a rule about a document is written down."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from projects.rules.scope_terms import Circumstances, Content

#: Sentences about the rule's field, or pairs of another field and the sentence about it.
Said = Iterator[str | tuple[str, str]]
Check = Callable[[Content, Circumstances], Said]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule about one field; what breaking it does is the policy's word.

    A rule with a `need` of its own is asked only at the tiers that have that need. A rule is not
    asked about an empty field unless it `judges_absence`.
    """

    code: str
    field: str
    check: Check
    need: str = ""
    judges_absence: bool = False


#: Every rule by its code, in the order of the modules that hold them.
RULES: dict[str, Rule] = {}


def rule(
    code: str, field: str, *, need: str = "", judges_absence: bool = False
) -> Callable[[Check], Check]:
    """Register the decorated check as the rule `code` about `field`."""

    def register(check: Check) -> Check:
        RULES[code] = Rule(code, field, check, need, judges_absence)
        return check

    return register
