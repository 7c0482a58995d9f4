"""Differences between reviews: which approval is the last one, and what it shows against now."""

import pytest

from governance.models import GateReview, PolicyVersion
from governance.services import reviews
from governance.services.differences import (
    difference_between,
    difference_since_approval,
    last_approval,
)
from governance.services.reviews import ReviewRequest
from tests import factories
from tests.factories import session_actor
from tests.governance import fakes

pytestmark = pytest.mark.django_db


def rows_of(changes, part):
    rows = [row for one in changes if one.part == part for row in one.rows]
    return {row.name: (row.was, row.now, row.note) for row in rows}


def test_first_review_has_no_approval_to_differ_from(review):
    assert last_approval(review) is None
    assert difference_since_approval(review) is None


def test_a_new_version_differs_from_the_one_approved_last(second, applied):
    assert last_approval(second) == applied.review
    changes = difference_since_approval(second)
    assert rows_of(changes, "run") == {
        "test_roc_auc": ("0.79", "0.81", "+0.02"),
        "depth": ("", "5", "added"),
    }
    assert rows_of(changes, "card")["text"] == ("model_card", "", "removed")
    told = {one.part: (one.was, one.now) for one in changes}
    assert told["model_files"] == ("a" * 12, "8" * 12)
    assert told["subject"] == ("term-deposit-calls v1", "term-deposit-calls v2")


def test_a_rejected_review_is_no_approval(second, applied, sign, validator):
    sign(second, validator, "validator", outcome="rejected", reason="Too slow.")
    third = GateReview.objects.get(pk=second.pk)
    third.pk = None
    third.decided_at = None
    assert last_approval(third) == applied.review


def test_an_approval_differs_from_the_one_before_it_not_from_itself(applied):
    assert last_approval(applied.review) is None


def test_scope_and_criteria_are_told_apart(policy, project, lead, sign):
    def ask(content):
        document = factories.submit_scope(project, lead, content)
        request = ReviewRequest("scope", project, "scoping_document", document.ref)
        return reviews.request_review(request, actor=session_actor(lead))

    content = factories.scope_content_of()
    first = ask(content)
    for name, role in (("bruno", "business_owner"), ("dora", "data_owner")):
        sign(first, factories.UserFactory(username=name), role)
    harder = factories.scope_content_of()
    harder["title"] = "Another"
    harder["criteria"][0]["threshold"] = 0.99
    found = difference_since_approval(ask(harder))
    assert rows_of(found, "scope")["title"][2] == "editorial"
    (row,) = rows_of(found, "criteria").values()
    assert row[1:] == ("0.99", "tightened")


def test_policies_are_told_line_by_line(review, policy):
    later = GateReview.objects.get(pk=review.pk)
    text = policy.text.replace("Standard policy", "Stricter policy")
    later.policy_version = PolicyVersion(policy=policy.policy, number=2, text=text)
    later.bindings = {**review.bindings, "policy": fakes.sha("9")}
    (found,) = difference_between(review, later)
    assert (found.part, found.was, found.now) == ("policy", "standard v1", "standard v2")
    assert ("title: Standard policy", "removed") in [(row.was, row.note) for row in found.rows]


def test_a_review_does_not_differ_from_itself(review):
    assert difference_between(review, review) == []


def test_difference_takes_a_fixed_number_of_queries(second, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        difference_since_approval(second)


@pytest.mark.parametrize(("name", "is_followed"), [("calls", True), ("loans", False)])
def test_a_dataset_follows_the_versions_of_its_own_name(released_data, name, is_followed):
    def named(facts, dataset):
        return {**facts, "attributes": {**facts["attributes"], "dataset_name": dataset}}

    facts = named(released_data.facts, "calls")
    GateReview.objects.filter(pk=released_data.pk).update(facts=facts)
    later = GateReview.objects.get(pk=released_data.pk)
    later.pk, later.decided_at, later.subject_ref = None, None, "dataset_version:9"
    later.facts = named(facts, name)
    assert last_approval(later) == (released_data if is_followed else None)
