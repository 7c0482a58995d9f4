"""A past review judged again by a draft policy, from the facts as they were when it was decided.

What was not recorded then is `unknown` and is never guessed: a requirement that was asked in the
same words keeps the outcome that is on record, any other is judged by its check, and a check that
looks at something nobody recorded answers nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from governance.rules import requirements
from governance.rules.families import CHECKS
from governance.rules.past import (
    APPROVED,
    NOT_ASKED,
    REJECTED,
    UNDECIDED,
    UNKNOWN,
    Line,
    PastResult,
    PastReview,
    PastSignOff,
    Replayed,
)
from governance.rules.policy import GateRules, PolicyRules, RequirementRule
from governance.rules.quorum import QuorumState, Vote, judge_quorum
from governance.rules.recorded import Trace
from governance.rules.registry import NamedCheck
from governance.rules.replay_votes import Votes, votes_under
from governance.rules.separation import unmapped_here
from governance.rules.tiers import cover_problem

#: Checks whose answer also depends on the ages that a policy gives kinds of evidence.
_AGED = frozenset({"evidence_present", "evidence_passed"})


@dataclass(frozen=True, slots=True)
class Replay:
    """A draft and the version that a review was decided under, with the checks there are."""

    before: PolicyRules
    draft: PolicyRules
    checks: Mapping[str, NamedCheck] = field(default_factory=lambda: CHECKS)

    def run(self, past: PastReview) -> Replayed:
        """Judge one past review by the draft."""
        gate, former = self.draft.gates.get(past.gate), self.before.gates[past.gate]
        if gate is None:
            reason = f"The draft has no gate {past.gate}, so nobody would be asked."
            return Replayed(past, NOT_ASKED, (reason,))
        if gate.subject != past.subject_kind:
            kind = gate.subject.replace("_", " ")
            reason = f"The draft's gate {past.gate} judges a {kind}, so nobody would be asked."
            return Replayed(past, NOT_ASKED, (reason,))
        lines = self._lines(past, gate, former)
        votes = votes_under(past, gate, former)
        if problem := cover_problem(gate, past.tier):
            return Replayed(past, UNDECIDED, (problem,), lines, unknown=_unknown(lines, ()))
        return _conclude(past, gate, lines, votes)

    def _lines(self, past: PastReview, gate: GateRules, former: GateRules) -> tuple[Line, ...]:
        found = [
            line
            for rule in gate.requirements_at(past.tier)
            for line in self._requirement(past, rule, gate, former)
        ]
        kept = {rule.key for rule in former.requirements} | {"identities", "tier"}
        always = [one for one in past.results if one.rule not in kept]
        found += [_as_recorded(one, one.is_blocking, past, gate) for one in always]
        return (*found, *_identities(past, gate))

    def _requirement(
        self, past: PastReview, rule: RequirementRule, gate: GateRules, former: GateRules
    ) -> list[Line]:
        asked = {one.key: one for one in former.requirements_at(past.tier)}
        twin = next((one for one in asked.values() if self._says_the_same(one, rule)), None)
        recorded = [one for one in past.results if twin is not None and one.rule == twin.key]
        if recorded:
            renamed = [
                replace(one, key=rule.key + one.key.removeprefix(one.rule)) for one in recorded
            ]
            return [
                _as_recorded(one, one.is_blocking and rule.blocking, past, gate) for one in renamed
            ]
        return self._judge(past, rule, gate, list(asked.values()))

    def _says_the_same(self, one: RequirementRule, other: RequirementRule) -> bool:
        if (one.check, dict(one.params)) != (other.check, dict(other.params)):
            return False
        if other.blocking and not one.blocking:
            return False
        if one.check in _AGED and self.before.evidence_types != self.draft.evidence_types:
            return False
        script = one.params.get("script")
        return script is None or self.before.scripts.get(script) == self.draft.scripts.get(script)

    def _judge(
        self,
        past: PastReview,
        rule: RequirementRule,
        gate: GateRules,
        asked: Sequence[RequirementRule],
    ) -> list[Line]:
        same_check = [one for one in asked if one.check == rule.check]
        if past.context is None:
            return [_untold(rule, "Its facts are not on record.")]
        trace = Trace()
        context = replace(past.context(trace), evidence_ages=_ages(self.draft))
        judged = requirements.judge_requirement(rule, context, self.checks)
        if trace.unrecorded or (trace.absent and not same_check):
            names = ", ".join(sorted({*trace.unrecorded, *trace.absent}))
            return [_untold(rule, f"Nobody recorded then: {names.replace('_', ' ')}.")]
        if not all(self._agrees(past, one) for one in same_check):
            return [_untold(rule, "The facts on record do not give what was found then.")]
        waived = _waivable(past, gate)
        return [
            Line(
                one.key,
                one.title,
                "waived" if not one.holds and one.key in waived else one.outcome,
                _was(past, one.key),
                "judged",
                one.message,
                one.is_blocking,
            )
            for one in judged
        ]

    def _agrees(self, past: PastReview, rule: RequirementRule) -> bool:
        """Return whether the facts on record give for a rule of then what was found then."""
        if past.context is None:
            return False
        context = replace(past.context(Trace()), evidence_ages=_ages(self.before))
        judged = requirements.judge_requirement(rule, context, self.checks)
        now = {one.key: one.outcome == "pass" for one in judged}
        then = {one.key: one.outcome == "pass" for one in past.results if one.rule == rule.key}
        return now == then


def _conclude(past: PastReview, gate: GateRules, lines: tuple[Line, ...], votes: Votes) -> Replayed:
    rule = gate.quorum_at(past.tier)

    def state_of(counted: Iterable[PastSignOff]) -> QuorumState:
        cast = [Vote(one.facts.person or 0, one.facts.role, one.outcome) for one in counted]
        return judge_quorum(rule, cast, tier=past.tier)

    state = state_of(votes.sure)
    failing = [one for one in lines if one.is_blocking and one.outcome not in _FINE]
    untold = [one for one in lines if one.is_blocking and one.outcome == UNKNOWN]
    decisions = {
        _decide(state_of(counted), counted, holds=holds)
        for counted in (votes.sure, votes.all)
        for holds in ({not failing} | ({False} if untold else set()))
    }
    decision = decisions.pop() if len(decisions) == 1 else UNKNOWN
    reasons = [f"{one.title}: {one.message}" for one in failing if _says_something_new(one, past)]
    reasons += [*votes.reasons, *(state.sentences if decision != past.decision else ())]
    if decision != past.decision:
        reasons += _dropped(past, lines)
    return Replayed(
        past,
        decision,
        tuple(dict.fromkeys(reasons)),
        lines,
        state.missing_roles,
        state.missing_people,
        _unknown(lines, votes.unknown),
    )


_FINE = frozenset({*requirements.HOLDING, UNKNOWN})


def _decide(state: QuorumState, counted: Sequence[PastSignOff], *, holds: bool) -> str:
    if state.is_rejected:
        return REJECTED
    carried_alone = bool(counted) and all(one.is_carried for one in counted)
    return APPROVED if state.is_met and holds and not carried_alone else UNDECIDED


def _says_something_new(line: Line, past: PastReview) -> bool:
    return past.decision == APPROVED or line.was != line.outcome


def _dropped(past: PastReview, lines: Iterable[Line]) -> list[str]:
    """Return what failed then and is asked no more, or holds under the draft."""
    held = {one.key for one in lines if one.outcome not in _FINE and one.is_blocking}
    return [
        f"{one.title}: did not hold then and no longer stands in the way."
        for one in past.results
        if not one.holds and one.key not in held
    ]


def _identities(past: PastReview, gate: GateRules) -> list[Line]:
    if past.context is None:
        kept = [one for one in past.results if one.rule == "identities"]
        return [_as_recorded(one, one.is_blocking, past, gate) for one in kept]
    context = past.context(Trace())
    unmapped = unmapped_here(context.unmapped, gate.separation_at(past.tier))
    judged = requirements.judge_always(replace(context, unmapped=unmapped, promises=()))
    return [
        Line(
            one.key,
            one.title,
            one.outcome,
            _was(past, one.key),
            "judged",
            one.message,
            is_blocking=True,
        )
        for one in judged
    ]


def _as_recorded(one: PastResult, is_blocking: bool, past: PastReview, gate: GateRules) -> Line:  # noqa: FBT001
    outcome = one.outcome
    if outcome == "waived" and one.key not in _waivable(past, gate):
        outcome = "fail"
    elif outcome not in requirements.HOLDING and is_blocking and one.key in _waivable(past, gate):
        outcome = "waived"
    return Line(
        one.key, one.title, outcome, _was(past, one.key), "recorded", one.message, is_blocking
    )


def _waivable(past: PastReview, gate: GateRules) -> set[str]:
    """Return the waivers of then that the draft would let stand."""
    rules = {key: gate.requirement(key) for key in past.waived}
    return {key for key, rule in rules.items() if rule is not None and rule.waivable}


def _untold(rule: RequirementRule, why: str) -> Line:
    return Line(rule.key, rule.title, UNKNOWN, "", UNKNOWN, why, rule.blocking)


def _was(past: PastReview, key: str) -> str:
    return next((one.outcome for one in past.results if one.key == key), "")


def _unknown(lines: Iterable[Line], votes: Iterable[str]) -> tuple[str, ...]:
    told = [f"{one.title}: {one.message}" for one in lines if one.outcome == UNKNOWN]
    return (*told, *votes)


def _ages(policy: PolicyRules) -> dict[str, int]:
    kinds = policy.evidence_types.values()
    return {one.kind: one.max_age_days for one in kinds if one.max_age_days}
