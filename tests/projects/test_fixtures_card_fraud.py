"""The card fraud case: a team that copies, a team that publishes, and the balanced third."""

import csv
from pathlib import Path

import pytest
from django.conf import settings

from projects.rules.decision_matrix import grid_of, judge
from projects.services import scoping
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def assessed(project, lead):
    """Return a shipped scope's readiness on the demo's cast: `assessed("card-fraud")`."""

    def readiness(name):
        draft = factories.write_scope(project, lead, factories.scope_content_of(name))
        return scoping.assess(draft)

    return readiness


def test_the_team_that_copies_is_under_scoped_and_cannot_submit(assessed):
    readiness = assessed("card-fraud-team-a")
    assert readiness.under_scoped.score >= 60
    assert readiness.over_scoped.score <= 20
    assert not readiness.is_submittable


def test_the_team_that_publishes_is_over_scoped_and_cannot_submit(assessed):
    readiness = assessed("card-fraud-team-b")
    assert readiness.over_scoped.score >= 60
    assert readiness.under_scoped.score <= 20
    assert not readiness.is_submittable


def test_the_balanced_one_leans_neither_way_and_may_be_submitted(assessed):
    readiness = assessed("card-fraud")
    assert readiness.under_scoped.score <= 15
    assert readiness.over_scoped.score <= 15
    assert readiness.reasons == []
    assert readiness.is_submittable
    assert readiness.tier.computed == readiness.tier.chosen == "medium"


def test_its_matrix_is_whole_and_its_roles_disagree():
    verdict = judge(grid_of(factories.scope_content_of("card-fraud")))
    assert verdict.problems == ()
    assert verdict.without_evidence == ()
    assert len(verdict.rankings) == 4
    assert not verdict.is_agreed
    assert set(verdict.choices) == set(verdict.grid.approaches)
    assert verdict.grid.preferred in verdict.choices
    assert verdict.flips


def test_the_data_is_what_the_scope_says_of_it():
    path = Path(settings.BASE_DIR) / "fixtures" / "creditcard-balanced-sample.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    frauds = [row for row in rows if row["Class"] == "1"]
    assert (len(rows), len(frauds)) == (999, 492)
    assert len(rows) - len({tuple(row.values()) for row in rows}) == 26
    assert sum(float(row["Amount"]) for row in frauds) / len(frauds) == pytest.approx(122, abs=0.5)
    assert sum(float(row["Amount"]) < 10 for row in frauds) / len(frauds) == pytest.approx(
        0.5, abs=0.02
    )
    assert "Time" not in rows[0]
