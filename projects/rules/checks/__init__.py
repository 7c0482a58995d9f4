"""Everything that can be wrong with a scoping document, field by field."""

from collections.abc import Iterator

from projects.rules.checks import (
    approaches,
    criteria,
    data,
    effort,
    operation,
    people,
    problem,
    risks,
    value,
)
from projects.rules.checks.base import RULES, Rule
from projects.rules.checks.fields import FIELDS, is_filled
from projects.rules.readiness_policy import BLOCKS, ReadinessPolicy
from projects.rules.scope_terms import Circumstances, Content, Defect

__all__ = ["FIELDS", "RULES", "defects", "require_complete"]

#: The modules register their rules when they are imported.
_MODULES = (problem, value, criteria, approaches, data, effort, risks, people, operation)
_ORDER = {name: index for index, name in enumerate(FIELDS)}


def defects(content: Content, circumstances: Circumstances) -> tuple[Defect, ...]:
    """Return everything that is wrong, in the order of the document's fields."""
    found = [*_absences(content, circumstances), *_broken_rules(content, circumstances)]
    return tuple(sorted(found, key=lambda defect: _ORDER[defect.field]))


def require_complete(policy: ReadinessPolicy) -> None:
    """Refuse a policy that is silent on a rule or speaks of one that there is not.

    Raises:
        ValueError: names the rules and fields.
    """
    items = [item for section in policy.sections.values() for item in section.items.values()]
    named = {code for item in items for code in (*item.absent, *(item.weak or ()))}
    fields = {name for item in items for name in item.fields}
    for complaint, names in (
        ("lacks the rules", set(RULES) - set(policy.rules)),
        ("names rules that there are not:", (set(policy.rules) | named) - set(RULES)),
        ("names fields that there are not:", fields - set(FIELDS)),
    ):
        if names:
            raise ValueError(f"The readiness policy {complaint} {', '.join(sorted(names))}.")


def _absences(content: Content, circumstances: Circumstances) -> Iterator[Defect]:
    for name, advice in FIELDS.items():
        if circumstances.needs(name) and not is_filled(content, name):
            yield Defect(f"{name}_missing", name, advice, BLOCKS, is_absence=True)


def _broken_rules(content: Content, circumstances: Circumstances) -> Iterator[Defect]:
    for rule in RULES.values():
        if rule.need and not circumstances.needs(rule.need):
            continue
        if not rule.judges_absence and not is_filled(content, rule.field):
            continue
        yield from _said(rule, content, circumstances)


def _said(rule: Rule, content: Content, circumstances: Circumstances) -> Iterator[Defect]:
    effect = circumstances.policy.rules[rule.code]
    for said in rule.check(content, circumstances):
        name, sentence = (rule.field, said) if isinstance(said, str) else said
        yield Defect(rule.code, name, sentence, effect)
