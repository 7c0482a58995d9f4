"""The access table cell by cell: each role at each route in each state, over REST, pages and admin.

The table is `tests/access/table.txt`. A route that has no line there fails the first test.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models, transaction
from django.test import Client, RequestFactory
from django.urls import get_resolver
from django.utils import timezone
from rest_framework.test import APIClient

from governance.access import ACTIONS
from governance.models import Finding, GateReview, Promotion
from governance.services import findings
from governance.services.findings import NewFinding
from ledger.models import LedgerEntry
from projects.models import Project, ScopingDocument
from tests.access.routes import TABLE, Row, routes, table
from tests.factories import (
    CAST,
    PASSWORD,
    SprintFactory,
    UserFactory,
    WorkItemFactory,
    session_actor,
)
from tests.governance import fakes

pytestmark = [pytest.mark.django_db, pytest.mark.no_ledger_guard]
ROWS = table()
WORDS = {"project", "signed-in", "public", "read-only"}
STRANGER = "otto"
#: States in which each thing is tried; the others follow the same arrows.
STATES = {
    "review": ("open", "stale", "approved", "rejected", "withdrawn", "suspended", "expired"),
    "promotion": (
        "requested", "approved", "applied", "rejected", "withdrawn", "failed", "superseded",
        "retired",
    ),
    "finding": ("open", "resolved", "closed"),
}  # fmt: skip
BODIES: dict[str, dict[str, Any]] = {
    "gate-review-list": {
        "gate": "validation", "subject_kind": "model_version", "subject_ref": fakes.MODEL,
    },
    "evidence-list": {
        "subject_kind": "model_version", "subject_ref": fakes.MODEL, "kind": "note",
        "title": "A note", "data": {"text": "x"},
    },
    "finding-list": {
        "subject_kind": "model_version", "subject_ref": fakes.MODEL, "title": "It leaks.",
        "severity": "low", "description": "See.",
    },
    "promotion-list": {
        "model_name": "term-deposit-calls", "model_version": 1, "subject_ref": fakes.MODEL,
        "environment": "production",
    },
}  # fmt: skip
SAID = {
    "reason": "Because.", "text": "I think so.", "resolution": "Mended.",
    "title": "It leaks.", "severity": "low", "description": "See.", "environment": "production",
}  # fmt: skip


_OF_ONES_OWN_ROLE = {"delegation-list", "waiver-list"}


@dataclass
class Things:
    """One of everything that an address names."""

    project: Project
    scope: ScopingDocument
    review: GateReview
    promotion: Promotion
    finding: Finding
    others: dict[str, Any] = field(default_factory=dict)

    def of(self, thing: str) -> Any:
        return self.others.get(thing) or getattr(self, thing)

    def put(self, thing: str, state: str) -> None:
        """Let a thing be in a state, past the commands."""
        row = self.of(thing)
        changes: dict[str, Any] = {"status": state}
        if thing == "review":
            changes["decided_at"] = None if state in {"open", "stale"} else timezone.now()
        if thing == "promotion" and state in {"applied", "superseded", "retired"}:
            changes["applied_at"] = timezone.now()
        type(row)._default_manager.filter(pk=row.pk).update(**changes)
        if thing == "promotion" and state in {"failed", "approved", "applied", "superseded"}:
            self.put("review", "approved")


@pytest.fixture
def things(promotion: Promotion, approved_scope: ScopingDocument, risk_officer: User) -> Things:
    project = promotion.project
    UserFactory(username=STRANGER)
    new = NewFinding(project, "model_version", fakes.MODEL, "It drifts.", "See.", "low")
    found = findings.open_finding(new, actor=session_actor(risk_officer))
    others = {"sprint": SprintFactory(project=project), "item": WorkItemFactory(project=project)}
    return Things(project, approved_scope, promotion.review, promotion, found, others)


def rows(method: str, is_word: Callable[[str], bool], thing: str | None = None) -> list[Row]:
    return [
        row
        for row in ROWS
        if row.method == method and is_word(row.action) and (thing is None or row.thing == thing)
    ]


def address_of(row: Row, things: Things) -> str:
    """Return the route's address with the thing in the place of what it names."""
    views = dict(_names(get_resolver(), "/", ""))
    place = views[row.name]
    if row.thing == "version":
        return place.replace("<path:name>", "term-deposit-calls").replace("<int:number>", "1")
    if row.thing != "-":
        found = things.of(row.thing)
        place = place.replace("<slug:slug>", getattr(found, "slug", ""))
        place = re.sub(r"<int:pk>|\(\?P<pk>\[\^/\.\]\+\)", str(found.pk), place)
    return place


def _names(resolver: Any, prefix: str, space: str) -> Iterator[tuple[str, str]]:
    for entry in resolver.url_patterns:
        place = prefix + str(entry.pattern).lstrip("^").removesuffix("$").removesuffix("\\Z")
        if hasattr(entry, "url_patterns"):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from _names(entry, place, inner)
        elif "format" not in place:
            yield f"{space}{entry.name}", place


def undone(call: Callable[[], Any]) -> Any:
    """Return what a call answers, and undo whatever it did."""
    with transaction.atomic():
        answer = call()
        transaction.set_rollback(True)
    return answer


def caller(username: str) -> APIClient:
    client = APIClient()
    client.force_authenticate(user=User.objects.get(username=username))
    return client


def browser(username: str) -> Client:
    client = Client()
    client.force_login(
        User.objects.get(username=username), "django.contrib.auth.backends.ModelBackend"
    )
    return client


def is_allowed(row: Row, username: str) -> bool:
    return CAST.get(username) in ACTIONS[row.action] or username == row.also


# --- The table ---------------------------------------------------------------------------------


def test_every_route_has_one_line_and_every_line_a_route() -> None:
    told = Counter(row.route for row in ROWS)
    assert [route for route, times in told.items() if times > 1] == []
    missing, gone = routes() - set(told), set(told) - routes()
    assert (missing, gone) == (set(), set()), f"Write or delete lines in {TABLE}."


def test_every_action_is_one_that_there_is_and_every_other_test_is_there() -> None:
    named = {row.action for row in ROWS if not row.action.startswith("@")}
    assert named - WORDS <= set(ACTIONS)
    files = {row.action[1:] for row in ROWS if row.action.startswith("@")}
    assert {file for file in files if not Path(file).is_file()} == set()


def test_a_route_without_a_line_would_be_found() -> None:
    assert ("POST", "gate-review-sign") in routes()
    assert ("PAGE", "governance:review") in routes()
    assert ("ADMIN", "governance.promotion") in routes()


# --- REST --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("thing", ["review", "promotion", "finding"])
def test_each_command_over_rest_for_each_role_in_each_state(things: Things, thing: str) -> None:
    wrong = {}
    for row in rows("POST", lambda action: action in ACTIONS, thing):
        address = address_of(row, things)
        for state in STATES[thing]:
            for username in (*CAST, STRANGER):
                with transaction.atomic():
                    things.put(thing, state)
                    told = caller(username).post(address, SAID, format="json").status_code
                    transaction.set_rollback(True)
                if not _fits(row, state, username, told):
                    wrong[row.name, state, username] = told
    assert wrong == {}


def _fits(row: Row, state: str, username: str, told: int) -> bool:
    if username == STRANGER:
        return told == 404
    if not is_allowed(row, username):
        return told == 403
    if row.states != "*" and state not in row.open_states:
        # A rule on the person may come first; nothing may be done.
        return told in {403, 409}
    # Who did the work or asked for it may be held back by a rule, never by an illegal move.
    return told < 300 or told in {403, 422}


def test_each_creating_command_over_rest_for_each_role(things: Things) -> None:
    wrong = {}
    for row in rows("POST", lambda action: action in ACTIONS, "-"):
        body = {**_other_bodies(things), **BODIES}[row.name]
        for username in (*CAST, STRANGER):
            said = {"project": things.project.slug, **body}
            address = address_of(row, things)
            told = undone(
                lambda who=username, a=address, b=said: caller(who).post(a, b, format="json")
            ).status_code
            expected = {404} if username == STRANGER else {403}
            if username != STRANGER and is_allowed(row, username):
                # Passing a role on or waiving takes the role itself besides.
                expected = {200, 201, 422, 403} if row.name in _OF_ONES_OWN_ROLE else {201, 422}
            if told not in expected:
                wrong[row.name, username] = told
    assert wrong == {}


def _other_bodies(things: Things) -> dict[str, dict[str, Any]]:
    now = timezone.now()
    later = now + timedelta(days=9)
    return {
        "delegation-list": {
            "role": "lead", "delegate": "bruno", "reason": "Away.",
            "valid_from": now.isoformat(), "valid_to": later.isoformat(),
        },
        "waiver-list": {
            "review": things.review.pk, "requirement_key": "findings", "reason": "Known.",
            "compensating_control": "A person looks.", "role": "risk_officer",
            "expires_at": later.isoformat(), "password": PASSWORD,
        },
    }  # fmt: skip


@pytest.mark.slow
def test_what_rest_shows_of_a_project_strangers_do_not_see(things: Things) -> None:
    wrong = {}
    for row in rows("GET", lambda action: action == "project"):
        if row.thing == "-":
            continue
        address = address_of(row, things)
        told = caller(STRANGER).get(address).status_code
        if told != 404:
            wrong[row.name, STRANGER] = told
        for username in CAST:
            told = caller(username).get(address).status_code
            if told in {403, 404} or told >= 500:
                wrong[row.name, username] = told
    assert wrong == {}


# --- Pages -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_pages_show_of_a_project_strangers_do_not_see(things: Things) -> None:
    wrong = {}
    for row in rows("PAGE", lambda action: action == "project"):
        address = address_of(row, things)
        told = browser(STRANGER).get(address).status_code
        if told != 404:
            wrong[row.name, STRANGER] = told
        for username in ("lena", "axel"):
            told = browser(username).get(address, follow=True).status_code
            if told != 200:
                wrong[row.name, username] = told
    assert wrong == {}


@pytest.mark.slow
def test_a_button_does_nothing_for_whoever_lacks_the_role(things: Things) -> None:
    wrong = {}
    for row in rows("PAGE", lambda action: action in ACTIONS):
        address = address_of(row, things)
        for username in (*CAST, STRANGER):
            with transaction.atomic():
                before = _acts()
                told = browser(username).post(address, SAID).status_code
                acts = _acts() - before
                transaction.set_rollback(True)
            if not _fits_page(row, username, told, acts):
                wrong[row.name, username] = (told, acts)
    assert wrong == {}


def _fits_page(row: Row, username: str, told: int, acts: int) -> bool:
    if username == STRANGER:
        return (told, acts) == (404, 0)
    if not is_allowed(row, username) and acts:
        return False
    return told in {302, 400, 403, 409, 422}


def _acts() -> int:
    """Return how many acts are on record; a refusal is none."""
    return LedgerEntry.objects.exclude(event="attempt.denied").count()


def test_lists_are_open_to_whoever_is_signed_in_and_to_nobody_else(things: Things) -> None:
    wrong = {}
    for method in ("GET", "PAGE"):
        for row in rows(method, lambda action: action == "signed-in"):
            address = address_of(row, things)
            if "<" in address:
                continue
            told = browser(STRANGER).get(address).status_code
            unknown = Client().get(address).status_code
            if told in {401, 403, 404} or told >= 500 or unknown not in {302, 401, 405}:
                wrong[row.name] = (told, unknown)
    assert wrong == {}


# --- Admin -------------------------------------------------------------------------------------


def test_nobody_writes_records_in_the_admin_not_even_its_administrator(
    things: Things, superuser: User, rf: RequestFactory
) -> None:
    wrong = {}
    registered: dict[str, tuple[type[models.Model], Any]] = {
        model._meta.label_lower: (model, own) for model, own in admin.site._registry.items()
    }
    for row in rows("ADMIN", lambda action: action == "read-only"):
        _, own = registered[row.name]
        for user in (superuser, *User.objects.filter(username__in=[*CAST, STRANGER])):
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
