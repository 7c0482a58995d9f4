"""What waits for a person: reviews to sign, own requests, findings, recent decisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from governance.models import (
    Delegation,
    Finding,
    GateReview,
    Override,
    PolicyVersion,
    ReviewAssignment,
    SignOff,
)
from governance.services.policies import rules_of
from projects.actors import Actor, person
from projects.models import Stakeholder

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: How long a decision counts as recent.
RECENT = timedelta(days=30)


@dataclass(frozen=True)
class Overview:
    """The figures of the first page."""

    waiting: int = 0
    overdue: int = 0
    open_reviews: int = 0
    open_findings: int = 0
    live_overrides: int = 0
    decided: tuple[GateReview, ...] = ()


@dataclass(frozen=True)
class Waiting:
    """The open reviews that wait for one person, and how many of them are late."""

    ids: tuple[int, ...] = ()
    overdue: int = 0


def waiting_reviews(user: "User | AnonymousUser") -> Waiting:
    """Return the open reviews that `user` may sign by role or delegation and has not signed.

    One query, so that every page can show the number. Of separation of duties only the requester is
    looked at; the review itself says who else is held back, and why.
    """
    if isinstance(user, AnonymousUser) or not user.is_active:
        return Waiting()
    signed = SignOff.objects.filter(
        review=OuterRef("pk"), signer=user, bindings_digest=OuterRef("bindings_digest")
    )
    # No policy lets a requester sign.
    others = GateReview.objects.open().exclude(requested_by=user)
    waiting = others.filter(~Exists(signed)).order_by()
    roles = Stakeholder.objects.current().filter(user=user)
    still_held = Stakeholder.objects.current().filter(
        project=OuterRef("project"), user=OuterRef("holder"), role=OuterRef("role")
    )
    passed_on = Delegation.objects.live(timezone.now()).filter(
        Exists(still_held), delegate=user, project__in=roles.values("project")
    )
    fields = ("pk", "policy_version__digest", "gate", "tier", "due_on")
    by_role = (
        waiting.filter(project__stakeholders__in=roles)
        .annotate(held=F("project__stakeholders__role"))
        .values_list(*fields, "held")
    )
    by_delegation = (
        waiting.filter(
            Q(project__delegations__gate="") | Q(project__delegations__gate=F("gate")),
            project__delegations__in=passed_on,
        )
        .annotate(held=F("project__delegations__role"))
        .values_list(*fields, "held")
    )
    found = {
        pk: due_on
        for pk, policy, gate, tier, due_on, role in by_role.union(by_delegation)
        if role in _signing_roles(policy).get((gate, tier), frozenset())
    }
    today = timezone.now().date()
    late = sum(due_on is not None and due_on < today for due_on in found.values())
    return Waiting(tuple(sorted(found)), late)


@lru_cache(maxsize=64)
def _signing_roles(policy_digest: str) -> Mapping[tuple[str, str], frozenset[str]]:
    """Return who signs at each gate and tier under a policy text, known by its digest."""
    version = PolicyVersion.objects.filter(digest=policy_digest).first()
    gates = rules_of(version).gates if version else {}
    return {
        (name, tier): frozenset(quorum.roles)
        for name, gate in gates.items()
        for tier, quorum in gate.sign_offs.items()
    }


def waiting_count(user: "User | AnonymousUser") -> int:
    """Return how many reviews wait for `user`; none for someone who is not signed in."""
    return len(waiting_reviews(user).ids)


def waiting_for(user: "User") -> QuerySet[GateReview]:
    """Return the reviews that wait for `user`: those that ask for them first, then the urgent."""
    asked = ReviewAssignment.objects.current().filter(review=OuterRef("pk"), user=user)
    return (
        _shown(GateReview.objects.filter(pk__in=waiting_reviews(user).ids))
        .annotate(is_asked=Exists(asked))
        .order_by("-is_asked", F("due_on").asc(nulls_last=True), "requested_at", "pk")
    )


def requested_by(actor: Actor) -> QuerySet[GateReview]:
    """Return the actor's own requests that are not decided yet, or were held up."""
    held_up = [GateReview.Status.OPEN, GateReview.Status.STALE, GateReview.Status.SUSPENDED]
    return _shown(GateReview.objects.visible_to(actor)).filter(
        requested_by=actor.user_id, status__in=held_up
    )


def recently_decided(actor: Actor, *, days: timedelta = RECENT) -> QuerySet[GateReview]:
    """Return what was decided lately on the actor's projects, newest first."""
    decided = GateReview.objects.visible_to(actor).filter(decided_at__gte=timezone.now() - days)
    return _shown(decided).order_by("-decided_at", "-pk")


def unresolved_findings(actor: Actor) -> QuerySet[Finding]:
    """Return the findings of the actor's projects that nobody has closed."""
    return Finding.objects.visible_to(actor).unresolved().select_related("project", "owner")


def overdue(actor: Actor) -> QuerySet[GateReview]:
    """Return the open reviews of the actor's projects whose date has passed, the latest first."""
    today = timezone.now().date()
    late = GateReview.objects.visible_to(actor).open().filter(due_on__lt=today)
    return _shown(late).order_by("due_on", "pk")


def team(actor: Actor) -> QuerySet[ReviewAssignment, Any]:
    """Return what is asked of whom on the actor's projects: one row a person and role."""
    today = timezone.now().date()
    late = Count("pk", filter=Q(review__due_on__lt=today))
    return (
        ReviewAssignment.objects.current()
        .waiting()
        .visible_to(actor)
        .order_by("role", "user__username")
        .values("role", "user__username", "user__first_name", "user__last_name")
        .annotate(reviews=Count("pk"), overdue=late, next_due=Min("review__due_on"))
    )


def _shown(reviews: QuerySet[GateReview]) -> QuerySet[GateReview]:
    return reviews.select_related("project", "requested_by", "policy_version__policy")


def overview(user: "User | AnonymousUser") -> Overview:
    """Return the figures of the first page for one person."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        return Overview()
    actor = person(user, method="session")
    return Overview(
        waiting=waiting_count(user),
        overdue=overdue(actor).count(),
        open_reviews=GateReview.objects.visible_to(actor).open().count(),
        open_findings=unresolved_findings(actor).count(),
        live_overrides=Override.objects.visible_to(actor).live(timezone.now()).count(),
        decided=tuple(recently_decided(actor)[:6]),
    )
