"""Transition tables are total, closed and say what ends."""

import pytest

from governance.models import Finding, GateReview, PolicyVersion, Promotion
from governance.rules import transitions

TABLES = [
    (GateReview.Status, transitions.REVIEW_TRANSITIONS),
    (Promotion.Status, transitions.PROMOTION_TRANSITIONS),
    (Finding.Status, transitions.FINDING_TRANSITIONS),
    (PolicyVersion.Status, transitions.POLICY_VERSION_TRANSITIONS),
]


@pytest.mark.parametrize(("status", "table"), TABLES)
def test_every_status_has_a_row_and_every_arrow_a_target(status, table):
    assert set(table) == set(status.values)
    assert all(targets <= set(status.values) for targets in table.values())


def test_final_reviews_have_no_way_out():
    ends = {name for name, to in transitions.REVIEW_TRANSITIONS.items() if not to}
    assert ends == transitions.FINAL_REVIEW_STATUSES


def test_only_a_claimed_promotion_is_applied_and_only_an_approved_one_claimed():
    table = transitions.PROMOTION_TRANSITIONS
    assert [name for name, to in table.items() if "applied" in to] == ["applying"]
    assert sorted(name for name, to in table.items() if "applying" in to) == [
        "applying",
        "approved",
    ]


def test_only_a_resolved_finding_is_closed():
    table = transitions.FINDING_TRANSITIONS
    assert [name for name, to in table.items() if "closed" in to] == ["resolved"]
