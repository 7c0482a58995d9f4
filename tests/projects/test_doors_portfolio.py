"""The portfolio and the project page through their doors."""

import re
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.models import Finding
from projects.models import Ceremony, Stakeholder
from tests import factories
from tests.factories import install_policies, session_actor
from tests.governance import faces

pytestmark = pytest.mark.django_db

A_WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def no_guards(settings):
    settings.SPRINT_GUARDS = []


@pytest.fixture
def today():
    return timezone.now().date()


@pytest.fixture
def second(project, lead):
    """A second project of Lena's that nobody has scoped."""
    other = factories.ProjectFactory(slug="claims", name="Claims", tier="high", created_by=lead)
    factories.StakeholderFactory(project=other, user=lead)
    return other


@pytest.fixture
def scope_review(submitted_scope, project, lead):
    with transaction.atomic():
        install_policies()
    return faces.ask_for(project, session_actor(lead), "scoping_document", submitted_scope.ref)


def words_of(response):
    """Return what a reader sees of a page, on one line."""
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))
    return re.sub(r" (?=[:,.])", "", text)


# --- Portfolio ----------------------------------------------------------------------------------


def test_the_portfolio_shows_phase_value_risk_and_next_date(
    approved_scope, second, lead, client_for
):
    said = words_of(client_for(lead).get("/projects/"))
    assert "2 projects" in said
    assert "Term-deposit calls" in said
    assert "Experimentation" in said
    assert "not stated" in said  # of the project that nobody has scoped
    assert re.search(r"\d\S* EUR", said)


def test_filters_and_sorting_choose_and_order(approved_scope, second, lead, client_for):
    def names(query):
        page = client_for(lead).get(f"/projects/?{query}").content.decode()
        return re.findall(r'<th scope="row"><a href="/projects/([a-z-]+)/"', page)

    assert names("phase=planning") == ["claims"]
    assert names("tier=high") == ["claims"]
    assert names("text=deposit") == ["term-deposit-calls"]
    assert names("sort=name") == ["claims", "term-deposit-calls"]
    assert names("sort=value") == ["term-deposit-calls", "claims"]
    assert names("health=trouble") == []
    assert names("phase=nonsense&sort=nonsense") == ["claims", "term-deposit-calls"]
    page = client_for(lead).get("/projects/?health=trouble")
    assert "No project fits this filter." in words_of(page)


def test_an_overdue_sprint_is_named(project, lead, client_for, today):
    factories.SprintFactory(
        project=project, name="Sprint 1", status="active",
        starts_on=today - 2 * A_WEEK, ends_on=today - A_WEEK,
    )  # fmt: skip
    said = words_of(client_for(lead).get("/projects/"))
    assert "The end of Sprint 1" in said
    assert "attention" in said


def test_a_grave_finding_is_trouble(project, lead, client_for):
    finding(project, "critical")
    assert "trouble One grave finding is open." in words_of(client_for(lead).get("/projects/"))


def finding(project, severity):
    return Finding.objects.create(
        project=project, subject_kind="model_version", subject_ref="model_version:1",
        title="Learns from the future", severity=severity, source="user:1",
    )  # fmt: skip


def test_a_reader_without_projects_is_told_what_to_do(outsider, client_for):
    assert "Ask a project's lead" in client_for(outsider).get("/projects/").content.decode()


def test_the_portfolio_takes_the_same_queries_for_one_project_and_for_five(
    approved_scope, scope_content, lead, client_for, today
):
    def crowd(project):
        factories.SprintFactory(project=project, status="active")
        factories.SprintFactory(project=project, status="planned")
        finding(project, "high")

    crowd(approved_scope.project)
    browser = client_for(lead)
    browser.get("/projects/")
    with CaptureQueriesContext(
        connection,
    ) as one:
        browser.get("/projects/")
    for number in range(4):
        project = factories.ProjectFactory(slug=f"more-{number}", created_by=lead)
        factories.StakeholderFactory(project=project, user=lead)
        factories.write_scope(project, lead, scope_content)
        crowd(project)
    with CaptureQueriesContext(connection) as five:
        page = browser.get("/projects/")
    assert "5 projects" in words_of(page)
    assert len(five) == len(one), [query["sql"] for query in five]


def test_the_picture_is_drawn_and_revalidated(approved_scope, lead, outsider, client_for):
    first = client_for(lead).get("/projects/portfolio.svg")
    assert first.content.startswith(b"<svg")
    assert b"Term-deposit calls" in first.content
    again = client_for(lead).get(
        "/projects/portfolio.svg", headers={"If-None-Match": first["ETag"]}
    )
    assert again.status_code == 304
    assert client_for(outsider).get("/projects/portfolio.svg").status_code == 404
    assert Client().get("/projects/portfolio.svg").status_code == 302


def test_rest_answers_the_portfolio_of_the_caller_only(approved_scope, second, lead, outsider, api):
    body = api(lead).get("/api/v1/portfolio/?sort=value").json()
    assert [row["slug"] for row in body] == ["term-deposit-calls", "claims"]
    assert (body[0]["phase"], body[0]["scope"]) == ("experimentation", approved_scope.pk)
    assert (body[1]["phase"], body[1]["net_benefit"], body[1]["risk"]) == ("planning", None, None)
    assert api(lead).get("/api/v1/portfolio/?phase=planning").json()[0]["slug"] == "claims"
    assert api(outsider).get("/api/v1/portfolio/").json() == []


def test_rest_refuses_a_filter_that_it_does_not_know(lead, api):
    answer = api(lead).get("/api/v1/portfolio/?phase=dreaming&sort=luck")
    assert answer.status_code == 400
    assert {"phase", "sort"} <= set(str(answer.json()).replace("'", " ").split())


# --- Project page -------------------------------------------------------------------------------


def test_the_page_names_gate_roles_with_who_may_sign(scope_review, project, lead, client_for):
    said = words_of(client_for(lead).get(f"/projects/{project.slug}/"))
    label = scope_review.subject_label
    assert f"Sign the scope review of {label} as business owner: Bruno" in said
    assert f"Sign the scope review of {label} as data owner: Dora" in said
    assert "Scoping here" in said


def test_a_role_that_nobody_may_fill_blocks(scope_review, project, lead, client_for, today):
    Stakeholder.objects.filter(project=project, role="data_owner").update(
        valid_from=today - 2 * A_WEEK, valid_to=today - A_WEEK
    )
    said = words_of(client_for(lead).get(f"/projects/{project.slug}/"))
    assert "Nobody may sign the scope review of" in said
    assert "Scoping blocked" in said


def test_findings_planned_sprints_and_refusals_block(
    approved_scope, project, lead, client_for, settings
):
    settings.SPRINT_GUARDS = ["tests.projects.test_doors_portfolio.objecting"]
    factories.SprintFactory(project=project, name="Sprint 1", status="planned")
    finding(project, "high")
    finding(project, "low")
    page = client_for(lead).get(f"/projects/{project.slug}/")
    said = words_of(page)
    assert "Sprint 1 may not start: Not today." in said
    assert said.count("Learns from the future") == 1
    assert "Experimentation blocked" in said


def objecting(sprint):
    """Object to every sprint."""
    return ["Not today."]


def test_an_old_refusal_is_overtaken_by_a_later_review(project, lead):
    from projects.services import hindrances

    def gate(review, status, ref):
        return hindrances.facts.GateFact(
            review=review, gate="scope", subject_kind="scoping_document", subject_ref=ref,
            subject_label=ref, status=status, decided_at=None, due_on=None, expires_at=None,
            requested_at=timezone.now() + timedelta(minutes=review), url="/",
        )  # fmt: skip

    refused, approved = gate(1, "rejected", "scope:1"), gate(2, "approved", "scope:2")
    assert hindrances._standing([refused, approved]) == [approved]
    assert hindrances._standing([approved, gate(3, "rejected", "scope:3")])[-1].status == "rejected"
    assert gate(1, "suspended", "scope:1").status in {
        one.status for one in hindrances._standing([gate(1, "suspended", "scope:1"), approved])
    }


def test_running_sprints_show_days_left_and_progress(
    approved_scope, project, lead, client_for, today
):
    sprint = factories.SprintFactory(
        project=project, name="Sprint 1", status="active", ends_on=today + timedelta(days=3)
    )
    factories.WorkItemFactory(project=project, sprint=sprint, status="done")
    factories.WorkItemFactory(project=project, sprint=sprint, status="doing")
    said = words_of(client_for(lead).get(f"/projects/{project.slug}/"))
    assert "Working in Sprint 1." in said
    assert "1 of 2 items, 3 days left" in said


def test_a_sprint_under_a_replaced_scope_waits_for_the_lead(project, lead, client_for):
    replaced = factories.ScopingDocumentFactory(
        project=project, version=1, status="superseded", content_hash="a" * 64,
        submitted_at=timezone.now(), snapshot={},
    )  # fmt: skip
    factories.SprintFactory(project=project, name="Sprint 1", status="active", scope=replaced)
    said = words_of(client_for(lead).get(f"/projects/{project.slug}/"))
    assert "Re-affirm or close Sprint 1: its scope was replaced: Lena (lead)" in said


def test_milestones_tell_planned_held_and_late(project, lead, scope_content, client_for, today):
    scope_content["milestones"] = [
        {"kind": "kickoff", "planned_on": str(today - A_WEEK)},
        {"kind": "post_research", "planned_on": str(today - A_WEEK)},
        {"kind": "acceptance", "planned_on": str(today + A_WEEK)},
        {"kind": "preproduction", "waived_because": "Nothing is released."},
    ]
    factories.write_scope(project, lead, scope_content)
    Ceremony.objects.create(project=project, kind="kickoff", held_on=today, recorded_by=lead)
    said = words_of(client_for(lead).get(f"/projects/{project.slug}/"))
    assert re.search(r"Planning kickoff held", said)
    assert re.search(r"Post-research discussion was planned", said)
    assert re.search(r"MVP review planned", said)
    assert re.search(r"Pre-production review left out", said)


def test_the_page_holds_no_inline_script_or_style(approved_scope, project, lead, client_for):
    for url in (f"/projects/{project.slug}/", "/projects/"):
        assert list(faces.offences_in(client_for(lead).get(url))) == []


def test_the_page_by_reader(project, outsider, auditor, client_for):
    url = f"/projects/{project.slug}/"
    assert client_for(outsider).get(url).status_code == 404
    assert client_for(auditor).get(url).status_code == 200
    assert "Write a scope" not in client_for(auditor).get(url).content.decode()


def test_the_page_does_not_ask_more_for_more_sprints(
    approved_scope, project, lead, client_for, django_assert_max_num_queries
):
    browser, url = client_for(lead), f"/projects/{project.slug}/"
    browser.get(url)
    with CaptureQueriesContext(connection) as few:
        browser.get(url)
    for number in range(6):
        factories.SprintFactory(project=project, name=f"Sprint {number}", status="closed")
        finding(project, "high")
    with django_assert_max_num_queries(len(few)):
        browser.get(url)
