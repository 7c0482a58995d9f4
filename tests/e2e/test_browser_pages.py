"""Every page of daily work: on a telephone, in the dark, and for people who do not see it."""

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone

from governance.models import Environment
from governance.services import findings, lineage, policies
from pipeline.models import Deployment, DriftReport, Job, ModelVersion, Monitor, RegisteredModel
from projects import content_store
from projects.services import attachments, comments
from tests import factories
from tests.factories import install_policies, session_actor
from tests.governance import faces
from tests.pipeline.conftest import MODEL, World, moment

pytestmark = pytest.mark.browser

LONG = "Gradient boosting with every column that is known before the call, tuned month by month"


@pytest.fixture
def pages(racing_db, members, project, submitted_scope, lead, data_scientist) -> dict[str, str]:
    """Rows on every page, and the pages' addresses."""
    with transaction.atomic():
        install_policies()
    review = faces.model_review(project, requester=lead, author=data_scientist)
    faces.ask_for(project, session_actor(lead), "scoping_document", submitted_scope.ref)
    _open_finding(project, review, lead)
    _record_lineage(project)
    draft = factories.write_scope(project, lead, factories.scope_content_of("term-deposit-blog"))
    return {
        "inbox": "/inbox/",
        "review": f"/reviews/{review.pk}/",
        "lineage": f"/lineage/{MODEL}/1/",
        "deployment": f"/deployments/{_deployment(project).slug}/",
        "board": f"/sprints/{_sprint(project).pk}/board/",
        "work item": f"/work-items/{_work_item(project, lead).pk}/",
        "new work item": f"/projects/{project.slug}/work-items/new/?kind=experiment",
        "notices": "/notices/",
        "scope": f"/scopes/{draft.pk}/",
        "project": f"/projects/{project.slug}/",
        "admin": "/admin/",
        "scope form": f"/admin/projects/scopingdocument/{draft.pk}/change/",
        "people": f"/admin/projects/project/{project.pk}/change/",
    }


def _open_finding(project: Any, review: Any, by: Any) -> None:
    about = ("model_version", review.subject_ref)
    new = findings.NewFinding(project, *about, "Drift of euribor3m", "It moved.", "medium")
    with faces.fake_subjects():
        findings.open_finding(new, actor=session_actor(by))


def _record_lineage(project: Any) -> None:
    chain = [
        lineage.Node("scope", "scoping_document:1", f"{MODEL} scope v1", "b" * 64),
        lineage.Node("run", "run:1", LONG),
        lineage.Node("model_version", "model_version:1", f"{MODEL} v1", "a" * 64),
        lineage.Node("predictions", "predictions:1", "Predictions of <June>"),
    ]
    nodes = [lineage.record_node(node, project=project) for node in chain]
    for source, target in itertools.pairwise(nodes):
        lineage.record_edge(source, target, "led_to")


def _sprint(project: Any) -> Any:
    sprint = factories.SprintFactory(project=project, name="Sprint 1", status="active")
    for status in ("todo", "doing", "review", "done"):
        factories.WorkItemFactory(
            project=project, sprint=sprint, kind="experiment", status=status, title=LONG
        )
    factories.WorkItemFactory(project=project, title="Waits in the backlog")
    return sprint


def _work_item(project: Any, lead: Any) -> Any:
    """Return an experiment whose time box is over, spoken about and with a file."""
    item = factories.WorkItemFactory(
        project=project, kind="experiment", status="doing", title=LONG, time_box_hours=8,
        time_box_ends_at=timezone.now() - timedelta(hours=1),
    )  # fmt: skip
    item.depends_on.add(factories.WorkItemFactory(project=project, title=LONG))
    item.watchers.add(lead)
    comments.add_comment(item, f"@lena `{LONG}` **{LONG}**", actor=session_actor(item.created_by))
    attachments.attach(item, SimpleUploadedFile(f"{LONG}.csv", b"a,b"), actor=session_actor(lead))
    return item


def _deployment(project: Any) -> Deployment:
    """Return a deployment that serves, drifts and is being retrained."""
    model = RegisteredModel.objects.create(name=MODEL, project=project)
    production = Environment.objects.get(name="production")
    world = World(project, Path(), model, production, policies.published_policy(project))
    version = ModelVersion.objects.create(
        model=model,
        number=1,
        source="models/1",
        artifact_path="models/1",
        files_digest="d" * 64,
        signature={"inputs": '[{"name": "age", "type": "long", "required": true}]'},
        registered_as="user:1",
    )
    deployment = world.deployment(version, status="serving")
    row = {"p_value": 0.0, "missing_rate": 0.0}
    DriftReport.objects.create(
        monitor=Monitor.objects.create(deployment=deployment),
        version=version,
        window_start=moment("2009-06-01"),
        window_end=moment("2009-12-01"),
        row_count=1234,
        labelled_count=1000,
        features=[
            {**row, "feature": "euribor3m", "psi": 1.4, "breached": True},
            {**row, "feature": "age", "psi": 0.02, "breached": False},
        ],
        performance={"roc_auc": 0.7123, "calibration_error": 0.0812},
        limits={"psi": 0.2, "performance": {"roc_auc": 0.6}},
        breaches=["euribor3m has drifted: its population stability index is 1.40."],
        plots=[{"title": "Drift by feature", "attachment": content_store.put(faces.PIXEL)}],
    )
    Job.objects.create(
        project=project, kind="retrain", status="running", progress=40, message="Tuning.",
        requested_as="system:monitoring",
    )  # fmt: skip
    return deployment


def nameless(window: Any) -> list[str]:
    return [f"a {role} without a name" for role, name in window.controls() if not name.strip()]


def headings(window: Any) -> list[str]:
    found = window.page.get_by_role("heading", level=1).all_inner_texts()
    return [] if len(found) == 1 and found[0].strip() else [f"h1: {found}"]


def wrong_with(window: Any, path: str) -> list[str]:
    """Return everything that is wrong with a page."""
    window.complaints.clear()
    window.open(path)
    return [*window.overflows(), *headings(window), *nameless(window), *window.troubles()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_telephone_name_their_controls_and_break_no_policy(
    window, pages, lead, business_owner, scheme
):
    lena = window(lead, width=390, scheme=scheme)
    bruno = window(business_owner, width=390, scheme=scheme)
    wrong = {name: wrong_with(lena, path) for name, path in pages.items()}
    # Bruno may sign, so his review has the form.
    wrong["review to sign"] = wrong_with(bruno, pages["review"])
    assert bruno.page.locator("#sign input[type=password]").count() == 1
    assert {name: found for name, found in wrong.items() if found} == {}


def test_pages_are_dark_in_the_dark(window, pages, lead):
    shades = {}
    for scheme in ("light", "dark"):
        lena = window(lead, scheme=scheme)
        lena.open(pages["inbox"])
        colour = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
        shades[scheme] = sum(lena.page.evaluate(colour)[:3]) / 3
    assert shades["light"] > 200
    assert shades["dark"] < 60


#: A defect by the words that must be said about it.
DEFECTS = {
    "a textbox without a name": "document.querySelector('#content').append(make('input'))",
    "h1: ": "document.querySelector('#content').append(make('h1', {textContent: 'Again'}))",
    "style-src": "document.head.append(make('style', {textContent: 'body {margin: 1px}'}))",
    "script-src": "document.head.append(make('script', {textContent: 'window.ran = true'}))",
    "error: ": "console.error('Something broke.')",
    "DIV .wide ends at": """(() => {
        const box = make('div', {className: 'wide', textContent: 'w'});
        box.style.width = '600px';
        document.querySelector('#content').append(box);
    })()""",
}


@pytest.mark.parametrize("words", DEFECTS)
def test_a_defect_would_be_seen(window, racing_db, lead, words):
    lena = window(lead, width=390)
    assert wrong_with(lena, "/inbox/") == []
    make = "const make = (tag, more) => Object.assign(document.createElement(tag), more);"
    lena.page.evaluate(f"() => {{ {make} {DEFECTS[words]}; }}")
    found = [*lena.overflows(), *headings(lena), *nameless(lena), *lena.troubles()]
    assert any(words in one for one in found), found
