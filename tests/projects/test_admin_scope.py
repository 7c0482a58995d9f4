"""The guided form of a scope in the admin, its readiness panel, and where a draft begins."""

import re

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from ledger.models import LedgerEntry
from projects.admin.scope_help import EXAMPLES, ROW_EXAMPLES
from projects.admin.scope_rows import INLINES
from projects.models import ScopingDocument
from projects.rules.scope_layout import SECTIONS
from projects.services import scoping
from projects.services.content import CHILDREN, content_of, fields_of
from tests import factories
from tests.factories import StakeholderFactory, UserFactory, session_actor
from tests.projects.test_admin import change_url, form_of

HTMX = {"HTTP_HX_REQUEST": "true"}
START = reverse("admin:projects_scopingdocument_start")
ADD = reverse("admin:projects_scopingdocument_add")


@pytest.fixture(autouse=True)
def members(project):
    group = Group.objects.get(name="Stakeholders")
    for stakeholder in project.stakeholders.select_related("user"):
        stakeholder.user.groups.add(group)


@pytest.fixture
def draft(project, lead):
    return factories.write_scope(project, lead)


@pytest.fixture
def other(lead):
    project = factories.ProjectFactory(slug="loans", name="Loans")
    StakeholderFactory(project=project, user=lead, role="lead")
    return project


def score_in(page):
    return int(re.search(r'class="score">(\d+)<', page)[1])


def test_every_field_has_an_example_and_a_place_on_its_card():
    own = {field.name for field in fields_of(ScopingDocument)}
    assert own <= set(EXAMPLES)
    for inline in INLINES:
        fields = {field.name for field in fields_of(CHILDREN[inline.list_name][0])}
        placed = {
            name for line in inline.fields for name in ([line] if isinstance(line, str) else line)
        }
        assert placed == fields, inline.list_name
    lacking = {
        (inline.list_name, field.name)
        for inline in INLINES
        for field in fields_of(CHILDREN[inline.list_name][0])
        if field.name not in ROW_EXAMPLES[inline.list_name]
    }
    assert lacking <= {("criteria", "greater_is_better"), ("assumptions", "is_verified")}


@pytest.mark.slow
def test_fields_and_rows_stand_in_their_sections_with_their_names_as_anchors(
    draft, lead, client_for
):
    page = client_for(lead).get(change_url(draft)).content.decode()
    starts = [page.index(f'id="section-{section.key}"') for section in SECTIONS]
    assert starts == sorted(starts)
    ends = [*starts[1:], len(page)]
    for section, start, end in zip(SECTIONS, starts, ends, strict=True):
        part = page[start:end]
        assert [name for name in section.names if f'id="{name}"' not in part] == []
    targets = set(re.findall(r'href="#([a-z_-]+)"', page))
    assert targets <= set(re.findall(r'id="([a-z_-]+)"', page))


@pytest.mark.slow
def test_no_inline_script_or_style(draft, lead, client_for):
    page = client_for(lead).get(change_url(draft)).content.decode()
    assert not re.search(r"<script(?![^>]*src=)[^>]*>|\sstyle=|\son\w+=", page)


@pytest.mark.slow
def test_rows_of_every_list_are_written_by_a_member(draft, data_scientist, client_for):
    browser = client_for(data_scientist)
    data = form_of(browser.get(change_url(draft)))

    def blank(name):
        return f"{name}-{int(data[f'{name}-TOTAL_FORMS']) - 1}"

    data |= {
        f"{blank('affected_parties')}-group": "customers on the list",
        f"{blank('responsibilities')}-activity": "retirement",
        f"{blank('responsibilities')}-person": data_scientist.pk,
        f"{blank('responsibilities')}-raci": "informed",
        f"{blank('open_questions')}-question": "May the opt-out list be joined?",
        f"{blank('open_questions')}-due": "2027-01-11",
        "baselines-0-metrics": "test_roc_auc = 0.5\ntest_lift = 1",
        "criteria-0-gates": "validation, production",
    }
    answer = browser.post(change_url(draft), data)
    assert answer.status_code == 302, answer.context_data["errors"]
    content = content_of(draft)
    assert "customers on the list" in [row["group"] for row in content["affected_parties"]]
    new = {"activity": "retirement", "person": data_scientist.username, "raci": "informed"}
    assert new in content["responsibilities"]
    assert "2027-01-11" in [row["due"] for row in content["open_questions"]]
    measured = [row["metrics"] for row in content["baselines"]]
    assert {"test_roc_auc": 0.5, "test_lift": 1.0} in measured
    assert ["validation", "production"] in [row["gates"] for row in content["criteria"]]


@pytest.mark.slow
@pytest.mark.parametrize("metrics", ["test_roc_auc", "test_roc_auc = high", "a = inf", "{broken"])
def test_metrics_that_are_no_numbers_are_explained(draft, lead, client_for, metrics):
    browser = client_for(lead)
    data = form_of(browser.get(change_url(draft)))
    answer = browser.post(change_url(draft), {**data, "baselines-0-metrics": metrics})
    assert answer.status_code == 200
    assert answer.context_data["inline_admin_formsets"]
    assert LedgerEntry.objects.filter(subject=draft.ref).count() == 1


def test_what_is_typed_is_judged_and_not_saved(draft, lead, client_for):
    browser = client_for(lead)
    first = browser.get(change_url(draft))
    typed = {**form_of(first), "fallback": "", "estimates-0-DELETE": "on", "_check": "1"}
    answer = browser.post(change_url(draft), typed, **HTMX).content.decode()
    assert "<form" not in answer
    assert score_in(answer) < score_in(first.content.decode())
    assert 'href="#fallback"' in answer
    assert 'id="score-operation" hx-swap-oob="true"' in answer
    draft.refresh_from_db()
    assert draft.fallback
    assert LedgerEntry.objects.filter(subject=draft.ref).count() == 1


@pytest.mark.slow
def test_checking_without_javascript_keeps_what_was_typed(draft, lead, client_for):
    browser = client_for(lead)
    typed = {**form_of(browser.get(change_url(draft))), "title": "Typed", "_check": "Check"}
    page = browser.post(change_url(draft), typed)
    assert page.status_code == 200
    assert 'value="Typed"' in page.content.decode()
    assert "errornote" not in page.content.decode()
    draft.refresh_from_db()
    assert draft.title != "Typed"


def test_a_row_that_cannot_be_read_is_named_and_not_counted(draft, lead, client_for):
    browser = client_for(lead)
    typed = {**form_of(browser.get(change_url(draft))), "risks-0-probability": "9", "_check": "1"}
    answer = browser.post(change_url(draft), typed, **HTMX).content.decode()
    assert "Risk 1 is not counted." in answer
    assert 'href="#risks"' in answer


def test_a_new_scope_is_judged_once_its_project_is_chosen(project, lead, client_for):
    browser = client_for(lead)
    blank = browser.get(ADD)
    assert "Choose the project" in blank.content.decode()
    typed = {**form_of(blank), "project": project.pk, "title": "New", "_check": "1"}
    answer = browser.post(ADD, typed, **HTMX).content.decode()
    assert score_in(answer) < 20
    assert not ScopingDocument.objects.exists()


def test_strangers_and_readers_check_nothing(draft, outsider, business_owner, client_for):
    outsider.groups.add(Group.objects.get(name="Stakeholders"))
    typed = {"_check": "1", "read_version": "0"}
    assert client_for(outsider).post(change_url(draft), typed, **HTMX).status_code == 302
    assert client_for(business_owner).post(change_url(draft), typed, **HTMX).status_code == 403


@pytest.mark.slow
def test_an_edit_of_a_version_submitted_meanwhile_keeps_what_was_typed(draft, lead, client_for):
    browser = client_for(lead)
    typed = {**form_of(browser.get(change_url(draft))), "title": "Typed meanwhile"}
    scoping.submit_scoping_document(draft, actor=session_actor(lead))
    page = browser.post(change_url(draft), typed)
    assert page.status_code == 200
    assert "was submitted or withdrawn while you were editing" in page.content.decode()
    assert "Typed meanwhile" in page.content.decode()
    draft.refresh_from_db()
    assert (draft.status, draft.title != "Typed meanwhile") == ("submitted", True)


def test_a_refusal_while_saving_comes_back_in_the_form(draft, lead, client_for, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise scoping.StaleState("Somebody was faster.")

    browser = client_for(lead)
    typed = {**form_of(browser.get(change_url(draft))), "title": "Typed"}
    monkeypatch.setattr(scoping, "record_draft_saved", refuse)
    page = browser.post(change_url(draft), typed)
    assert page.status_code == 200
    assert "Somebody was faster." in page.content.decode()
    assert 'value="Typed"' in page.content.decode()
    draft.refresh_from_db()
    assert draft.title != "Typed"


def test_people_are_searched_among_those_on_a_project_with_the_reader(draft, lead, client_for):
    UserFactory(username="lenny", first_name="Lenny")
    url = reverse("admin:projects_scopingdocument_people")
    found = client_for(lead).get(url, {"term": "len"}).json()["results"]
    assert [person["text"] for person in found] == ["Lena (lena)"]


def test_somebody_who_left_the_project_stays_named(draft, lead, ml_engineer, client_for):
    draft.project.stakeholders.filter(user=ml_engineer).delete()
    browser = client_for(lead)
    data = form_of(browser.get(change_url(draft)))
    answer = browser.post(change_url(draft), {**data, "title": "Changed"})
    assert answer.status_code == 302, answer.context_data["errors"]
    assert "mia" in {row["owner"] for row in content_of(draft)["monitoring_plan"]}


def test_a_reader_sees_the_form_read_only(draft, business_owner, client_for):
    page = client_for(business_owner).get(change_url(draft))
    text = page.content.decode()
    assert page.status_code == 200
    assert "You may read this draft" in text
    assert 'name="title"' not in text
    assert "hx-post" not in text
    assert 'name="_continue"' not in text


def test_the_list_costs_the_same_for_many_scopes(
    project, lead, client_for, django_assert_max_num_queries
):
    for number in range(12):
        factories.ScopingDocumentFactory(project=project, version=number + 1, created_by=lead)
    browser = client_for(lead)
    with django_assert_max_num_queries(20):
        browser.get(reverse("admin:projects_scopingdocument_changelist"))


def test_a_draft_begins_from_a_template(project, lead, client_for):
    data = {"project": project.pk, "source": "template:forecasting"}
    answer = client_for(lead).post(START, data)
    draft = ScopingDocument.objects.get()
    assert answer.url == change_url(draft)
    assert draft.ml_task == "forecasting"


def test_a_draft_begins_from_a_scope_of_another_project(draft, other, lead, client_for):
    page = client_for(lead).get(START, {"source": f"scope:{draft.pk}"}).content.decode()
    assert f'value="scope:{draft.pk}" checked' in page
    client_for(lead).post(START, {"project": other.pk, "source": f"scope:{draft.pk}"})
    copy = ScopingDocument.objects.get(project=other)
    assert (copy.title, copy.status) == (draft.title, "draft")


@pytest.mark.parametrize("source", ["", "scope:999", "template:nothing", "scope:x", "nonsense"])
def test_a_source_that_is_not_there_is_refused_in_the_form(project, lead, client_for, source):
    page = client_for(lead).post(START, {"project": project.pk, "source": source})
    assert page.status_code == 200
    assert page.context_data["form"].errors["source"]
    assert not ScopingDocument.objects.exists()


def test_nobody_begins_from_or_on_what_they_may_not(draft, other, outsider, auditor, client_for):
    for user in (outsider, auditor):
        user.groups.add(Group.objects.get(name="Stakeholders"))
    assert "You may write the scope of no project" in (
        client_for(auditor).get(START).content.decode()
    )
    StakeholderFactory(project=other, user=outsider, role="lead")
    mine = {"project": other.pk, "source": f"scope:{draft.pk}"}
    assert client_for(outsider).post(START, mine).context_data["form"].errors["source"]
    theirs = {"project": draft.project.pk, "source": "template:forecasting"}
    assert client_for(outsider).post(START, theirs).context_data["form"].errors["project"]
    assert ScopingDocument.objects.count() == 1
