"""Judging the requirements of a review, and what is still missing for it to pass."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Max
from django.utils.timezone import now

from governance.models import (
    Evidence,
    Finding,
    GateReview,
    Promotion,
    RequirementResult,
    SignOff,
    Waiver,
)
from governance.rules import requirements
from governance.rules.checks import (
    CheckContext,
    DatasetFact,
    EvidenceFact,
    FindingFact,
    ScopeFact,
)
from governance.rules.policy import GateRules, QuorumRule
from governance.rules.quorum import QuorumState, Vote, judge_quorum
from governance.rules.requirements import Judged
from governance.rules.separation import unmapped_here
from governance.services.binding import SubjectNow
from governance.services.policies import gate_rules
from projects.models import Project, Sprint
from projects.services.scoping import approved_scope

CARRIED_ALONE = (
    "Every sign-off was carried over from the version before; it takes one that was given to this "
    "version."
)


def rules_for(review: GateReview) -> GateRules:
    """Return the rules of the review's gate, in the policy version it is fixed to."""
    return gate_rules(review.policy_version, review.gate)


def quorum_rule(review: GateReview) -> QuorumRule:
    """Return whose sign-offs the review needs."""
    return rules_for(review).sign_offs[review.tier]


def judge(review: GateReview, subject: SubjectNow) -> list[Judged]:
    """Judge every requirement of the gate as things stand, live waivers included."""
    context = _context(review, subject)
    judged = [
        one
        for rule in rules_for(review).requirements_at(review.tier)
        for one in requirements.judge_requirement(rule, context)
    ]
    judged += requirements.judge_identities(context)
    return requirements.apply_waivers(judged, _live_waivers(review, context.now))


def store(review: GateReview, judged: Iterable[Judged]) -> list[RequirementResult]:
    """Store one evaluation under the next number."""
    newest = review.results.aggregate(Max("evaluation"))["evaluation__max"] or 0
    return RequirementResult.objects.bulk_create(
        RequirementResult(
            review=review,
            evaluation=newest + 1,
            key=one.key,
            title=one.title,
            check_name=one.check,
            outcome=one.outcome,
            message=one.message,
            detail=dict(one.detail),
            is_blocking=one.is_blocking,
        )
        for one in judged
    )


def latest_results(review: GateReview) -> list[RequirementResult]:
    """Return the newest evaluation in the order of the policy."""
    return list(RequirementResult.objects.filter(review=review).newest())


def unmet_requirements(review: GateReview) -> list[str]:
    """Return, in sentences, what the newest evaluation found lacking and who has not signed."""
    results = latest_results(review)
    if not results:
        lacking = ["No requirement was evaluated yet."]
    else:
        lacking = [f"{one.title}: {one.message}" for one in results if not result_holds(one)]
    state = quorum_state(review)
    fresh = is_carried_alone(SignOff.objects.counting(review)) and state.is_met
    return [*lacking, *state.sentences, *([CARRIED_ALONE] if fresh else [])]


def is_carried_alone(sign_offs: Iterable[SignOff]) -> bool:
    """Return whether every sign-off was carried over: nobody has looked at this version yet."""
    carried = [one.carried_from_id is not None for one in sign_offs]
    return bool(carried) and all(carried)


def result_holds(result: RequirementResult) -> bool:
    """Return whether a result lets the gate pass."""
    return result.outcome in requirements.HOLDING or not result.is_blocking


def quorum_state(review: GateReview, sign_offs: Sequence[SignOff] | None = None) -> QuorumState:
    """Return what the counted sign-offs amount to; all that fit the binding unless given."""
    counted = SignOff.objects.counting(review) if sign_offs is None else sign_offs
    votes = [Vote(one.signer_id, one.role, one.outcome) for one in counted]
    return judge_quorum(quorum_rule(review), votes, tier=review.tier)


def standing_review(kind: str, ref: str, gate: str) -> GateReview | None:
    """Return the approval of a subject at a gate that stands now, if there is one."""
    approved = GateReview.objects.of_subject(kind, ref).filter(
        gate=gate, status=GateReview.Status.APPROVED
    )
    return approved.exclude(expires_at__lte=now()).order_by("-decided_at").first()


def _context(review: GateReview, subject: SubjectNow) -> CheckContext:
    facts = subject.facts
    kind, ref = review.subject_kind, review.subject_ref
    return CheckContext(
        now=now(),
        gate=review.gate,
        subject_kind=kind,
        attributes=facts.attributes,
        metrics=facts.metrics,
        bindings=subject.bindings,
        bound=review.bindings,
        unmapped=unmapped_here(facts.unmapped, rules_for(review).separation_at(review.tier)),
        evidence=tuple(
            EvidenceFact(one.kind, one.title, one.produced_at, one.data)
            for one in Evidence.objects.of_subject(kind, ref)
        ),
        findings=tuple(
            FindingFact(one.title, one.severity, one.status)
            for one in Finding.objects.unresolved().filter(subject_kind=kind, subject_ref=ref)
        ),
        datasets=tuple(_datasets(facts.attributes.get("dataset_refs") or ())),
        scope=_scope(review.project),
        sprints_ended=_sprints_ended(review.project),
        **_champion(review),
    )


def _datasets(refs: Iterable[str]) -> Iterable[DatasetFact]:
    for ref in refs:
        review = GateReview.objects.of_subject("dataset_version", ref).first()
        label = review.subject_label if review else ref
        if standing_review("dataset_version", ref, "data") is not None:
            yield DatasetFact(ref, label, is_approved=True)
        elif review is None:
            yield DatasetFact(ref, label, is_approved=False, reason="no data review was requested.")
        else:
            reason = f"its data review is {review.status}."
            yield DatasetFact(ref, label, is_approved=False, reason=reason)


def _scope(project: Project) -> ScopeFact | None:
    document = approved_scope(project)
    if document is None:
        return None
    return ScopeFact(str(document), document.snapshot or {}, document.decided_at)


def _champion(review: GateReview) -> dict[str, Any]:
    """Return the other version of the same model whose place this one would take, if any.

    A version whose approval was suspended still has to be compared with: it holds the alias.
    """
    if not review.model_name or review.model_version is None:
        return {}
    standing = Promotion.objects.filter(
        model_name=review.model_name,
        status__in=[Promotion.Status.APPLIED, Promotion.Status.SUSPENDED],
        applied_at__isnull=False,
        environment__gate=review.gate,
    ).exclude(model_version=review.model_version)
    found = standing.select_related("review").order_by("-applied_at").first()
    if found is None:
        return {}
    return {
        "champion": f"{found.model_name} v{found.model_version}",
        "champion_version": found.model_version,
        "champion_metrics": found.review.facts.get("metrics") or {},
    }


def _sprints_ended(project: Project) -> int:
    return Sprint.objects.filter(project=project, status=Sprint.Status.CLOSED).count()


def _live_waivers(review: GateReview, at: datetime) -> dict[str, str]:
    live = Waiver.objects.live(at).filter(review=review)
    return {one.requirement_key: f"until {one.expires_at:%Y-%m-%d}, {one.reason}" for one in live}
