"""Commands on projects and the people on them."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger import services as ledger
from projects import access
from projects.actors import Actor
from projects.errors import InvalidInput, NotPermitted, RuleViolated
from projects.models import Project, Stakeholder
from projects.permissions import STAKEHOLDERS_GROUP

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True, slots=True)
class RoleTerms:
    """From when to when a role is held, today on by default, and to whom its holder answers.

    Without a reporting line the one on record stays.
    """

    valid_from: date | None = None
    valid_to: date | None = None
    reporting_line: str | None = None


@transaction.atomic
def create_project(
    *, actor: Actor, slug: str, name: str, summary: str = "", tier: str = Project.Tier.MEDIUM
) -> Project:
    """Create a project and make its creator the lead.

    Raises:
        NotPermitted: the actor is no person with the permission to add projects.
        InvalidInput: a field is wrong or the slug is taken.
    """
    user = actor.user
    if user is None or not user.has_perm("projects.add_project"):
        raise NotPermitted(
            f"{actor.name} may not create projects; an administrator can grant it.",
            code="may_not_create_projects",
        )
    project = Project(slug=slug, name=name, summary=summary, tier=tier, created_by=user)
    _save_clean(project)
    ledger.append(
        "project.created",
        subject=project.ref,
        actor=actor,
        data={"slug": slug, "name": name, "tier": tier},
    )
    _assign(project, user, Stakeholder.Role.LEAD, RoleTerms(), actor=actor)
    return project


@transaction.atomic
def assign_role(
    project: Project,
    *,
    actor: Actor,
    user: "User",
    role: str,
    terms: RoleTerms | None = None,
) -> Stakeholder:
    """Give a person a role on the project, or change the terms of one they hold.

    The person becomes staff and joins the group of stakeholders, so that they can open the admin.

    Raises:
        NotPermitted: the actor is not the lead, or would raise their own rights.
        InvalidInput: there is no such role, or the dates are in the wrong order.
    """
    access.require(actor, "stakeholder.assign", project)
    if actor.user_id == user.pk:
        raise NotPermitted(
            "Nobody gives a role to themselves; ask another lead of the project.",
            code="own_role",
        )
    return _assign(project, user, role, terms or RoleTerms(), actor=actor)


@transaction.atomic
def end_role(stakeholder: Stakeholder, *, actor: Actor, on: date) -> Stakeholder:
    """End a role; `on` is the last day on which it counts.

    Raises:
        RuleViolated: code `last_lead`; the project would be left without a lead.
        InvalidInput: the day lies before the role's first day.
    """
    project = stakeholder.project
    access.require(actor, "stakeholder.end", project)
    if on < stakeholder.valid_from:
        raise InvalidInput(
            f"The role began on {stakeholder.valid_from}; it cannot end before, on {on}.",
            code="ends_before_start",
        )
    _keep_one_lead(stakeholder)
    stakeholder.valid_to = on
    stakeholder.save(update_fields=["valid_to"])
    _record("stakeholder.ended", stakeholder, actor=actor)
    return stakeholder


def _assign(
    project: Project, user: "User", role: str, terms: RoleTerms, *, actor: Actor
) -> Stakeholder:
    held = Stakeholder.objects.filter(project=project, user=user, role=role).first()
    stakeholder = held or Stakeholder(project=project, user=user, role=role)
    stakeholder.valid_from = terms.valid_from or _today()
    stakeholder.valid_to = terms.valid_to
    if terms.reporting_line is not None:
        stakeholder.reporting_line = terms.reporting_line.strip()
    _save_clean(stakeholder)
    _open_admin_to(user)
    _record("stakeholder.assigned", stakeholder, actor=actor)
    return stakeholder


def _keep_one_lead(stakeholder: Stakeholder) -> None:
    if stakeholder.role != Stakeholder.Role.LEAD:
        return
    others = Stakeholder.objects.current().filter(
        project=stakeholder.project, role=Stakeholder.Role.LEAD, valid_to__isnull=True
    )
    if not others.exclude(pk=stakeholder.pk).exists():
        raise RuleViolated(
            "The project needs a lead; name another one first.",
            code="last_lead",
            reasons=["No other lead without an end date."],
        )


def _open_admin_to(user: "User") -> None:
    if not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
    group, _ = Group.objects.get_or_create(name=STAKEHOLDERS_GROUP)
    user.groups.add(group)


def _record(event: str, stakeholder: Stakeholder, *, actor: Actor) -> None:
    ledger.append(
        event,
        subject=stakeholder.project.ref,
        actor=actor,
        data={
            "user": f"user:{stakeholder.user_id}",
            "role": str(stakeholder.role),
            "valid_from": stakeholder.valid_from.isoformat(),
            "valid_to": stakeholder.valid_to.isoformat() if stakeholder.valid_to else "",
            "reporting_line": stakeholder.reporting_line,
        },
    )


def _save_clean(row: Project | Stakeholder) -> None:
    try:
        row.full_clean()
        with transaction.atomic():
            row.save()
    except ValidationError as error:
        raise InvalidInput(
            " ".join(f"{field}: {' '.join(texts)}" for field, texts in _texts(error).items()),
            code="invalid_input",
            details={"errors": _texts(error)},
        ) from error
    except IntegrityError as error:
        raise InvalidInput("Somebody else has just taken that name.", code="taken") from error


def _texts(error: ValidationError) -> dict[str, list[str]]:
    return error.message_dict


def _today() -> date:
    return timezone.now().date()
