"""What waits for a person: reviews to sign, own requests, findings, recent decisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from governance.models import Delegation, Finding, GateReview, PolicyVersion, SignOff
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
    decided: tuple[GateReview, ...] = ()


def waiting_ids(user: "User") -> list[int]:
    """Return the open reviews that `user` may sign by role or delegation and has not signed.

    One query, so that every page can show the number. Separation of duties is not asked here: the
    review itself says who is held back by it, and why.
    """
    signed = SignOff.objects.filter(
        review=OuterRef("pk"), signer=user, bindings_digest=OuterRef("bindings_digest")
    )
    waiting = GateReview.objects.open().filter(~Exists(signed)).order_by()
    roles = Stakeholder.objects.current().filter(user=user)
    still_held = Stakeholder.objects.current().filter(
        project=OuterRef("project"), user=OuterRef("holder"), role=OuterRef("role")
    )
    passed_on = Delegation.objects.live(timezone.now()).filter(
        Exists(still_held), delegate=user, project__in=roles.values("project")
    )
    fields = ("pk", "policy_version__digest", "gate", "tier")
    by_role = (
        waiting.filter(project__stakeholders__in=roles)
        .annotate(held=F("project__stakeholders__role"))
        .values_list(*fields, "held")
    )
    by_delegation = (
        waiting.filter(project__delegations__in=passed_on)
        .annotate(held=F("project__delegations__role"))
        .values_list(*fields, "held")
    )
    return sorted(
        {
            pk
            for pk, policy, gate, tier, role in by_role.union(by_delegation)
            if role in _signing_roles(policy).get((gate, tier), frozenset())
        }
    )


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
    if isinstance(user, AnonymousUser) or not user.is_active:
        return 0
    return len(waiting_ids(user))


def waiting_for(user: "User") -> QuerySet[GateReview]:
    """Return the reviews of `waiting_ids`, most urgent first."""
    return (
        GateReview.objects.filter(pk__in=waiting_ids(user))
        .select_related("project", "requested_by")
        .order_by(F("due_on").asc(nulls_last=True), "requested_at", "pk")
    )


def requested_by(actor: Actor) -> QuerySet[GateReview]:
    """Return the actor's own requests that are not decided yet, or were held up."""
    held_up = [GateReview.Status.OPEN, GateReview.Status.STALE, GateReview.Status.SUSPENDED]
    return (
        GateReview.objects.visible_to(actor)
        .filter(requested_by=actor.user_id, status__in=held_up)
        .select_related("project", "requested_by")
    )


def recently_decided(actor: Actor, *, days: timedelta = RECENT) -> QuerySet[GateReview]:
    """Return what was decided lately on the actor's projects, newest first."""
    return (
        GateReview.objects.visible_to(actor)
        .filter(decided_at__gte=timezone.now() - days)
        .select_related("project", "requested_by")
        .order_by("-decided_at", "-pk")
    )


def unresolved_findings(actor: Actor) -> QuerySet[Finding]:
    """Return the findings of the actor's projects that nobody has closed."""
    return Finding.objects.visible_to(actor).unresolved().select_related("project", "owner")


def overdue(actor: Actor) -> QuerySet[GateReview]:
    """Return the open reviews of the actor's projects whose date has passed."""
    today = timezone.now().date()
    return GateReview.objects.visible_to(actor).open().filter(due_on__lt=today)


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
        decided=tuple(recently_decided(actor)[:6]),
    )
