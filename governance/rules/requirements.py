"""How a requirement of a policy is judged by the check that it names."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from governance.rules import separation
from governance.rules.checks import CheckContext, CheckOutcome, Source, failed, missing
from governance.rules.families import CHECKS
from governance.rules.policy import RequirementRule, Vocabulary
from governance.rules.registry import NamedCheck

Checks = Mapping[str, NamedCheck]
#: Outcomes that let a gate pass. A result that is absent never does.
HOLDING = frozenset({"pass", "waived"})
#: What a check may answer; only a person waives.
_ANSWERS = frozenset({"pass", "fail", "missing", "error", "stale", "mismatch"})

#: What a policy may say where nobody brought checks of their own.
VOCABULARY = Vocabulary(checks=CHECKS, separation=frozenset(separation.SWITCHABLE))


@dataclass(frozen=True, slots=True)
class Judged:
    """One result of one requirement, ready to be stored."""

    key: str
    title: str
    check: str
    outcome: str
    message: str
    is_blocking: bool
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return self.outcome in HOLDING or not self.is_blocking


def judge_requirement(
    rule: RequirementRule, context: CheckContext, checks: Checks = CHECKS
) -> list[Judged]:
    """Judge one requirement; a check that breaks or is gone yields `error`, nothing `missing`."""
    named = checks.get(rule.check)
    version = named.full_version if named else "not installed"
    return [_judged(rule, one, version, context) for one in _answers(rule, named, context)]


def judge_always(context: CheckContext) -> list[Judged]:
    """Judge what holds at every gate: known hands, and no promise that stands before it."""
    return [*_identities(context), *_promises(context)]


def _identities(context: CheckContext) -> list[Judged]:
    blocker = separation.unmapped_blocker(context.unmapped)
    if not blocker:
        return []
    rule = RequirementRule("identities", "identities_mapped", "Everybody who did the work is known")
    outcome = failed(blocker, context.subject, unmapped=list(context.unmapped))
    return [_judged(rule, outcome, "", context)]


def _promises(context: CheckContext) -> list[Judged]:
    if not context.promises:
        return []
    rule = RequirementRule("promises", "conditions_met", "What earlier sign-offs asked for is met")
    texts = "; ".join(one.text for one in context.promises)
    outcome = failed(
        f"Not met, and this gate waits for it: {texts}.",
        *(Source(one.ref, label=one.text[:80]) for one in context.promises),
        *(Source(ref) for ref in sorted({one.review_ref for one in context.promises})),
        value=len(context.promises),
        operator="=",
        threshold=0,
    )
    return [_judged(rule, outcome, "", context)]


def apply_waivers(judged: Sequence[Judged], waived: Mapping[str, str]) -> list[Judged]:
    """Turn every result that does not hold and has a live waiver into `waived`."""
    return [
        one if one.holds or one.key not in waived else _waived(one, waived[one.key])
        for one in judged
    ]


def _waived(one: Judged, waiver: str) -> Judged:
    return replace(
        one,
        outcome="waived",
        message=f"Waived ({waiver}). Without the waiver: {one.message}",
        detail={**one.detail, "waiver": waiver, "outcome_without": one.outcome},
    )


def _answers(
    rule: RequirementRule, named: NamedCheck | None, context: CheckContext
) -> list[CheckOutcome]:
    if named is None:
        return [_error(f"There is no check {rule.check}; install the package that brings it.")]
    try:
        problems = [f"{name or 'params'} {words}" for name, words in named.problems(rule.params)]
        if problems:
            said = "; ".join(problems)
            return [_error(f"The check {rule.check} cannot use its parameters: {said}.")]
        answer = named.run(rule.params, replace(context, key=rule.key))
        outcomes = [answer] if isinstance(answer, CheckOutcome) else list(answer)
        for outcome in outcomes:
            _require_sound(outcome)
    except Exception as error:  # noqa: BLE001 - a broken check must block, not escape
        return [_error(f"The check {rule.check} broke: {type(error).__name__}: {error}.")]
    return outcomes or [missing("There was nothing to judge, and nothing is never enough.")]


def _require_sound(outcome: CheckOutcome) -> None:
    """Refuse an answer that a check may not give, or that could not be stored."""
    if outcome.outcome not in _ANSWERS:
        raise ValueError(f"it answered {outcome.outcome!r}")
    json.dumps(dict(outcome.compared), allow_nan=False)


def _error(message: str) -> CheckOutcome:
    return CheckOutcome("error", f"{message} This blocks the gate until it is repaired.")


def _judged(
    rule: RequirementRule, outcome: CheckOutcome, version: str, context: CheckContext
) -> Judged:
    key = f"{rule.key}.{outcome.part}" if outcome.part else rule.key
    return Judged(
        key=key[:100],
        title=(outcome.title or rule.title)[:300],
        check=rule.check,
        outcome=outcome.outcome,
        message=outcome.message,
        is_blocking=rule.blocking and outcome.is_blocking,
        detail={
            "compared": dict(outcome.compared),
            "source": [asdict(one) for one in outcome.source if one.ref],
            "check_version": version,
            "evaluated_at": context.now.isoformat(),
        },
    )
