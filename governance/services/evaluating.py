"""Judging the requirements of a review, and what is still missing for it to pass."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Max
from django.utils.timezone import now

from governance.models import (
    CheckRun,
    Condition,
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
    ApprovalFact,
    CheckContext,
    DatasetFact,
    EvidenceFact,
    FindingFact,
    PromiseFact,
    ScopeFact,
    WaiverFact,
    WorkFact,
)
from governance.rules.policy import GateRules, QuorumRule
from governance.rules.quorum import QuorumState, Vote, judge_quorum
from governance.rules.requirements import Judged
from governance.rules.separation import unmapped_here
from governance.rules.tiers import judge_cover
from governance.services.binding import SubjectNow, stored_authors
from governance.services.check_registry import checks
from governance.services.policies import gate_rules, rules_of
from governance.services.standing import UNDECIDED
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
    return rules_for(review).quorum_at(review.tier)


def gates_after(review: GateReview) -> list[str]:
    """Return the other gates of the review's policy that judge the same kind of subject."""
    gates = rules_of(review.policy_version).gates.values()
    own = [gate for gate in gates if gate.subject == review.subject_kind]
    return [gate.name for gate in own if gate.name != review.gate]


def judge(review: GateReview, subject: SubjectNow) -> list[Judged]:
    """Judge every requirement of the gate as things stand, live waivers included."""
    context, waived = context_of(review, subject)
    known = checks()
    judged = [
        one
        for rule in rules_for(review).requirements_at(review.tier)
        for one in requirements.judge_requirement(rule, context, known)
    ]
    judged += requirements.judge_always(context)
    judged += judge_cover(rules_for(review), review.tier)
    return requirements.apply_waivers(judged, waived)


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
    """Return what the sign-offs amount to; unless given, those that count as things stand.

    Of a decided review those count that decided it: who loses a role later has signed for good.
    """
    if sign_offs is None:
        sign_offs = _counting(review)
    votes = [Vote(one.signer_id, one.role, one.outcome) for one in sign_offs]
    return judge_quorum(quorum_rule(review), votes, tier=review.tier)


def _counting(review: GateReview) -> Sequence[SignOff]:
    if review.status not in UNDECIDED:
        return list(SignOff.objects.counting(review))
    from governance.services.signers import counted_sign_offs

    return counted_sign_offs(review, authors=stored_authors(review))


def standing_review(kind: str, ref: str, gate: str) -> GateReview | None:
    """Return the approval of a subject at a gate that stands now, if there is one."""
    approved = GateReview.objects.of_subject(kind, ref).filter(
        gate=gate, status=GateReview.Status.APPROVED
    )
    return approved.exclude(expires_at__lte=now()).order_by("-decided_at").first()


def context_of(review: GateReview, subject: SubjectNow) -> tuple[CheckContext, Mapping[str, str]]:
    """Return what the checks look at as things stand, and why which requirements are waived."""
    facts = subject.facts
    kind, ref = review.subject_kind, review.subject_ref
    policy, gate = rules_of(review.policy_version), rules_for(review)
    at = now()
    waivers = list(_live_waivers(kind, ref, at))
    context = CheckContext(
        now=at,
        gate=review.gate,
        subject_kind=kind,
        subject_ref=ref,
        attributes=facts.attributes,
        metrics=facts.metrics,
        bindings=subject.bindings,
        bound=review.bindings,
        bindings_digest=subject.digest,
        authors=facts.authors,
        unmapped=unmapped_here(facts.unmapped, gate.separation_at(review.tier)),
        evidence=tuple(map(_evidence_fact, Evidence.objects.of_subject(kind, ref))),
        evidence_ages={
            one.kind: one.max_age_days for one in policy.evidence_types.values() if one.max_age_days
        },
        findings=tuple(
            FindingFact(one.title, one.severity, one.status, one.ref)
            for one in Finding.objects.unresolved().filter(subject_kind=kind, subject_ref=ref)
        ),
        datasets=tuple(_datasets(facts.attributes.get("dataset_refs") or ())),
        scope=_scope(review.project),
        sprints_ended=_sprints_ended(review.project),
        approvals=_approvals(review, gate, at),
        promises=tuple(_promises(review)),
        waivers=tuple(WaiverFact(one.ref, one.requirement_key) for one in waivers),
        work=_work(review),
        **_champion(review),
    )
    own = {
        one.requirement_key: f"until {one.expires_at:%Y-%m-%d}, {one.reason}"
        for one in waivers
        if one.review_id == review.pk
    }
    return context, own


def _evidence_fact(one: Evidence) -> EvidenceFact:
    return EvidenceFact(
        one.kind, one.title, one.produced_at, one.data, one.ref, one.digest, one.produced_by_id
    )


def _approvals(review: GateReview, gate: GateRules, at: datetime) -> dict[str, ApprovalFact]:
    """Return the approvals of the subject at the gates that a requirement here asks about."""
    asked = [rule.params.get("passed") for rule in gate.requirements if rule.check == "gate_passed"]
    if not asked:
        return {}
    standing = GateReview.objects.of_subject(review.subject_kind, review.subject_ref).filter(
        gate__in=asked, status=GateReview.Status.APPROVED
    )
    newest_last = standing.exclude(expires_at__lte=at).order_by("decided_at", "pk")
    return {one.gate: ApprovalFact(one.gate, one.ref, one.bindings) for one in newest_last}


def _promises(review: GateReview) -> Iterable[PromiseFact]:
    unmet = Condition.objects.filter(
        met_at__isnull=True,
        blocks_gate=review.gate,
        sign_off__review__subject_kind=review.subject_kind,
        sign_off__review__subject_ref=review.subject_ref,
    )
    for one in unmet.select_related("sign_off__review"):
        yield PromiseFact(one.ref, one.text, one.sign_off.review.ref)


def _work(review: GateReview) -> dict[str, WorkFact]:
    """Return the newest run of each requirement that takes work."""
    return {
        one.key: WorkFact(
            one.ref, one.status, one.message, one.bindings_digest, one.params, one.result
        )
        for one in CheckRun.objects.filter(review=review).order_by("pk")
    }


def _datasets(refs: Iterable[str]) -> Iterable[DatasetFact]:
    for ref in refs:
        review = GateReview.objects.of_subject("dataset_version", ref).first()
        standing = standing_review("dataset_version", ref, "data")
        if standing is not None:
            label = standing.subject_label
            yield DatasetFact(ref, label, is_approved=True, review_ref=standing.ref)
        elif review is None:
            yield DatasetFact(ref, ref, is_approved=False, reason="no data review was requested.")
        else:
            yield DatasetFact(
                ref,
                review.subject_label,
                is_approved=False,
                reason=f"its data review is {review.status}.",
                review_ref=review.ref,
            )


def _scope(project: Project) -> ScopeFact | None:
    document = approved_scope(project)
    if document is None:
        return None
    return ScopeFact(
        str(document),
        document.snapshot or {},
        document.decided_at,
        document.ref,
        document.content_hash,
    )


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
        "champion_ref": found.review.subject_ref,
    }


def _sprints_ended(project: Project) -> int:
    return Sprint.objects.filter(project=project, status=Sprint.Status.CLOSED).count()


def _live_waivers(kind: str, ref: str, at: datetime) -> Iterable[Waiver]:
    """Return the live waivers of a subject, at whichever gate; the longest of a key comes last."""
    live = Waiver.objects.live(at).filter(review__subject_kind=kind, review__subject_ref=ref)
    return live.order_by("expires_at", "pk")
