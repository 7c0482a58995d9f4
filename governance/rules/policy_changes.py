"""What one version of a policy loosens and tightens against another, in sentences.

Whatever cannot be put in order, such as another check under the same key, counts as loosened: who
changes a rule has to show that it is no weaker, not the other way round.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from governance.rules import requirement_changes
from governance.rules.policy import (
    MODES,
    SIGNING_ROLES,
    TIERS,
    BreakGlass,
    EnvironmentRules,
    GateRules,
    PolicyRules,
    QuorumRule,
)
from governance.rules.policy_steps import Step, looser, moved, names, stricter
from projects.rules.carrying import RESET_ALL

_CARRY_OVER = (RESET_ALL, "reset_affected", "keep")


@dataclass(frozen=True, slots=True)
class PolicyChanges:
    """What got looser and what got stricter; what is neither, such as a title, is left out."""

    looser: tuple[str, ...] = ()
    stricter: tuple[str, ...] = ()


def changes_between(was: PolicyRules, now: PolicyRules) -> PolicyChanges:
    """Return everything that the later policy loosens or tightens."""
    steps = list(
        chain(
            _environments(was, now),
            _gates(was, now),
            _validity(was, now),
            _evidence(was, now),
            _break_glass(was.break_glass, now.break_glass),
            _scripts(was, now),
            _whole(was, now),
        )
    )
    return PolicyChanges(
        tuple(step.sentence for step in steps if step.is_looser),
        tuple(step.sentence for step in steps if not step.is_looser),
    )


def _environments(was: PolicyRules, now: PolicyRules) -> Iterator[Step]:
    before, after = ({one.name: one for one in rules.environments} for rules in (was, now))
    for name in before.keys() - after.keys():
        yield looser(f"The environment {name} is gone: nothing guards a promotion there any more.")
    for name in after.keys() - before.keys():
        one = after[name]
        yield looser(
            f"The environment {name} is new: the alias {one.alias}, which nobody could set, "
            f"can be set behind the gate {one.gate}."
        )
    for name in sorted(before.keys() & after.keys()):
        yield from _environment(before[name], after[name])


def _environment(was: EnvironmentRules, now: EnvironmentRules) -> Iterator[Step]:
    yield from moved(
        MODES.index(was.mode),
        MODES.index(now.mode),
        f"The environment {was.name} is in the mode {now.mode} instead of {was.mode}.",
    )
    if was.gate != now.gate:
        words = f"{was.name} stands behind the gate {now.gate} instead of {was.gate}."
        yield looser(f"The environment {words}")
    if was.alias != now.alias:
        words = f"{was.name} is the alias {now.alias} instead of {was.alias}."
        yield looser(f"The environment {words}")


def _gates(was: PolicyRules, now: PolicyRules) -> Iterator[Step]:
    for name in sorted(was.gates.keys() - now.gates.keys()):
        yield looser(f"The gate {name} is gone.")
    for name in sorted(now.gates.keys() - was.gates.keys()):
        yield stricter(f"The gate {name} is new.")
    for name in sorted(was.gates.keys() & now.gates.keys()):
        before, after = was.gates[name], now.gates[name]
        yield from _gate(before, after)
        for tier in TIERS:
            quorums = before.sign_offs.get(tier), after.sign_offs.get(tier)
            yield from _quorum(f"At the gate {name}, at {tier} risk,", *quorums)
        yield from _separation(before, after)
        yield from requirement_changes.of_gate(was, now, name)
        yield from _copying(before, after)


def _gate(was: GateRules, now: GateRules) -> Iterator[Step]:
    if was.subject != now.subject:
        yield looser(f"The gate {was.name} judges a {now.subject} instead of a {was.subject}.")
    yield from moved(
        _CARRY_OVER.index(was.carry_over),
        _CARRY_OVER.index(now.carry_over),
        f"At the gate {was.name}, sign-offs of an earlier scope: {now.carry_over} instead of "
        f"{was.carry_over}.",
    )
    yield from moved(
        was.decide_within_days,
        now.decide_within_days,
        f"At the gate {was.name}, reviews are due within {_days(now.decide_within_days)} "
        f"instead of {_days(was.decide_within_days)}.",
    )
    if more := set(now.checklist_at) - set(was.checklist_at):
        yield looser(f"The gate {was.name} is but a checklist at {names(more)} risk now.")
    if fewer := set(was.checklist_at) - set(now.checklist_at):
        yield stricter(f"The gate {was.name} is no mere checklist at {names(fewer)} risk any more.")


def _quorum(where: str, was: QuorumRule | None, now: QuorumRule | None) -> Iterator[Step]:
    if was is None and now is not None:
        yield looser(f"{where} the gate can be passed, which nobody could.")
    if was is not None and now is None:
        yield stricter(f"{where} nobody can pass the gate any more.")
    if was is None or now is None:
        return
    if fewer := set(was.roles) - set(now.roles):
        yield looser(f"{where} it takes no sign-off any more as {names(fewer)}.")
    if more := set(now.roles) - set(was.roles):
        yield stricter(f"{where} it takes a sign-off as {names(more)} as well.")
    # The fewer people, the looser: the order is the other way round.
    words = f"{where} {now.people} instead of {was.people} people have to sign."
    yield from moved(-was.people, -now.people, words)


def _separation(was: GateRules, now: GateRules) -> Iterator[Step]:
    before, after = ({tier: set(one.separation_at(tier)) for tier in TIERS} for one in (was, now))
    for rule, tiers in _by_rule(before, after).items():
        words = f"the separation rule {rule} holds no longer at {names(tiers)} risk."
        yield looser(f"At the gate {was.name}, {words}")
    for rule, tiers in _by_rule(after, before).items():
        words = f"the separation rule {rule} holds at {names(tiers)} risk as well."
        yield stricter(f"At the gate {was.name}, {words}")


def _by_rule(some: Mapping[str, set[str]], others: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """Return the tiers at which a rule is among some and not among the others."""
    found: dict[str, list[str]] = defaultdict(list)
    for tier in TIERS:
        for rule in sorted(some[tier] - others[tier]):
            found[rule].append(tier)
    return found


def _copying(was: GateRules, now: GateRules) -> Iterator[Step]:
    """Yield which sign-offs survive which change that they did not survive, and the reverse."""
    for part, roles in _kept(now, was).items():
        words = f"a change of {part} ends no sign-off any more as {_whom(roles)}."
        yield looser(f"At the gate {was.name}, {words}")
    for part, roles in _kept(was, now).items():
        words = f"a change of {part} ends the sign-off as {_whom(roles)}, which it did not."
        yield stricter(f"At the gate {was.name}, {words}")


def _kept(some: GateRules, others: GateRules) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    parts = sorted({part for one in some.copy_conditions for part in one.changed})
    for part in parts:
        roles = _roles_keeping(some, part) - _roles_keeping(others, part)
        if roles:
            found[part] = roles
    return found


def _roles_keeping(gate: GateRules, part: str) -> set[str]:
    kind = part.partition(":")[0]
    kept = [one.roles for one in gate.copy_conditions if one.changed & {part, kind}]
    return set().union(*(SIGNING_ROLES if roles is None else roles for roles in kept))


def _whom(roles: set[str]) -> str:
    return "anybody" if roles == SIGNING_ROLES else names(roles)


def _validity(was: PolicyRules, now: PolicyRules) -> Iterator[Step]:
    changed: dict[tuple[str, int | None, int | None], list[str]] = defaultdict(list)
    for gate in sorted(was.gates.keys() & now.gates.keys()):
        for tier in TIERS:
            before, after = was.validity_of(gate, tier), now.validity_of(gate, tier)
            if before != after:
                changed[(tier, before, after)].append(gate)
    for (tier, before, after), gates in changed.items():
        words = f"At {tier} risk an approval lasts {_days(after)} instead of {_days(before)}"
        yield from moved(before, after, f"{words}: {', '.join(gates)}.")


def _evidence(was: PolicyRules, now: PolicyRules) -> Iterator[Step]:
    for kind in sorted(was.evidence_types.keys() | now.evidence_types.keys()):
        before, after = (
            rules.evidence_types[kind].max_age_days if kind in rules.evidence_types else None
            for rules in (was, now)
        )
        words = f"Evidence of the kind {kind} may be {_days(after)} old instead of {_days(before)}."
        yield from moved(before, after, words)


def _break_glass(was: BreakGlass | None, now: BreakGlass | None) -> Iterator[Step]:
    if was is None and now is not None:
        yield looser("An open review can be promoted past by break-glass, which nobody could.")
    if was is not None and now is None:
        yield stricter("Nobody can promote past an open review any more.")
    if was is None or now is None:
        return
    if more := set(now.roles) - set(was.roles):
        yield looser(f"Break-glass is open to {names(more)} as well.")
    if fewer := set(was.roles) - set(now.roles):
        yield stricter(f"Break-glass is closed to {names(fewer)}.")
    hours = f"Break-glass lasts {now.max_hours} instead of {was.max_hours} hours."
    yield from moved(was.max_hours, now.max_hours, hours)
    yield from moved(
        was.review_within_days,
        now.review_within_days,
        f"Break-glass is reviewed within {now.review_within_days} instead of "
        f"{was.review_within_days} working days.",
    )


def _scripts(was: PolicyRules, now: PolicyRules) -> Iterator[Step]:
    for name in sorted(was.scripts.keys() - now.scripts.keys()):
        yield looser(f"The script {name} is gone.")
    for name in sorted(now.scripts.keys() - was.scripts.keys()):
        yield stricter(f"The script {name} is new.")
    for name in sorted(was.scripts.keys() & now.scripts.keys()):
        if was.scripts[name].source != now.scripts[name].source:
            yield looser(f"The script {name} is another program; nobody can tell which is laxer.")


def _whole(was: PolicyRules, now: PolicyRules) -> Iterator[Step]:
    if was.suspend_on_breach and not now.suspend_on_breach:
        yield looser("A monitor's breach suspends no approval any more.")
    if now.suspend_on_breach and not was.suspend_on_breach:
        yield stricter("A monitor's breach suspends the approval.")
    words = f"Renewals are asked for {now.renewal_days} instead of {was.renewal_days} days ahead."
    yield from moved(-was.renewal_days, -now.renewal_days, words)
    # The longer, the stricter; without a time nothing stands against deleting at once.
    before, after = (-days if days else None for days in (was.retention_days, now.retention_days))
    words = (
        f"Retired versions are kept for {_days(now.retention_days, 'no set time')} instead of "
        f"{_days(was.retention_days, 'no set time')}."
    )
    yield from moved(before, after, words)


def _days(days: int | None, without: str = "any time") -> str:
    return without if days is None else f"{days} days"
