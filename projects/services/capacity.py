"""Who has how much time in a sprint, and whether they are given more."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from ledger import services as ledger
from projects import access
from projects.actors import Actor
from projects.errors import InvalidInput, RuleViolated
from projects.lifecycle import compare_and_swap
from projects.models import Sprint, SprintCapacity, WorkItem
from projects.rules import capacity as rules
from projects.services.readiness import readiness_policy
from projects.services.sprint_facts import working_days
from projects.services.work_item_checks import OPEN_SPRINTS, is_on_project

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: The largest number that the column of points holds on every database.
MOST_POINTS = 32767


@dataclass(frozen=True, slots=True)
class PersonCapacity:
    """The time a person has for a sprint: working days, and points if they are planned."""

    person: "User"
    days: float
    points: int | None = None


@transaction.atomic
def set_capacity(
    sprint: Sprint, capacities: Sequence[PersonCapacity], *, actor: Actor
) -> list[SprintCapacity]:
    """Replace who has how much time in the sprint; whoever is left out has none stated.

    Raises:
        InvalidInput: code `invalid_capacity`, with every wrong field.
        RuleViolated: code `sprint_not_open`; the sprint is over.
        StaleState: somebody else changed the sprint or its capacity first.
    """
    access.require(actor, "sprint.set_capacity", sprint.project)
    if sprint.status not in OPEN_SPRINTS:
        raise RuleViolated(
            f"The sprint {sprint.name} is {sprint.status}; its capacity is on record.",
            code="sprint_not_open",
        )
    _check(sprint, capacities)
    compare_and_swap(sprint, expected={"status": sprint.status})
    sprint.capacities.all().delete()
    rows = SprintCapacity.objects.bulk_create(
        SprintCapacity(sprint=sprint, person=one.person, days=one.days, points=one.points)
        for one in capacities
    )
    ledger.append(
        "sprint.capacity_set",
        subject=sprint.ref,
        actor=actor,
        data={"project": sprint.project.ref, "name": sprint.name, "people": _as_data(capacities)},
    )
    return rows


def judge_capacity(sprint: Sprint) -> rules.CapacityVerdict:
    """Return what people have and are given in the sprint; dropped items weigh nothing."""
    stated = [
        rules.Capacity(_name(row.person), row.days, row.points)
        for row in sprint.capacities.select_related("person")
    ]
    items = sprint.work_items.exclude(status=WorkItem.Status.DROPPED)
    items = items.exclude(kind=WorkItem.Kind.EPIC).select_related("assignee")
    loads = [
        rules.Load(
            _name(item.assignee) if item.assignee else "",
            item.points or 0,
            float(item.hours or item.time_box_hours or 0),
        )
        for item in items
    ]
    return rules.judge(stated, loads, hours_per_day=readiness_policy().limit("hours_per_day"))


def person_days(sprint: Sprint) -> float | None:
    """Return the days that people had for the sprint as planned; None while nobody stated any."""
    days = list(sprint.capacities.values_list("days", flat=True))
    return sum(days) if days else None


def _check(sprint: Sprint, capacities: Sequence[PersonCapacity]) -> None:
    errors: dict[str, list[str]] = {}
    most = working_days(sprint.starts_on, sprint.ends_on)
    seen: set[int] = set()
    for place, one in enumerate(capacities):
        wrong = _wrong_fields(one, most)
        if one.person.pk in seen:
            wrong["person"] = f"{one.person.username} is named twice."
        elif not is_on_project(one.person, sprint.project):
            wrong["person"] = f"{one.person.username} is not on the project."
        seen.add(one.person.pk)
        errors.update({f"people.{place}.{name}": [text] for name, text in wrong.items()})
    if errors:
        listed = " ".join(f"{name}: {texts[0]}" for name, texts in errors.items())
        raise InvalidInput(
            f"The capacity cannot be set. {listed}",
            code="invalid_capacity",
            details={"errors": errors},
        )


def _wrong_fields(one: PersonCapacity, most: int) -> dict[str, str]:
    wrong = {}
    if not math.isfinite(one.days) or not 0 <= one.days <= most:
        wrong["days"] = f"The sprint has {most} working days; give between 0 and {most}."
    if one.points is not None and not 0 <= one.points <= MOST_POINTS:
        wrong["points"] = f"Give between 0 and {MOST_POINTS}."
    return wrong


def _as_data(capacities: Sequence[PersonCapacity]) -> list[dict[str, Any]]:
    # The ledger holds no fractions, so that every reader hashes the same bytes.
    return [
        {"person": f"user:{one.person.pk}", "days": f"{one.days:g}", "points": one.points or 0}
        for one in capacities
    ]


def _name(user: "User") -> str:
    return user.get_full_name() or user.get_username()
