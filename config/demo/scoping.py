"""Chapters one and two: the people, a scope as a blog would have it, and a scope that holds."""

import json
from datetime import date, timedelta
from typing import Any

from django.conf import settings

from config.demo.cast import found_project
from config.demo.play import Play

SCOPES = settings.BASE_DIR / "fixtures" / "scopes"
SLUG = "term-deposit-calls"


def people_and_hasty_scope(play: Play) -> None:
    """Found the project and let a team that copied a blog try to submit its scope."""
    play.stage.chapter("People, a project, and a scope copied from a blog")
    with play.stage.act("Accounts and roles") as remarks:
        project = found_project(
            SLUG,
            "Term-deposit calls",
            "Which customers should the bank call about a term deposit?",
        )
        play.project_id = project.pk
        remarks.append("twelve people, Lena and Sam with two roles each")
    lena = play.cast["lena"]
    with play.stage.act("First scoping document written") as remarks:
        hasty = _write_scope(play, "term-deposit-blog.json")
        remarks.append(f"version {hasty['version']}")
    with play.stage.act("Readiness of the copied scope") as remarks:
        remarks.append(play.readiness(hasty["id"]))
    play.stage.refused(
        "Lena submits it",
        lambda: lena.attempt(f"/api/v1/scoping-documents/{hasty['id']}/submit/"),
        code="scope_not_ready",
    )
    lena.post(f"/api/v1/scoping-documents/{hasty['id']}/withdraw/")


def balanced_scope(play: Play) -> None:
    """Write a scope that holds, be refused a sprint before approval, and pass gate `scope`."""
    play.stage.chapter("A balanced scope and its gate")
    lena, bruno, rita = play.cast["lena"], play.cast["bruno"], play.cast["rita"]
    with play.stage.act("Second scoping document written") as remarks:
        scope = _write_scope(play, "term-deposit.json")
        remarks.append(play.readiness(scope["id"]))
    hasty_sprint = _plan_sprint(play, "Straight to modelling", [])
    play.stage.refused(
        "Lena starts an experiment sprint before the scope is approved",
        lambda: lena.attempt(f"/api/v1/sprints/{hasty_sprint['id']}/start/"),
        code="sprint_not_allowed",
    )
    lena.post(f"/api/v1/sprints/{hasty_sprint['id']}/cancel/")
    with play.stage.act("Scope submitted and gate “scope” opened") as remarks:
        lena.post(f"/api/v1/scoping-documents/{scope['id']}/submit/")
        review = play.request_review("lena", "scope", "scoping_document", scope["id"])
        remarks.append(play.unmet(review))
    play.refuse_signature("Lena signs the scope she wrote", "lena", review, "business_owner")
    with play.stage.act("Bruno and Rita sign") as remarks:
        play.sign("bruno", review, "business_owner", "I want this built as written.")
        decided = play.sign("rita", review, "risk_officer", "The harm is small and watched.")
        remarks.append(f"gate is {decided['status']}")
        play.expect(decided["status"] == "approved", "The scope gate did not pass.")
    document = bruno.get(f"/api/v1/scoping-documents/{scope['id']}/")
    play.expect(document["status"] == "approved", "The scoping document is not approved.")
    play.expect(
        rita.get(f"/api/v1/gate-reviews/{review['id']}/")["status"] == "approved",
        "The gate review is not approved.",
    )


def plan_sprint(play: Play, name: str, dataset_refs: list[str]) -> Any:
    """Plan a two-week experiment sprint from today."""
    return _plan_sprint(play, name, dataset_refs)


def _plan_sprint(play: Play, name: str, dataset_refs: list[str]) -> Any:
    today = date.today()  # noqa: DTZ011 - a sprint starts on a calendar day
    return play.cast["lena"].post(
        "/api/v1/sprints/",
        {
            "project": play.project_id,
            "name": name,
            "kind": "experiment",
            "goal": "Find out whether calls can be ranked well enough on later months.",
            "starts_on": today.isoformat(),
            "ends_on": (today + timedelta(days=14)).isoformat(),
            "dataset_refs": dataset_refs,
        },
    )


def _write_scope(play: Play, filename: str) -> Any:
    content = json.loads((SCOPES / filename).read_text())
    return play.cast["lena"].post(
        "/api/v1/scoping-documents/", {"project": play.project_id, "content": content}
    )
