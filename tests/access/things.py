"""The world of the table: one of everything that an address names, and the states it is put in."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Permission, User
from django.utils import timezone

from governance.models import Promotion
from governance.services import reviews
from projects.models import Project
from tests.access import governance_things, pipeline_things, project_things
from tests.access.bodies import PARTS
from tests.access.cells import GRANTED, STRANGER
from tests.access.members import OTHERS
from tests.access.routes import Row, addresses
from tests.factories import A_DAY, StakeholderFactory, UserFactory, session_actor

#: States in which each thing is tried; the others follow the same arrows.
STATES: dict[str, tuple[str, ...]] = {
    "project": ("active", "paused", "closed"),
    "approved": ("approved", "superseded"),
    "draft": ("draft", "submitted", "rejected", "withdrawn"),
    "deviation": ("proposed", "accepted", "refused"),
    "tier": ("waiting", "decided"),
    "sprint": ("planned", "active", "closed", "cancelled"),
    "behind": ("active", "closed"),
    "item": ("todo", "doing", "done", "dropped"),
    "hypothesis": ("doing", "todo", "done"),
    "spike": ("doing", "todo"),
    "promise": ("open", "closed", "dropped"),
    "review": ("open", "stale", "approved", "rejected", "withdrawn", "suspended", "expired"),
    "promotion": (
        "requested", "approved", "applied", "rejected", "withdrawn", "failed", "superseded",
        "retired",
    ),
    "finding": ("open", "resolved", "closed"),
    "condition": ("open", "met"),
    "waiver": ("live", "revoked"),
    "delegation": ("live", "revoked"),
    "override": ("requested", "active", "declined", "ended"),
    "check-run": ("queued", "running", "failed", "cancelled", "done"),
    "policy-draft": ("draft", "retired"),
    "deployment": ("serving", "stopped"),
    "job": ("queued", "running", "failed", "done"),
}  # fmt: skip
#: Things whose state is a moment that has come.
_MOMENTS = {"condition": "met_at", "waiver": "revoked_at", "delegation": "revoked_at"}


def states_of(row: Row) -> tuple[str, ...]:
    """Return every state that a row's thing is tried in."""
    return STATES.get(row.thing, ("",))


def two_states(row: Row) -> tuple[str, ...]:
    """Return a state that lets a command work and one that does not."""
    opened = [state for state in states_of(row) if row.is_open(state)]
    closed = [state for state in states_of(row) if not row.is_open(state)]
    return (*opened[:1], *closed[:1])


def _beside(thing: str, state: str, now: datetime) -> dict[str, Any]:
    """Return what the database wants beside a state."""
    if thing == "draft":
        return {"content_hash": "0" * 64, "submitted_at": now}
    if thing == "review":
        return {"decided_at": None if state in {"open", "stale"} else now}
    if thing == "promotion" and state in {"applied", "superseded", "retired"}:
        return {"applied_at": now}
    if thing == "override" and state == "active":
        second = User.objects.get(username="bruno")
        return {"confirmed_by": second, "confirmed_at": now, "expires_at": now + A_DAY}
    return {}


@dataclass
class Things:
    """One of everything that an address names."""

    project: Project
    rows: dict[str, Any] = field(default_factory=dict)

    def of(self, thing: str) -> Any:
        return self.project if thing == "project" else self.rows[thing]

    def pk(self, thing: str) -> int:
        return int(self.of(thing).pk)

    def put(self, thing: str, state: str) -> None:
        """Let a thing be in a state, past the commands."""
        if not state or thing not in STATES:
            return
        row, now = self.of(thing), timezone.now()
        is_first = state == STATES[thing][0]
        if thing == "tier":
            project_things.decide_tier(row, is_decided=not is_first)
            return
        changes = {"status": state, **_beside(thing, state, now)}
        if thing in _MOMENTS:
            changes = {_MOMENTS[thing]: None if is_first else now}
        type(row)._default_manager.filter(pk=row.pk).update(**changes)
        if thing == "promotion" and state in {"failed", "approved", "applied", "superseded"}:
            self.put("review", "approved")

    def address(self, row: Row) -> str:
        """Return the route's address with the thing in the place of what it names."""
        more = PARTS.get(row.route[1], lambda things: {})(self)
        parts = {**self._parts(row.thing), **more, "verb": row.variant}
        place = addresses()[row.route[1]]
        # A parameter is written as Django's paths do, or as a group of a regular expression.
        place = re.sub(r"\(\?P<(\w+)>[^()]*\)|<\w+:(\w+)>", lambda m: _part(m, parts), place)
        return place.replace("\\.", ".").replace("^", "")

    def _parts(self, thing: str) -> dict[str, Any]:
        if thing == "-":
            return {}
        row = self.of(thing)
        if isinstance(row, dict):
            return row
        names = ("slug", "name", "digest", "number", "seq")
        return {
            "pk": row.pk,
            "id": getattr(row, "public_id", ""),
            **{name: getattr(row, name) for name in names if hasattr(row, name)},
        }


def _part(found: re.Match[str], parts: dict[str, Any]) -> str:
    return str(parts[found[1] or found[2]])


def build(promotion: Promotion, template: Path) -> Things:
    """Build the world around a requested promotion that lacks nothing but its sign-offs."""
    UserFactory(username=STRANGER)
    _grant()
    project = promotion.project
    for username, role in OTHERS.items():
        StakeholderFactory(project=project, user=UserFactory(username=username), role=role)
    things = Things(
        project,
        {
            "promotion": promotion,
            "review": promotion.review,
            **project_things.build(project),
            **governance_things.build(promotion),
            **pipeline_things.build(project, promotion, template),
        },
    )
    # What was put on record about the version has made its review stale.
    lead = session_actor(User.objects.get(username="lena"))
    reviews.refresh_review(promotion.review, actor=lead)
    return things


def _grant() -> None:
    for permission, names in GRANTED.items():
        app, _, codename = permission.removeprefix("perm:").partition(".")
        right = Permission.objects.get(content_type__app_label=app, codename=codename)
        for user in User.objects.filter(username__in=names):
            user.user_permissions.add(right)
