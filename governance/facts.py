"""What governance tells the pages of a project; plugged in by `GATE_SOURCE`, `FINDING_SOURCE`."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Case, IntegerField, Value, When
from django.urls import reverse

from governance.models import Finding, GateReview, SignOff
from governance.services.evaluating import quorum_state
from governance.services.signers import eligibility
from projects.facts import FindingFact, GateFact
from projects.models import Project

_GRAVITY = ["critical", "high", "medium", "low"]


def gates_of(project: Project) -> list[GateFact]:
    """Return the project's gate reviews, oldest first; open ones say who is waited for."""
    reviews = list(GateReview.objects.filter(project=project).order_by("requested_at", "pk"))
    decisions = _decisions(review.pk for review in reviews)
    return [_fact(review, decisions[review.pk]) for review in reviews]


def findings_of(project: Project) -> list[FindingFact]:
    """Return the project's unresolved findings, gravest first."""
    gravity = Case(
        *(When(severity=name, then=Value(place)) for place, name in enumerate(_GRAVITY)),
        output_field=IntegerField(),
    )
    found = Finding.objects.filter(project=project).unresolved().order_by(gravity, "opened_at")
    return [
        FindingFact(
            one.title, str(one.severity), one.due_on, reverse("governance:finding", args=[one.pk])
        )
        for one in found
    ]


def _fact(review: GateReview, decisions: list[tuple[str, datetime]]) -> GateFact:
    is_open = review.status == GateReview.Status.OPEN
    return GateFact(
        review=review.pk,
        gate=review.gate,
        subject_kind=review.subject_kind,
        subject_ref=review.subject_ref,
        subject_label=review.subject_label,
        status=str(review.status),
        requested_at=review.requested_at,
        decided_at=review.decided_at,
        due_on=review.due_on,
        expires_at=review.expires_at,
        url=reverse("governance:review", args=[review.pk]),
        waits_for=_waits_for(review) if is_open else {},
        decisions=decisions,
    )


def _waits_for(review: GateReview) -> dict[str, list[str]]:
    missing = quorum_state(review).missing_roles
    able: dict[str, list[str]] = {role: [] for role in missing}
    for one in eligibility(review):
        if one.role in able and one.may_sign and not one.signed:
            able[one.role].append(one.user.get_full_name() or one.user.get_username())
    return able


def _decisions(reviews: Iterable[int]) -> dict[int, list[tuple[str, datetime]]]:
    found: dict[int, list[tuple[str, datetime]]] = defaultdict(list)
    rows = SignOff.objects.filter(review__in=list(reviews)).order_by("signed_at", "pk")
    for review, role, at in rows.values_list("review_id", "role", "signed_at"):
        found[review].append((role, at))
    return found
