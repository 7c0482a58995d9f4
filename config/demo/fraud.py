"""Chapter ten: card fraud, three scopes side by side, and the one that waits for its gate."""

import json
from datetime import date, timedelta
from functools import partial
from typing import Any

from django.conf import settings

from config.demo.cast import found_project
from config.demo.play import Play

SLUG = "card-fraud"
FIXTURES = settings.BASE_DIR / "fixtures"
DRAFTS = {
    "team A, who copied a blog": "card-fraud-team-a.json",
    "team B, who write a paper": "card-fraud-team-b.json",
    "the balanced third": "card-fraud.json",
}


def fraud(play: Play) -> None:
    """Import the drafts of two teams and the balanced third, and leave it in scoping."""
    play.stage.chapter("A third project: card fraud, in scoping")
    lena = play.cast["lena"]
    with play.stage.act("Project founded") as remarks:
        project = found_project(SLUG, "Card fraud", "Which card payments should be looked at?")
        play.project_id = project.pk
        remarks.append("Lena leads")
    scopes: dict[str, Any] = {}
    for whose, filename in DRAFTS.items():
        with play.stage.act(f"Scope of {whose}") as remarks:
            content = json.loads((FIXTURES / "scopes" / filename).read_text())
            body = {"project": play.project_id, "content": content}
            scopes[whose] = lena.post("/api/v1/scoping-documents/", body)
            remarks.append(play.readiness(scopes[whose]["id"]))
    for whose in list(DRAFTS)[:2]:
        place = f"/api/v1/scoping-documents/{scopes[whose]['id']}/submit/"
        play.stage.refused(
            f"Lena submits the scope of {whose}",
            partial(lena.attempt, place),
            code="scope_not_ready",
        )
    with play.stage.act("The balanced one submitted; its gate waits for signatures") as remarks:
        scope = scopes["the balanced third"]
        lena.post(f"/api/v1/scoping-documents/{scope['id']}/submit/")
        review = play.request_review("lena", "scope", "scoping_document", scope["id"])
        play.memory["fraud_review"] = review["id"]
        remarks.append(play.unmet(review))
    _discovery(play)


def _discovery(play: Play) -> None:
    """Start the sprint that may run before a scope is agreed."""
    lena, sam = play.cast["lena"], play.cast["sam"]
    today = date.today()  # noqa: DTZ011 - a sprint starts on a calendar day
    with play.stage.act("Discovery sprint, allowed before the scope is agreed") as remarks:
        sprint = lena.post(
            "/api/v1/sprints/",
            {
                "project": play.project_id,
                "name": "Fraud desk",
                "kind": "discovery",
                "goal": "See how the fraud desk works and what its data can tell.",
                "starts_on": today.isoformat(),
                "ends_on": (today + timedelta(days=7)).isoformat(),
            },
        )
        items = [
            {
                "kind": "spike",
                "title": "How long does the desk look at one alert?",
                "time_box_hours": 8,
                "details": {
                    "question": "How many alerts a day can six people look at?",
                    "method": "Sit with the desk for two shifts and count.",
                },
            },
            {"kind": "task", "title": "Ask for the payments of the last quarter", "points": 1},
        ]
        body = {"project": play.project_id, "sprint": sprint["id"], "assignee": "sam"}
        made = [lena.post("/api/v1/work-items/", {**body, **item}) for item in items]
        lena.post(f"/api/v1/sprints/{sprint['id']}/start/")
        sam.post(f"/api/v1/work-items/{made[0]['id']}/move/", {"to": "doing"})
        play.memory["fraud_sprint"] = sprint["id"]
        remarks.append(f"{len(items)} items, one being worked on")
