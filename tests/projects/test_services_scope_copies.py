"""Where a draft begins: versions, scopes of other projects, templates."""

import pytest

from ledger.models import LedgerEntry
from projects.errors import NotFound, NotPermitted
from projects.models import ScopingDocument
from projects.rules.scope_copying import PEOPLE, portable
from projects.services import scope_copies, scoping
from projects.services.content import CHILDREN, content_of, fields_of
from tests import factories
from tests.factories import StakeholderFactory, session_actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(project, lead):
    content = factories.scope_content_of()
    content["assumptions"] = [
        {"statement": "The list can be sorted.", "is_verified": True, "owner": "mia",
         "spike": "work_item:1"},
    ]  # fmt: skip
    content["responsibilities"] = [
        {"activity": "scope", "person": "bruno", "raci": "accountable"},
        {"activity": "scope", "person": "lena", "raci": "responsible"},
    ]
    content["tier_override"] = "low"
    return factories.write_scope(project, lead, content)


@pytest.fixture
def target(lead):
    """Another project on which only Lena is."""
    other = factories.ProjectFactory(slug="loans", name="Loans")
    StakeholderFactory(project=other, user=lead, role="lead")
    return other


def copies_recorded():
    return LedgerEntry.objects.filter(event="scope.copied").count()


def test_a_copy_within_the_project_takes_everything_over(source, lead):
    copy = scope_copies.start_from(source.project, source, actor=session_actor(lead))
    assert content_of(copy) == content_of(source)
    assert (copy.version, copy.parent, copy.status) == (2, source, "draft")
    entry = LedgerEntry.objects.get(event="scope.copied")
    assert entry.subject == copy.ref


def test_a_copy_on_another_project_leaves_people_dates_and_results_behind(source, target, lead):
    copy = scope_copies.start_from(target, source, actor=session_actor(lead))
    content, before = content_of(copy), content_of(source)
    assert content["problem_statement"] == before["problem_statement"]
    assert [row["key"] for row in content["criteria"]] == [row["key"] for row in before["criteria"]]
    named = {row[key] for name, keys in PEOPLE.items() if name
             for row in content[name] for key in keys}  # fmt: skip
    assert named <= {"lena", None}
    assert [row["person"] for row in content["responsibilities"]] == ["lena"]
    assert not any(row["metrics"] for row in content["baselines"])
    assert {row["reproduced"] for row in content["prior_art"]} == {"no"}
    assert {row["access"] for row in content["data_sources"]} == {"none"}
    assert (content["tier_override"], content["experts_interviewed"]) == ("", 0)
    kills = [row for row in content["criteria"] if row["level"] == "kill"]
    assert [(row["by_date"], row["by_sprint"]) for row in kills] == [(None, 1)] * len(kills)
    assert content["assumptions"][0]["is_verified"] is False
    assert copy.parent is None


@pytest.mark.parametrize(
    ("on_source", "on_target", "error"),
    [(None, "lead", NotFound), ("lead", None, NotFound), ("lead", "auditor", NotPermitted)],
)
def test_a_copy_takes_a_role_on_both_projects(source, outsider, on_source, on_target, error):
    other = factories.ProjectFactory()
    for project, role in ((source.project, on_source), (other, on_target)):
        if role:
            StakeholderFactory(project=project, user=outsider, role=role)
    before = ScopingDocument.objects.count()
    with pytest.raises(error):
        scope_copies.start_from(other, source, actor=session_actor(outsider))
    assert ScopingDocument.objects.count() == before
    assert copies_recorded() == 0


def test_the_copied_scope_is_not_changed(source, target, lead):
    before = content_of(source)
    scope_copies.start_from(target, source, actor=session_actor(lead))
    assert content_of(source) == before


def test_every_field_that_holds_a_person_is_known_to_the_copy():
    held = {
        name: {field.name for field in fields_of(model) if field.is_relation}
        for name, (model, _) in [*CHILDREN.items(), ("", (ScopingDocument, ""))]
    }
    assert {name: set(keys) for name, keys in PEOPLE.items()} == {
        name: keys for name, keys in held.items() if keys
    }


def test_portable_content_keeps_the_original_as_it_was():
    content = {"risks": [{"title": "A", "owner": "mia", "due": "2026-01-01"}], "title": "T"}
    copy = portable(content, people=["lena"])
    assert copy["risks"] == [{"title": "A", "owner": None, "due": None}]
    assert content["risks"][0]["owner"] == "mia"


TEMPLATES = ["anomaly-detection", "forecasting", "tabular-classification"]


def test_the_templates_are_shipped():
    assert sorted(one.key for one in scope_copies.templates()) == TEMPLATES


@pytest.mark.parametrize("key", TEMPLATES)
def test_a_template_becomes_a_draft_that_earns_next_to_nothing(project, lead, key):
    template = scope_copies.template_named(key)
    draft = scope_copies.start_from_template(project, template, actor=session_actor(lead))
    content, readiness = content_of(draft), scoping.assess(draft)
    assert len(content["risks"]) >= 3
    assert readiness.score <= 15
    left = {blocker.field for blocker in readiness.blockers if blocker.code == "placeholder_left"}
    assert {"title", "criteria", "risks", "estimates", "milestones"} <= left
    entry = LedgerEntry.objects.get(event="scope.copied")
    assert entry.subject == draft.ref


def test_an_unknown_template_is_not_found(db):
    with pytest.raises(NotFound, match="forecasting"):
        scope_copies.template_named("time-travel")


def test_a_template_takes_the_right_to_write(project, auditor):
    template = scope_copies.template_named("forecasting")
    with pytest.raises(NotPermitted):
        scope_copies.start_from_template(project, template, actor=session_actor(auditor))
    assert not ScopingDocument.objects.exists()
    assert copies_recorded() == 0


def test_a_row_counts_once_its_last_bracket_is_replaced(project, lead):
    content = factories.scope_content_of()
    content["risks"][0]["mitigation"] = "[Who does what]"
    draft = factories.write_scope(project, lead, content)
    held = scoping.assess(draft)
    assert [b.field for b in held.blockers if b.code == "placeholder_left"] == ["risks"]
    assert not held.is_submittable
    content["risks"][0]["mitigation"] = "Lena asks the market desk each month."
    assert scoping.assess(factories.write_scope(project, lead, content)).is_submittable
