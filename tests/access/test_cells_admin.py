"""Every form and command of the admin, for each role of the cast, a stranger and a superuser."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import models
from django.test import RequestFactory
from django.urls import reverse

from projects.models import Project
from projects.permissions import STAKEHOLDERS_GROUP
from tests.access.cells import (
    DONE,
    STRANGER,
    Answer,
    browser,
    cells,
    complaint,
    expected,
    may,
    on_page,
    undone,
    wrong_acts,
)
from tests.access.members import MEMBERS
from tests.access.routes import Row, table
from tests.access.things import Things, two_states
from tests.access.words import day
from tests.factories import UserFactory
from tests.projects.test_admin import form_of

pytestmark = [pytest.mark.django_db, pytest.mark.no_ledger_guard]
ROWS = [row for row in table() if row.method == "ADMIN"]
FORMS = [row for row in ROWS if row.action != "read-only"]


@pytest.fixture
def members(things: Things, superuser: User) -> Things:
    """Let everybody open the admin, as being given a role does; the stranger got it elsewhere."""
    group = Group.objects.get(name=STAKEHOLDERS_GROUP)
    for user in User.objects.filter(username__in=[*MEMBERS, STRANGER]):
        user.groups.add(group)
    return things


def address_of(row: Row, things: Things) -> str:
    """Return the address of a form, or of a command beside the forms."""
    name = f"admin:{row.route[1].replace('.', '_')}_{row.variant}"
    return reverse(name, args=[] if row.thing == "-" else [things.pk(row.thing)])


def typed_by_whoever_may(row: Row, things: Things) -> dict[str, Any]:
    """Return what a browser sends of a form that was opened by somebody who may fill it in."""
    if row.variant not in {"add", "change"}:
        return {"project": things.project.pk, "source": "template:forecasting"}
    username = next(name for name in MEMBERS if may(row, name))
    shown = browser(username).get(address_of(row, things))
    return {**form_of(shown), **FILLED[row.name](things, form_of(shown))}


def _a_role(things: Things, form: dict[str, Any]) -> dict[str, Any]:
    blank = f"stakeholders-{int(form['stakeholders-TOTAL_FORMS']) - 1}-"
    user = UserFactory(username="newcomer")
    typed = {"user": user.pk, "role": "operations", "valid_from": day(0)}
    return {f"{blank}{name}": value for name, value in typed.items()}


FILLED: dict[str, Callable[[Things, dict[str, Any]], dict[str, Any]]] = {
    "governance.policyversion[add]": lambda t, f: {
        "policy": t.pk("policy"), "text": f"{t.of('policy-draft').text}\n# More.\n",
    },
    "governance.policyversion[change]": lambda t, f: {"text": "schema: 1\n"},
    "projects.project[add]": lambda t, f: {"name": "Churn", "slug": "churn", "tier": "low"},
    "projects.project[change]": _a_role,
    "projects.scopingdocument[add]": lambda t, f: {
        "project": t.project.pk, "title": "Only a title",
    },
    "projects.scopingdocument[change]": lambda t, f: {"title": "In other words"},
}  # fmt: skip


@pytest.mark.slow
def test_each_form_answers_each_role_in_each_state(members: Things) -> None:
    wrong = []
    for row in FORMS:
        typed, address = typed_by_whoever_may(row, members), address_of(row, members)

        def post(state: str, username: str, row=row, typed=typed, address=address) -> Answer:
            members.put(row.thing, state)
            return on_page(address, typed, username)

        for state, username in cells(row, two_states(row), sparing=True):
            told: Answer = undone(lambda s=state, u=username, post=post: post(s, u))
            wanted = expected(row, state, username)
            is_done = told.status == DONE and told.acts > 0
            if is_done != (wanted == DONE) or (told.status != DONE and wrong_acts(row, told)):
                wrong.append(complaint(row, state, username, wanted, told))
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_a_superuser_gets_past_no_door_that_takes_a_role(members: Things) -> None:
    wrong = []
    for row in FORMS:
        if row.command.startswith("perm:"):
            continue
        typed, address = typed_by_whoever_may(row, members), address_of(row, members)
        told: Answer = undone(lambda a=address, t=typed: on_page(a, t, "admin"))
        if told.acts:
            wrong.append(complaint(row, "", "admin", 403, told))
    assert not wrong, "\n".join(wrong)


def test_nobody_writes_records_in_the_admin_not_even_its_administrator(
    project: Project, outsider: User, superuser: User, rf: RequestFactory
) -> None:
    wrong = {}
    registered: dict[str, tuple[type[models.Model], Any]] = {
        model._meta.label_lower: (model, own) for model, own in admin.site._registry.items()
    }
    for row in ROWS:
        if row.action != "read-only":
            continue
        _, own = registered[row.name]
        for user in (superuser, *User.objects.filter(username__in=[*MEMBERS, STRANGER])):
            request = rf.post("/admin/")
            request.user = user
            rights = (
                own.has_add_permission(request),
                own.has_change_permission(request),
                own.has_delete_permission(request),
            )
            if any(rights):
                wrong[row.name, user.username] = rights
    assert wrong == {}
