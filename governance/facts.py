"""What governance tells the pages of a project; plugged in by `GATE_SOURCE`, `FINDING_SOURCE`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Case, Count, IntegerField, Value, When
from django.urls import reverse
from django.utils.timezone import now

from governance.models import Finding, GateReview, SignOff, Waiver
from governance.services.evaluating import quorum_state
from governance.services.signers import eligibility
from projects.facts import FindingFact, GateFact
from projects.models import Project

_GRAVITY = ["critical", "high", "medium", "low"]


def gates_of(project: Project) -> list[GateFact]:
    """Return the project's gate reviews, oldest first; open ones say who is waited for."""
    reviews = list(GateReview.objects.filter(project=project).order_by("requested_at", "pk"))
    decisions = _decisions(review.pk for review in reviews)
    return [
        _fact(
            review,
            decisions[review.pk],
            _waits_for(review) if review.status == GateReview.Status.OPEN else {},
        )
        for review in reviews
    ]


def gates_of_all(projects: Sequence[Project]) -> dict[int, list[GateFact]]:
    """Return the gate reviews of each project, oldest first, without whom they wait for."""
    reviews = list(GateReview.objects.filter(project__in=projects).order_by("requested_at", "pk"))
    found: dict[int, list[GateFact]] = defaultdict(list)
    for review in reviews:
        found[review.project_id].append(_fact(review, [], {}))
    return found


def findings_of(project: Project) -> list[FindingFact]:
    """Return the project's unresolved findings, gravest first."""
    return findings_of_all([project])[project.pk]


def findings_of_all(projects: Sequence[Project]) -> dict[int, list[FindingFact]]:
    """Return the unresolved findings of each project, gravest first."""
    gravity = Case(
        *(When(severity=name, then=Value(place)) for place, name in enumerate(_GRAVITY)),
        output_field=IntegerField(),
    )
    found: dict[int, list[FindingFact]] = defaultdict(list)
    rows = Finding.objects.filter(project__in=projects).unresolved().order_by(gravity, "opened_at")
    for one in rows:
        url = reverse("governance:finding", args=[one.pk])
        fact = FindingFact(one.title, str(one.severity), one.due_on, url)
        found[one.project_id].append(fact)
    return found


def live_waivers_of_all(projects: Sequence[Project]) -> dict[int, int]:
    """Return how many waivers hold now on each project's reviews."""
    live = Waiver.objects.live(now()).filter(review__project__in=projects)
    counted = live.values_list("review__project").annotate(Count("pk")).order_by()
    return defaultdict(int, counted)


def _fact(
    review: GateReview,
    decisions: list[tuple[str, datetime]],
    waits_for: Mapping[str, Sequence[str]],
) -> GateFact:
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
        waits_for=waits_for,
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
