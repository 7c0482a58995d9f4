"""What the tests of governance's pages, REST resources and admin set up."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import override_settings

from governance.models import GateReview
from governance.services import reviews
from governance.services.evidence import Material, record_evidence
from governance.subjects import SubjectFacts
from projects.actors import Actor
from projects.models import Project
from tests.factories import session_actor

PIXEL = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><title>dot</title></svg>'
RESOLVERS = {
    **settings.SUBJECT_RESOLVERS,
    "model_version": "tests.governance.faces.FakeSubject",
    "dataset_version": "tests.governance.faces.FakeSubject",
}


class FakeSubject:
    """Stands for the pipeline: answers the facts that a test has put down."""

    facts: ClassVar[dict[str, SubjectFacts]] = {}

    def resolve(self, ref: str) -> SubjectFacts:
        return self.facts[ref]

    def project_of(self, ref: str) -> Project | None:
        return self.facts[ref].project


def ask_for(project: Project, actor: Actor, kind: str, ref: str, **fields: Any) -> GateReview:
    """Request the review that fits the kind of subject, with fakes in the pipeline's place."""
    gate = {"scoping_document": "scope", "dataset_version": "data", "model_version": "validation"}
    request = reviews.ReviewRequest(gate[kind], project, kind, ref, **fields)
    with fake_subjects():
        return reviews.request_review(request, actor=actor)


def fake_subjects() -> Any:
    return override_settings(SUBJECT_RESOLVERS=RESOLVERS)


def put_model(project: Project, *, author: User, number: int = 3, **changes: Any) -> str:
    """Put down the facts of a model version and return its reference."""
    ref = f"model_version:{number}"
    facts = SubjectFacts(
        label=f"term-deposit-calls v{number}",
        project=project,
        bindings={"model_files": "a" * 64, "run": "b" * 64, "dataset:train": "c" * 64},
        metrics={"test_roc_auc": 0.79, "test_lift_at_10": 3.1},
        attributes={
            "model_name": "term-deposit-calls",
            "model_number": number,
            "run_id": "0f3a9b1c2d3e4f50",
            "run_status": "FINISHED",
            "run_started_at": "2026-11-20T10:00:00+00:00",
            "commit": "71c74d3",
            "commit_dirty": False,
            "signature": True,
            "format_problem": "",
            "dataset_refs": ["dataset_version:1"],
        },
        authors={"run": frozenset({author.pk}), "registration": frozenset({author.pk})},
    )
    FakeSubject.facts[ref] = replace(facts, **changes)
    return ref


def show_evidence(project: Project, actor: Actor, ref: str) -> None:
    """Record a comparison with the champion and a plot about a model version."""
    about = Material(project, "model_version", ref, "champion_comparison", "Against v2")
    rows = [
        {"metric": "test_roc_auc", "champion": 0.77, "challenger": 0.79, "difference": 0.02},
        {"metric": "test_lift_at_10", "champion": 3.2, "challenger": 3.1, "difference": -0.1},
    ]
    plot = replace(about, kind="plot", title="Gain", content=PIXEL, media_type="image/svg+xml")
    with fake_subjects():
        record_evidence(replace(about, data={"metrics": rows}), actor=actor)
        record_evidence(plot, actor=actor)


def model_review(project: Project, *, requester: User, author: User) -> GateReview:
    """Open a validation review of a model version with evidence."""
    ref = put_model(project, author=author)
    show_evidence(project, session_actor(author), ref)
    return ask_for(project, session_actor(requester), "model_version", ref)


class _Markup(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.offences: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if "style" in names:
            self.offences.append(f"<{tag} style>")
        self.offences += [f"<{tag} {name}>" for name in names if re.match(r"on[a-z]+$", name)]
        if tag == "style":
            self.offences.append("<style>")
        is_data = names.get("type") in {"application/json", "importmap"}
        if tag == "script" and "src" not in names and not is_data:
            self.offences.append("<script> without src")


def offences_in(response: HttpResponse) -> Iterator[str]:
    """Return what a strict Content-Security-Policy would block in a page."""
    markup = _Markup()
    markup.feed(response.content.decode())
    return iter(markup.offences)
