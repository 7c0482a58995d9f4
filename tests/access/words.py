"""Pieces of what is said at the doors: days, files, people, passwords."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from governance.models import GateReview
from tests.access.governance_things import SECOND
from tests.access.members import MEMBERS
from tests.factories import (
    PASSWORD,
    page_token_for,
    scope_content_of,
    session_actor,
)

if TYPE_CHECKING:
    from tests.access.things import Things

Body = dict[str, Any]
#: What a route is told that has no body of its own.
SAID: Body = {
    "reason": "Because.", "text": "I think so.", "resolution": "Mended.", "note": "Done.",
    "title": "It leaks.", "severity": "medium", "description": "See.", "environment": "production",
}  # fmt: skip


def day(number: int) -> str:
    return (timezone.now().date() + timedelta(days=number)).isoformat()


def file(name: str, content: bytes, kind: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, kind)


def text_file() -> SimpleUploadedFile:
    return file("notes.txt", b"What was said.", "text/plain")


def scope_file() -> SimpleUploadedFile:
    content = json.dumps(scope_content_of()).encode()
    return file("scope.json", content, "application/json")


def backlog_file() -> SimpleUploadedFile:
    return file("backlog.csv", b"title,kind\nRead it,task\n", "text/csv")


def policy_text(things: "Things") -> str:
    return f"{things.of('policy-draft').text}\n# Another remark.\n"


def meeting(things: "Things", username: str) -> Body:
    return {
        "project": things.project.pk, "sprint": things.pk("sprint"), "kind": "review",
        "held_on": day(0), "attendees": ["lena", "bruno"], "decider": "bruno", "decision": "go",
        "notes": "Shown.", "output": {"shown": "The ranked list."},
        "demo_dataset": "Calls of November 2010",
        "feedback": [{"sentiment": "positive", "text": "Good.", "said_by": "Bruno"}],
    }  # fmt: skip


def override(username: str) -> Body:
    role = {"bruno": "business_owner", "rita": "risk_officer"}.get(username, "ml_engineer")
    return {
        "incident": "INC-7", "reason": "It burns.", "hours": 24, "role": role,
        "password": PASSWORD,
    }  # fmt: skip


def waiver(username: str) -> Body:
    own = {"bruno": "business_owner", "egon": "executive"}
    role = own.get(username, "risk_officer")
    return {
        "requirement_key": "findings", "reason": "Known.", "compensating_control": "A person.",
        "role": role, "password": PASSWORD,
    }  # fmt: skip


def model(things: "Things") -> Body:
    return {
        "subject_kind": "model_version", "subject_ref": SECOND, "project": things.project.slug,
    }  # fmt: skip


def stand_in(username: str) -> str:
    """Return somebody who does not hold the same role."""
    return "cara" if username == "olga" else "nina"


def number_of(username: str) -> int:
    return User.objects.get(username=username).pk


def signature(things: "Things", username: str) -> Body:
    """Return a signature in one's own role, on the page that shows what is signed."""
    user, review = (
        User.objects.get(username=username),
        GateReview.objects.get(pk=things.pk("review")),
    )
    role = MEMBERS.get(username, "lead")
    return {
        "role": role, "outcome": "approved", "meaning": "I approve it.", "password": PASSWORD,
        "bindings_digest": review.bindings_digest,
        "page_token": page_token_for(review, role, "approved", actor=session_actor(user)),
    }  # fmt: skip


def held(things: "Things") -> Body:
    return {"held_on": day(0), "attendees": ["lena", "bruno"], "notes": "Shown."}


def later(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).isoformat()
