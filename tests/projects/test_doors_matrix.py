"""The decision matrix through its doors: page, form, pictures and REST."""

import re

import pytest
from django.test import Client

from ledger.models import LedgerEntry
from projects.models import DecisionScore
from tests import factories

pytestmark = pytest.mark.django_db

NAMES = ("Rules on earlier contacts", "Logistic regression", "Tuned gradient boosting")
WEIGHTS = {"data scientist": (70, 30), "ML engineer": (20, 80)}
SCORES = ((2, 5), (3, 4), (5, 2))
CRITERIA = ("predictive quality", "upkeep")


@pytest.fixture
def content(scope_content):
    """Return the balanced scope with a matrix on which scientist and engineer disagree."""
    scope_content["decision_weights"] = [
        {"role": role, "criterion": criterion, "weight": weight}
        for role, row in WEIGHTS.items()
        for criterion, weight in zip(CRITERIA, row, strict=True)
    ]
    scope_content["decision_scores"] = [
        {"approach": name, "criterion": criterion, "score": score, "evidence": f"run of {name}"}
        for name, row in zip(NAMES, SCORES, strict=True)
        for criterion, score in zip(CRITERIA, row, strict=True)
    ]
    return scope_content


@pytest.fixture
def draft(project, lead, content):
    return factories.write_scope(project, lead, content)


def typed(draft, **changes):
    """Return what the browser would post for two criteria, two roles and the three approaches."""
    form = {"read_version": str(draft.version_lock)}
    form |= {f"role-{j}": role for j, role in enumerate(WEIGHTS)}
    # The document ranks boosting first, and the form follows the document.
    for i, criterion in enumerate(CRITERIA):
        form[f"criterion-{i}"] = criterion
        form |= {f"weight-{i}-{j}": str(row[i]) for j, row in enumerate(WEIGHTS.values())}
        for k, row in enumerate(reversed(SCORES)):
            form |= {f"score-{i}-{k}": str(row[i]), f"evidence-{i}-{k}": f"note {i} {k}"}
    return {**form, **changes}


def test_the_page_shows_rankings_evidence_and_flips(draft, lead, client_for):
    page = client_for(lead).get(f"/scopes/{draft.pk}/matrix/").content.decode()
    assert "Data scientist chooses Tuned gradient boosting (4.10)" in page
    assert "The roles disagree" in page
    assert "run of Logistic regression" in page
    assert "with less than" in page
    assert "/matrix/totals.svg" in page
    main = page[page.index('id="content"') :]
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son\w+=", main)


def test_the_scope_page_leads_to_the_matrix(draft, lead, client_for):
    page = client_for(lead).get(f"/scopes/{draft.pk}/").content.decode()
    assert f'href="/scopes/{draft.pk}/matrix/"' in page
    assert "The roles disagree" in page


def test_an_empty_matrix_offers_suggestions(project, lead, scope_content, client_for):
    scope_content |= {"decision_weights": [], "decision_scores": []}
    draft = factories.write_scope(project, lead, scope_content)
    page = client_for(lead).get(f"/scopes/{draft.pk}/matrix/").content.decode()
    assert "There is no decision matrix yet." in page
    assert 'value="cost of ownership"' in page
    assert client_for(lead).get(f"/scopes/{draft.pk}/matrix/totals.svg").status_code == 404


def test_the_form_replaces_the_matrix_and_nothing_else(draft, data_scientist, client_for):
    url = f"/scopes/{draft.pk}/matrix/"
    answer = client_for(data_scientist).post(
        url, typed(draft, **{"weight-0-0": "60", "weight-1-0": "40"})
    )
    assert (answer.status_code, answer.url) == (302, url)
    assert draft.decision_weights.get(role="data scientist", criterion="upkeep").weight == 40
    assert draft.decision_scores.get(approach=NAMES[2], criterion="upkeep").evidence == "note 1 0"
    assert draft.criteria.count() == 5
    assert draft.editors.filter(username="sam").exists()
    assert LedgerEntry.objects.latest("seq").event == "scope.draft_saved"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("weight-0-0", "much", "This must be a whole number."),
        ("weight-0-0", "101", "less than or equal to 100"),
        ("score-0-0", "6", "less than or equal to 5"),
        ("role-0", "", "Name the role that weighs this."),
        ("criterion-1", "", "Name the criterion."),
        ("criterion-1", "predictive quality", "have a value already"),
        ("score-0-1", "", "Give the score that this evidence speaks for."),
    ],
)
def test_a_wrong_cell_is_marked_and_nothing_is_saved(
    draft, lead, client_for, field, value, said
):  # fmt: skip
    entries = LedgerEntry.objects.count()
    form = typed(draft, **{field: value, "evidence-1-2": "typed with care"})
    answer = client_for(lead).post(f"/scopes/{draft.pk}/matrix/", form)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert said in page
    assert 'aria-invalid="true"' in page
    assert 'value="typed with care"' in page
    assert LedgerEntry.objects.count() == entries
    assert not DecisionScore.objects.filter(evidence="typed with care").exists()


def test_weights_that_do_not_add_up_are_saved_and_named(draft, lead, client_for):
    url = f"/scopes/{draft.pk}/matrix/"
    page = client_for(lead).post(url, typed(draft, **{"weight-0-0": "10"}), follow=True)
    assert "The weights of data scientist add up to 40, not 100" in page.content.decode()


def test_an_edit_meanwhile_wins_and_what_was_typed_stays(draft, lead, client_for):
    form = typed(draft, **{"evidence-1-2": "typed with care"})
    client_for(lead).post(f"/scopes/{draft.pk}/matrix/", typed(draft))
    answer = client_for(lead).post(f"/scopes/{draft.pk}/matrix/", form)
    assert answer.status_code == 409
    assert 'value="typed with care"' in answer.content.decode()
    assert not DecisionScore.objects.filter(evidence="typed with care").exists()


def test_a_submitted_matrix_is_read_only(project, lead, content, client_for):
    document = factories.submit_scope(project, lead, content)
    url = f"/scopes/{document.pk}/matrix/"
    assert "Save the matrix" not in client_for(lead).get(url).content.decode()
    assert client_for(lead).post(url, typed(document)).status_code == 409
    assert document.decision_scores.filter(evidence__startswith="note").count() == 0


def test_readers_see_it_and_cannot_write_it(draft, auditor, outsider, client_for):
    url = f"/scopes/{draft.pk}/matrix/"
    assert "Save the matrix" not in client_for(auditor).get(url).content.decode()
    assert client_for(auditor).post(url, typed(draft)).status_code == 403
    assert client_for(outsider).get(url).status_code == 404
    assert client_for(outsider).post(url, typed(draft)).status_code == 404
    assert Client().get(url).status_code == 302
    assert draft.decision_scores.filter(evidence__startswith="note").count() == 0


@pytest.mark.parametrize("picture", ["totals.svg", "flip.svg?role=ML+engineer&criterion=upkeep"])
def test_pictures_are_drawn_once_and_revalidated(draft, lead, outsider, client_for, picture):
    browser, url = client_for(lead), f"/scopes/{draft.pk}/matrix/{picture}"
    first = browser.get(url)
    assert first["Content-Type"] == "image/svg+xml"
    assert "sandbox" in first["Content-Security-Policy"]
    assert first.content.startswith(b"<svg")
    again = browser.get(url, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    browser.post(f"/scopes/{draft.pk}/matrix/", typed(draft, **{"score-0-0": "4"}))
    changed = browser.get(url, headers={"If-None-Match": first["ETag"]})
    assert (changed.status_code, changed["ETag"] == first["ETag"]) == (200, False)
    assert client_for(outsider).get(url).status_code == 404


def test_the_flip_chart_follows_the_readers_choice(draft, lead, client_for):
    url = f"/scopes/{draft.pk}/matrix/?role=ML+engineer&criterion=upkeep"
    page = client_for(lead).get(url).content.decode()
    assert "What the weight of upkeep does to the choice of ML engineer" in page


def test_rest_answers_with_the_whole_verdict(draft, lead, outsider, api):
    url = f"/api/v1/scoping-documents/{draft.pk}/decision-matrix/"
    body = api(lead).get(url).json()
    assert body["is_agreed"] is False
    assert body["weights"]["ML engineer"] == {"predictive quality": 20, "upkeep": 80}
    assert body["choices"] == {NAMES[2]: ["data scientist"], NAMES[0]: ["ML engineer"]}
    ranking = body["rankings"][0]
    assert (ranking["role"], ranking["standings"][0]) == (
        "data scientist",
        {"place": 1, "approach": NAMES[2], "total": 4.1},
    )
    assert {"role", "criterion", "at", "newcomer"} <= set(body["flips"][0])
    assert len(body["scores"]) == 6
    assert api(outsider).get(url).status_code == 404


def test_reading_the_matrix_takes_the_same_queries_whatever_its_size(
    draft, lead, client_for, django_assert_max_num_queries
):
    browser = client_for(lead)
    with django_assert_max_num_queries(14):
        browser.get(f"/scopes/{draft.pk}/matrix/")
