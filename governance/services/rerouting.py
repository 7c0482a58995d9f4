"""What happens to reviews when their project takes another risk tier; see `TIER_LISTENERS`."""

from collections.abc import Sequence
from copy import copy
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils.timezone import now

from governance.models import GateReview, RequirementResult
from governance.rules.policy import TIERS
from governance.rules.quorum import role_words
from governance.rules.tiers import cover_problem, outgrown_sentence, rerouted_sentence
from governance.services import assignments, evaluating
from governance.services.binding import stored_authors, stored_subject
from governance.services.policies import rules_of
from governance.services.signers import (
    counted_sign_offs,
    roles_without_signer,
    signers_among_authors,
)
from governance.subjects import primary_key
from ledger import services as ledger
from projects.actors import Actor
from projects.lifecycle import compare_and_swap
from projects.models import Project, ScopingDocument
from projects.services.readiness import review_tier
from projects.services.scoping import assess

Status = GateReview.Status
_SCOPE = GateReview.SubjectKind.SCOPING_DOCUMENT


def reroute_reviews(project: Project, *, former: str, actor: Actor, because: str) -> None:
    """Move every undecided review of the project to its new tier, and look at its approvals.

    Sign-offs stay and count as far as the new tier lets them. Nothing is decided here: where a
    lower tier asks for nothing more, it still takes an evaluation by a person or a sign-off.

    An approval keeps its tier. Where the tier was raised and the people who signed are no longer
    enough, the approval gets an earlier end instead of a finding: it is not revoked, what rests
    on it goes on, and there are the policy's days of renewal to have it approved anew; but
    nobody has to remember it, since the schedule that ends approvals does. A finding would block
    the very gate at which the renewal is asked for, or, at a severity that blocks nothing, could
    be left lying.
    """
    for review in _rows(project, Status.OPEN, Status.STALE):
        _reroute(review, actor=actor, because=because)
    if TIERS.index(project.tier) > TIERS.index(former):
        for review in _rows(project, Status.APPROVED):
            _require_renewal(review, project.tier, actor=actor)


def _rows(project: Project, *statuses: str) -> QuerySet[GateReview]:
    # Locked in one order: whoever signs at this moment waits, and then finds the review changed.
    rows = GateReview.objects.filter(project=project, status__in=statuses).order_by("pk")
    return rows.select_for_update(of=("self",)).select_related("project", "policy_version__policy")


def _reroute(review: GateReview, *, actor: Actor, because: str) -> None:
    tier, former = _tier_of(review), str(review.tier)
    if tier == former:
        return
    gate = evaluating.rules_for(review)
    asked_before = {rule.key for rule in gate.requirements_at(former)}
    review.tier = tier
    state = evaluating.quorum_state(
        review, counted_sign_offs(review, authors=stored_authors(review))
    )
    problem = cover_problem(gate, tier)
    sentence = rerouted_sentence(former, tier, state, problem or _nobody(review))
    if review.status == Status.STALE:
        sentence = f"{review.status_reason} {sentence}".strip()
    compare_and_swap(review, expected={"status": review.status}, tier=tier, status_reason=sentence)
    if review.status == Status.OPEN:
        _ask_anew(review, asked_before)
        assignments.ask_signers(review)
    ledger.append(
        "review.rerouted",
        subject=review.ref,
        actor=actor,
        data={
            "from": former,
            "to": tier,
            "because": because,
            "covered": not problem,
            "missing_roles": list(state.missing_roles),
        },
    )


def _tier_of(review: GateReview) -> str:
    """Return the tier that the review belongs to now.

    A scope also has a say in its own, and a policy that loosens anything keeps the strictest.
    """
    if review.subject_kind == GateReview.SubjectKind.POLICY_VERSION:
        attributes = review.facts.get("attributes") or {}
        return str(attributes.get("review_tier") or review.project.tier)
    if review.subject_kind != _SCOPE:
        return str(review.project.tier)
    documents = ScopingDocument.objects.select_related("project")
    document = documents.get(pk=primary_key(review.subject_ref, "scoping_document"))
    return review_tier(review.project, assess(document).tier)


def _nobody(review: GateReview) -> str:
    """Return which roles nobody could fill at the new tier."""
    gate = evaluating.rules_for(review)
    if review.tier not in gate.sign_offs:
        return ""
    lacking = roles_without_signer(review, gate, authors=stored_authors(review))
    if not lacking:
        return ""
    names = ", ".join(role_words(role) for role in lacking)
    return (
        f"Nobody independent can sign as {names}; give somebody who did not do the work the role."
    )


def _ask_anew(review: GateReview, asked_before: set[str]) -> None:
    """Store an evaluation at the new tier, without looking at the subject again.

    What was asked before keeps its last outcome; what only the new tier asks for is judged from
    the facts that the review holds. Signing and evaluating look at the subject itself, as always.
    """
    gate = evaluating.rules_for(review)
    asked = {rule.key for rule in gate.requirements_at(review.tier)}
    rules = {rule.key for rule in gate.requirements}
    kept = [
        one
        for one in evaluating.latest_results(review)
        if _base(one.key) in asked & asked_before or _base(one.key) not in rules | {"tier"}
    ]
    present = {one.key for one in kept}
    judged = [
        one
        for one in evaluating.judge(review, stored_subject(review))
        if _base(one.key) not in asked_before and one.key not in present
    ]
    stored = evaluating.store(review, judged)
    number = stored[0].evaluation if stored else _next_number(review, kept)
    RequirementResult.objects.bulk_create(_again(one, number) for one in kept)


def _base(key: str) -> str:
    return key.partition(".")[0]


def _next_number(review: GateReview, kept: Sequence[RequirementResult]) -> int:
    return max((one.evaluation for one in kept), default=0) + 1


def _again(result: RequirementResult, number: int) -> RequirementResult:
    kept = ("key", "title", "check_name", "outcome", "message", "detail", "is_blocking")
    values = {name: getattr(result, name) for name in (*kept, "evaluated_at")}
    return RequirementResult(review_id=result.review_id, evaluation=number, **values)


def _require_renewal(review: GateReview, tier: str, *, actor: Actor) -> None:
    lacking = _outgrown(review, tier)
    if not lacking or _is_past_use(review):
        return
    days = rules_of(review.policy_version).renewal_days
    ends = _earlier(review.expires_at, now() + timedelta(days=days))
    sentence = outgrown_sentence(str(review.tier), tier, lacking, f"{ends:%Y-%m-%d}")
    was = review.expires_at
    compare_and_swap(
        review, expected={"status": Status.APPROVED}, expires_at=ends, status_reason=sentence
    )
    ledger.append(
        "review.renewal_required",
        subject=review.ref,
        actor=actor,
        data={
            "approved_at_tier": str(review.tier),
            "tier": tier,
            "lacking": list(lacking),
            "expires_at": ends.isoformat(),
            "expired_at": was.isoformat() if was else None,
        },
    )


def _outgrown(review: GateReview, tier: str) -> list[str]:
    """Return what the sign-offs of an approval lack at a graver tier; empty when they suffice."""
    gate = evaluating.rules_for(review)
    if problem := cover_problem(gate, tier):
        return [problem]
    # Never saved: it only says at which tier the question is asked.
    asked = copy(review)
    asked.tier = tier
    authors = stored_authors(review)
    against = signers_among_authors(asked, authors)
    counted = counted_sign_offs(asked, authors=authors)
    return [*against, *evaluating.quorum_state(asked, counted).sentences]


def _is_past_use(review: GateReview) -> bool:
    """Return whether the approval is over, or of a scope that a later one has replaced."""
    if review.expires_at is not None and review.expires_at <= now():
        return True
    if review.subject_kind != _SCOPE:
        return False
    pk = primary_key(review.subject_ref, "scoping_document")
    return ScopingDocument.objects.filter(pk=pk, status=ScopingDocument.Status.SUPERSEDED).exists()


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else min(one, other)
