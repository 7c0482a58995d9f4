"""What people are told about reviews, and who is told."""

import pytest

from governance.models import ReviewNotice
from governance.services import notices, reviews
from projects.actors import system
from tests.factories import UserFactory, session_actor

pytestmark = pytest.mark.django_db


def told(kind):
    """Return who was told of this kind of thing."""
    found = ReviewNotice.objects.filter(kind=kind).values_list("user__username", flat=True)
    return sorted(found)


def test_a_decision_is_told_to_all_who_had_a_part_but_not_to_who_decided(
    scope_review, sign, business_owner, data_owner
):
    sign(scope_review, business_owner, "business_owner")
    assert told("decided") == []
    sign(scope_review, data_owner, "data_owner")
    assert told("decided") == ["bruno", "lena"]
    text = ReviewNotice.objects.filter(kind="decided").first().text
    assert text.startswith("The scope review of ")
    assert text.endswith(" was approved.")


def test_a_request_for_changes_is_told_to_who_asked_for_the_review(
    scope_review, sign, business_owner
):
    reason = "Name the risks."
    sign(scope_review, business_owner, "business_owner", outcome="changes_requested", reason=reason)
    assert told("changes") == ["lena"]
    assert reason not in ReviewNotice.objects.get(kind="changes").text


def test_a_moved_part_is_told_with_its_name(review, world, sign, validator, business_owner):
    from projects.errors import RuleViolated
    from tests.governance import fakes

    sign(review, validator, "validator")
    world.change(fakes.MODEL, bindings={"run": fakes.sha("9")})
    with pytest.raises(RuleViolated):
        sign(review, business_owner, "business_owner")
    assert told("stale") == ["lena", "mia", "vera"]
    assert "Moved: run." in ReviewNotice.objects.filter(kind="stale").first().text


def test_an_end_is_told(approved, risk_officer):
    review = approved.review
    review.refresh_from_db()
    reviews.suspend_review(review, actor=session_actor(risk_officer), reason="Secret drift.")
    assert told("ended") == ["bruno", "lena", "mia", "vera"]
    assert "Secret" not in ReviewNotice.objects.filter(kind="ended").first().text


def test_who_left_the_project_is_told_nothing(scope_review, project, data_owner):
    project.stakeholders.filter(user=data_owner).delete()
    notices.tell_overdue(scope_review, actor=system("governance"))
    assert told("overdue") == ["bruno", "lena"]


def test_a_long_name_is_cut_and_the_notice_stays(scope_review):
    scope_review.subject_label = "x" * 200
    scope_review.gate = "g" * 50
    text = "t" * 400
    notices._tell(scope_review, "ended", [scope_review.requested_by_id], text, actor=system("jobs"))
    assert len(ReviewNotice.objects.get(kind="ended").text) == notices.LONGEST


def test_own_notices_are_marked_as_read_and_no_others(scope_review, business_owner, data_owner):
    mine = ReviewNotice.objects.get(user=business_owner)
    theirs = ReviewNotice.objects.get(user=data_owner)
    assert notices.mark_read(business_owner, [mine.pk, theirs.pk]) == 1
    theirs.refresh_from_db()
    assert theirs.read_at is None
    assert notices.mark_read(data_owner) == 1
    assert notices.mark_read(UserFactory(username="otto")) == 0
