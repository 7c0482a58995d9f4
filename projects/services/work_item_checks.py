"""Whether a work item may stand in the database as it is; every wrong field is named."""

import math
from collections.abc import Collection

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from projects.errors import InvalidInput
from projects.models import Project, Sprint, Stakeholder, WorkItem
from projects.rules.transitions import FINISHED_ITEM_STATUSES
from projects.rules.work_item_details import Errors, read_details, size_errors
from projects.rules.work_item_kinds import FIELDS

OPEN_SPRINTS = frozenset({Sprint.Status.PLANNED, Sprint.Status.ACTIVE})
SIZES = ("points", "hours", "time_box_hours")


def check_item(row: WorkItem, *, changed: Collection[str], doing: str) -> None:
    """Read the details into place and refuse a row that breaks a rule of its kind.

    `changed` names what the caller sets, so that an old value is not held against somebody who
    changes another; `doing` is what could not be done, such as "added".

    Raises:
        InvalidInput: code `invalid_work_item`, with `errors` by field.
    """
    errors = _column_errors(row)
    if row.kind in FIELDS:
        details = row.details if isinstance(row.details, dict) else {}
        row.details, wrong = read_details(row.kind, details)
        errors.update(wrong)
        errors.update(size_errors(row.kind, {n: getattr(row, n) for n in SIZES if n in changed}))
        errors.update(_reference_errors(row, changed))
    errors.update(_relation_errors(row, changed))
    if errors:
        listed = " ".join(f"{name}: {' '.join(texts)}" for name, texts in errors.items())
        raise InvalidInput(
            f"The work item cannot be {doing}. {listed}",
            code="invalid_work_item",
            details={"errors": errors},
        )


def is_on_project(user: User, project: Project) -> bool:
    """Tell whether the person holds a role on the project today."""
    held = Stakeholder.objects.current().filter(project=project, user=user)
    return user.is_active and held.exists()


def names_on_project(project: Project) -> set[str]:
    """Return the user names of those who hold a role on the project today."""
    held = Stakeholder.objects.current().filter(project=project, user__is_active=True)
    return set(held.values_list("user__username", flat=True))


def _column_errors(row: WorkItem) -> Errors:
    # A number that is not finite is neither above nor below the least, and no JSON.
    if isinstance(row.hours, float) and not math.isfinite(row.hours):
        return {"hours": ["Write a number."]}
    try:
        row.full_clean()
    except ValidationError as error:
        return dict(error.message_dict)
    return {}


def _relation_errors(row: WorkItem, changed: Collection[str]) -> Errors:
    errors: Errors = {}
    if "sprint" in changed and (text := _against_sprint(row)):
        errors["sprint"] = [text]
    if "parent" in changed and (text := _against_parent(row)):
        errors["parent"] = [text]
    assignee = row.assignee
    if "assignee" in changed and assignee and not is_on_project(assignee, row.project):
        errors["assignee"] = [f"{assignee.username} is not on the project."]
    return errors


def _against_sprint(row: WorkItem) -> str:
    sprint = row.sprint
    if sprint is None:
        return ""
    if sprint.project_id != row.project_id:
        return "The sprint belongs to another project."
    if sprint.status not in OPEN_SPRINTS:
        return f"The sprint is {sprint.status}; nothing can be added to it."
    return ""


def _against_parent(row: WorkItem) -> str:
    parent = row.parent
    if parent is None:
        return ""
    if parent.project_id != row.project_id:
        return "The parent belongs to another project."
    if row.kind == WorkItem.Kind.EPIC:
        return "An epic has no parent."
    if parent.kind != WorkItem.Kind.EPIC:
        return f"The parent must be an epic; “{parent.title}” is a {parent.kind}."
    if parent.status in FINISHED_ITEM_STATUSES:
        return f"“{parent.title}” is {parent.status}; reopen it first."
    return ""


def _reference_errors(row: WorkItem, changed: Collection[str]) -> Errors:
    """Check the people and items that the changed details name."""
    named = [
        one for one in FIELDS[row.kind]
        if one.name in changed and one.name in row.details and one.type in {"person", "item"}
    ]  # fmt: skip
    errors: Errors = {}
    people = names_on_project(row.project) if any(one.type == "person" for one in named) else set()
    for one in named:
        value = row.details[one.name]
        if one.type == "person" and value not in people:
            errors[one.name] = [f"{value} is not on the project."]
        if one.type == "item" and not _is_hypothesis(row, value):
            errors[one.name] = [f"The project has no hypothesis with the number {value}."]
    return errors


def _is_hypothesis(row: WorkItem, number: int) -> bool:
    found = WorkItem.objects.filter(project=row.project_id, kind=WorkItem.Kind.HYPOTHESIS)
    return found.filter(pk=number).exists()
