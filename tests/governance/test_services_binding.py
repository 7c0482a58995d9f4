"""What reviews bind: every part by itself, and reviews that bound their evidence as one before."""

import pytest

from governance.models import Evidence, GateReview, PolicyVersion
from governance.rules.digests import bindings_digest, digest_of_set
from governance.services import reviews
from governance.services.binding import moved_parts, moved_since_approval, subject_of
from governance.services.evidence import Material, record_evidence
from governance.subjects import resolve
from projects.services.scope_changes import frozen_criteria_hash, signed_criteria_hash, signed_hash
from tests import factories
from tests.factories import edit_past_the_triggers, session_actor
from tests.governance import fakes

pytestmark = pytest.mark.django_db

LATER = ("card", "criteria", "evidence:")


def bound_as_reviews_once_were(review):
    """Give a review the bindings that it would have had when all evidence was one part."""
    rows = Evidence.objects.of_subject(review.subject_kind, review.subject_ref)
    kept = {k: v for k, v in review.bindings.items() if not k.startswith(LATER)}
    bindings = {**kept, "evidence": digest_of_set(one.digest for one in rows)}
    GateReview.objects.filter(pk=review.pk).update(
        bindings=bindings, bindings_digest=bindings_digest(bindings)
    )
    review.refresh_from_db()


@pytest.fixture(params=["by kind", "as one"])
def bound(request, data_review):
    """A review of a dataset with one report, bound as they are now and as they once were."""
    if request.param == "as one":
        bound_as_reviews_once_were(data_review)
    return data_review


def add(project, user, kind="eda_report", title="More", **data):
    about = ("dataset_version", fakes.DATASET)
    material = Material(project, *about, kind, title, data=data or {"text": title})
    return record_evidence(material, actor=session_actor(user))


def moved(review):
    return [one.part for one in moved_parts(review, subject_of(review))]


def moved_afterwards(review):
    facts = resolve(review.subject_kind, review.subject_ref)
    return [one.part for one in moved_since_approval(review, facts)]


def test_each_kind_of_evidence_is_bound_by_itself_and_the_card_is_a_part_of_its_own(
    candidate, review
):
    assert set(review.bindings) == {
        "model_files", "run", "dataset:train", "scope", "policy", "card",
    }  # fmt: skip


def test_an_editorial_new_version_of_a_scope_moves_no_criterion(project, lead):
    content = factories.scope_content_of()
    first = factories.submit_scope(project, lead, content)
    titled = factories.submit_scope(project, lead, {**content, "title": "Another"})
    harder = factories.scope_content_of()
    harder["criteria"][0]["threshold"] = 0.99
    third = factories.submit_scope(project, lead, harder)
    assert signed_hash(titled) != signed_hash(first) != signed_hash(third)
    assert signed_criteria_hash(titled) == signed_criteria_hash(first)
    assert signed_criteria_hash(third) != signed_criteria_hash(first)


def test_a_criterion_that_was_edited_past_the_services_moves_the_criteria(submitted_scope):
    before = signed_criteria_hash(submitted_scope)
    submitted_scope.criteria.update(threshold=0.1)
    assert signed_criteria_hash(submitted_scope) != before
    assert frozen_criteria_hash(submitted_scope) == before


def test_a_review_does_not_move_because_parts_are_told_apart_since_it_was_bound(bound):
    assert moved(bound) == moved_afterwards(bound) == []


def test_new_evidence_moves_an_open_review(bound, project, data_scientist):
    add(project, data_scientist)
    assert moved(bound) == [next(part for part in bound.bindings if part.startswith("evidence"))]


def test_evidence_added_after_an_approval_touches_nothing(bound, project, data_scientist):
    for title in ("Drift in May", "Drift in June"):
        add(project, data_scientist, kind="drift_report", title=title)
        add(project, data_scientist, title=title)
    assert moved_afterwards(bound) == []


def test_evidence_that_was_signed_and_is_changed_is_seen(bound, project, data_scientist):
    add(project, data_scientist)
    Evidence.objects.order_by("pk").filter(subject_ref=fakes.DATASET, title="eda_report").update(
        data={"text": "Better"}
    )
    assert len(moved_afterwards(bound)) == 1


def test_evidence_that_was_signed_and_is_gone_is_seen(bound, project, data_scientist):
    Evidence.objects.filter(subject_ref=fakes.DATASET).delete()
    assert len(moved_afterwards(bound)) == 1
    add(project, data_scientist, title="eda_report", text="Not the same")
    assert len(moved_afterwards(bound)) == 1


def test_policy_text_edited_past_the_services_is_seen_after_an_approval(bound):
    edit_past_the_triggers(
        PolicyVersion.objects.filter(pk=bound.policy_version_id), text="schema: 1"
    )
    bound.refresh_from_db()
    assert moved_afterwards(bound) == ["policy"]


def test_other_parts_of_a_review_bound_as_one_are_seen_as_ever(bound, world):
    world.change(fakes.DATASET, bindings={"datasheet": fakes.sha("9")})
    assert moved(bound) == moved_afterwards(bound) == ["datasheet"]


def test_refreshing_a_review_bound_as_one_binds_kind_by_kind(
    data_review, project, data_scientist, lead
):
    bound_as_reviews_once_were(data_review)
    add(project, data_scientist, kind="plot")
    reviews.refresh_review(data_review, actor=session_actor(lead))
    data_review.refresh_from_db()
    assert {"evidence:eda_report", "evidence:plot"} <= set(data_review.bindings)
    assert "evidence" not in data_review.bindings


def test_a_review_copies_its_evidence_and_card_in_short(review):
    (listed,) = review.facts["evidence"]
    assert (listed["part"], listed["title"]) == ("card", "model_card")
    assert review.facts["card"] == {"text": "model_card"}
