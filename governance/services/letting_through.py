"""What a weaker mode lets through: always on record, and with a warning where the mode says so."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from governance.models import Environment, Finding, GateReview
from governance.services.findings import NewFinding, open_finding
from governance.services.retention import review_url
from ledger import services as ledger
from projects.actors import Actor, system
from projects.errors import NotPermitted

if TYPE_CHECKING:
    from governance.services.enforcement import AliasChange

EVENT = "registry.change_let_through"


@dataclass(frozen=True, slots=True)
class LetThrough:
    """An unapproved change that was let through; `warning` is empty where it is only observed."""

    environment: Environment
    warning: str


@transaction.atomic
def let_through(
    change: "AliasChange", environment: Environment, refusal: NotPermitted, *, actor: Actor
) -> LetThrough:
    """Record an unapproved change of an alias; in mode warn, say so and open a finding."""
    ledger.append(
        EVENT,
        subject=environment.ref,
        actor=actor,
        data={
            "change": change.target,
            "model": change.model_name,
            "mode": str(environment.mode),
            "why_not": refusal.code,
        },
    )
    if environment.mode != Environment.Mode.WARN:
        return LetThrough(environment, "")
    warning = f"Let through by mode warn of {environment.name}, unapproved. {refusal.message}"
    _open_finding_once(change, environment, warning)
    return LetThrough(environment, warning)


def _open_finding_once(change: "AliasChange", environment: Environment, warning: str) -> None:
    """Open a finding on the version; one that nobody ever reviewed has only the entry."""
    reviewed = GateReview.objects.filter(
        model_name=change.model_name, model_version=change.version
    ).select_related("project")
    review = reviewed.first()
    title = f"{change.model_name} v{change.version} stands in {environment.name} unapproved"
    if review is None or _is_told(review, title):
        return
    open_finding(
        NewFinding(
            project=review.project,
            subject_kind=review.subject_kind,
            subject_ref=review.subject_ref,
            title=title[:200],
            description=f"{warning} {review_url(review)}",
            severity=Finding.Severity.HIGH,
        ),
        actor=system("governance"),
    )


def _is_told(review: GateReview, title: str) -> bool:
    same = Finding.objects.unresolved().filter(subject_ref=review.subject_ref, title=title[:200])
    return same.exists()
