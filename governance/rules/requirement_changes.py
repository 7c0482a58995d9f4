"""What one version of a gate asks less, or more, than another, requirement by requirement."""

from collections.abc import Iterator, Mapping
from typing import Any

from governance.rules.families.standing import SEVERITIES
from governance.rules.families.work import DEFAULT_TOLERANCE
from governance.rules.policy import PolicyRules, RequirementRule
from governance.rules.policy_steps import Step, looser, moved, names, stricter

#: Parameters whose larger value asks for less, with the value that holds where none is given.
_LARGER_IS_LOOSER: Mapping[str, float] = {"tolerance": DEFAULT_TOLERANCE, "most": 0}
#: Parameters whose larger value asks for more.
_LARGER_IS_STRICTER: Mapping[str, float] = {"least": 2}


def of_gate(was: PolicyRules, now: PolicyRules, gate: str) -> Iterator[Step]:
    """Yield what became of the requirements of a gate, which are known by their keys."""
    before, after = (
        {one.key: one for one in rules.gates[gate].requirements} for rules in (was, now)
    )
    for key in sorted(before.keys() - after.keys()):
        yield looser(f"At the gate {gate}, the requirement {key} is gone: {before[key].title}.")
    for key in sorted(after.keys() - before.keys()):
        yield stricter(f"At the gate {gate}, the requirement {key} is new: {after[key].title}.")
    for key in sorted(before.keys() & after.keys()):
        where = f"At the gate {gate}, the requirement {key}"
        yield from _requirement(where, before[key], after[key])
        if before[key].check != after[key].check:
            checks = f"{after[key].check} instead of {before[key].check}"
            yield looser(f"{where} is judged by the check {checks}.")
        else:
            yield from _params(where, before[key], after[key], (was, now))


def _requirement(where: str, was: RequirementRule, now: RequirementRule) -> Iterator[Step]:
    if was.blocking != now.blocking:
        yield Step(not now.blocking, f"{where} {'blocks' if now.blocking else 'only informs'} now.")
    if was.waivable != now.waivable:
        words = "can be waived" if now.waivable else "cannot be waived"
        yield Step(now.waivable, f"{where} {words} now.")
    if fewer := set(was.tiers) - set(now.tiers):
        yield looser(f"{where} holds no longer at {names(fewer)} risk.")
    if more := set(now.tiers) - set(was.tiers):
        yield stricter(f"{where} holds at {names(more)} risk as well.")


def _params(
    where: str,
    was: RequirementRule,
    now: RequirementRule,
    policies: tuple[PolicyRules, PolicyRules],
) -> Iterator[Step]:
    for name in sorted(was.params.keys() | now.params.keys()):
        old, new = was.params.get(name), now.params.get(name)
        if old == new:
            continue
        words = f"{where} is asked with {name} {_shown(new)} instead of {_shown(old)}."
        if name == "max_age_days":
            ages = (_age(was, policies[0]), _age(now, policies[1]))
            yield from moved(*ages, words)
        else:
            yield from _param(name, old, new, words)


def _param(name: str, old: Any, new: Any, words: str) -> Iterator[Step]:
    if name in _LARGER_IS_LOOSER:
        default = _LARGER_IS_LOOSER[name]
        yield from moved(_or(old, default), _or(new, default), words)
    elif name in _LARGER_IS_STRICTER:
        default = _LARGER_IS_STRICTER[name]
        yield from moved(-_or(old, default), -_or(new, default), words)
    elif name == "severity":
        before, after = (SEVERITIES.index(one or "high") for one in (old, new))
        yield from moved(before, after, words)
    elif name == "allow_dirty":
        yield from moved(int(bool(old)), int(bool(new)), words)
    elif name == "any_of" and old and new:
        yield Step(not set(new) < set(old), words)
    elif name == "sections":
        # Without the parameter every section is asked for.
        yield Step(new is not None and (old is None or not set(new) > set(old)), words)
    else:
        yield looser(words)


def _or(value: Any, default: float) -> float:
    return default if value is None else float(value)


def _age(rule: RequirementRule, policy: PolicyRules) -> int | None:
    """Return how old the evidence may be: as the requirement says, else as its kind does."""
    if "max_age_days" in rule.params:
        age: int = rule.params["max_age_days"]
        return age
    kinds = [rule.params.get("kind"), *rule.params.get("any_of", ())]
    found = [policy.evidence_types[kind] for kind in kinds if kind in policy.evidence_types]
    ages = [one.max_age_days for one in found if one.max_age_days is not None]
    return max(ages) if ages and len(ages) == len(found) else None


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)
