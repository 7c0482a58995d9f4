"""Rules 1 to 4: who has no part in it, how many people and roles it takes, and what if nobody."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance.models import GateReview, PolicyVersion, Promotion, ReviewNotice, SignOff
from governance.services import notice_emails, reviews
from governance.services.expiry import expire_due
from ledger.models import LedgerEntry
from projects.actors import system
from projects.models import Project, Stakeholder
from tests.factories import StakeholderFactory, UserFactory, session_actor, write_scope
from tests.governance.fifteen_rules.doors import assert_refused, give

pytestmark = pytest.mark.django_db
MADE = {
    "run": "Who launched the training run",
    "registration": "Who registered the model version",
    "commit": "Who committed the code",
    "assignee": "Who was assigned the experiment",
    "deployment": "Who deployed it",
}


@pytest.mark.parametrize("part", MADE)
def test_rule_1_no_maker_of_a_part_signs(
    door: Any, world: Any, review: GateReview, validator: User, part: str
) -> None:
    world.change(review.subject_ref, authors={part: frozenset({validator.pk})})
    assert_refused(door.sign(validator, review), 422, MADE[part], review)


def test_rule_1_the_requester_does_not_sign(
    door: Any, review: GateReview, ml_engineer: User
) -> None:
    give(review, ml_engineer, "validator")
    tried = door.sign(ml_engineer, review)
    assert_refused(tried, 422, "Who requested the review", review)


def test_rule_1_no_author_of_a_scope_signs_it(
    door: Any, scope_review: GateReview, risk_officer: User, lead: User
) -> None:
    GateReview.objects.filter(pk=scope_review.pk).update(requested_by=risk_officer)
    give(scope_review, lead, "business_owner")
    tried = door.sign(lead, scope_review, "business_owner")
    assert_refused(tried, 422, "Who wrote the scope", scope_review)


def test_rule_1_an_unknown_committer_clears_nobody(
    door: Any, world: Any, candidate: str, review: GateReview, validator: User,
    business_owner: User,
) -> None:  # fmt: skip
    world.change(candidate, unmapped=("commit",))
    door.sign(validator, review)
    door.sign(business_owner, review, "business_owner")
    review.refresh_from_db()
    assert (review.status, review.sign_offs.count()) == ("open", 2)
    assert "Nobody here is known to stand behind: commit" in door.show(validator, review).words


@pytest.mark.parametrize("role", ["data_scientist", "ml_engineer", "data_engineer", "lead"])
def test_rule_1_who_builds_here_validates_nothing_here(
    door: Any, review: GateReview, role: str
) -> None:
    user = give(review, UserFactory(username="two-hats"), "validator", role)
    assert_refused(door.sign(user, review), 422, "Who builds on the project", review)


def test_rule_1_at_high_risk_a_validator_answers_to_another_line(
    door: Any, review: GateReview, validator: User
) -> None:
    GateReview.objects.filter(pk=review.pk).update(tier="high")
    Stakeholder.objects.filter(project=review.project).update(reporting_line="Analytics")
    assert_refused(door.sign(validator, review), 422, "answers to the same line", review)
    Stakeholder.objects.filter(user=validator).update(reporting_line="Model risk")
    assert door.sign(validator, review).is_done


def test_rule_2_at_medium_risk_two_roles_take_two_people(
    door: Any, review: GateReview, validator: User
) -> None:
    give(review, validator, "business_owner")
    door.sign(validator, review)
    assert door.sign(validator, review, "business_owner").is_done
    review.refresh_from_db()
    assert review.status == "open"
    assert "The sign-off of one more person is missing" in door.show(validator, review).words


def test_rule_2_at_high_risk_one_person_fills_one_role(
    door: Any, review: GateReview, business_owner: User
) -> None:
    GateReview.objects.filter(pk=review.pk).update(tier="high")
    give(review, business_owner, "risk_officer")
    assert door.sign(business_owner, review, "business_owner").is_done
    tried = door.sign(business_owner, review, "risk_officer")
    assert tried.is_refused_as(422, "one person fills one role")
    assert SignOff.objects.filter(review=review).count() == 1


def test_rule_2_at_low_risk_one_person_may_fill_all_but_the_requesters(
    door: Any, review: GateReview, ml_engineer: User, validator: User
) -> None:
    GateReview.objects.filter(pk=review.pk).update(tier="low")
    for user in (ml_engineer, validator):
        give(review, user, "business_owner")
    give(review, ml_engineer, "validator")
    assert_refused(door.sign(ml_engineer, review), 422, "Who requested the review", review)
    assert door.sign(validator, review).is_done
    assert door.sign(validator, review, "business_owner").is_done
    review.refresh_from_db()
    assert review.status == "approved"


def test_rule_3_a_second_person_in_one_role_does_not_stand_in_for_the_other(
    door: Any, review: GateReview, validator: User, risk_officer: User
) -> None:
    give(review, risk_officer, "validator")
    door.sign(validator, review)
    assert door.sign(risk_officer, review).is_done
    review.refresh_from_db()
    assert review.status == "open"
    assert "A sign-off as business owner is missing." in door.show(validator, review).words


def test_rule_3_the_named_role_does_not_stand_in_for_the_count(
    door: Any, canary: GateReview, business_owner: User, data_owner: User
) -> None:
    assert door.sign(business_owner, canary, "business_owner").is_done
    canary.refresh_from_db()
    assert canary.status == "open"
    assert "The sign-off of one more person is missing" in door.show(data_owner, canary).words
    assert door.sign(data_owner, canary, "business_owner").is_done
    canary.refresh_from_db()
    assert canary.status == "approved"


@pytest.fixture
def no_validator(review: GateReview, validator: User) -> GateReview:
    """An open review whose only validator has left."""
    Stakeholder.objects.filter(user=validator, project=review.project).delete()
    return review


def test_rule_4_what_nobody_independent_could_sign_is_refused_when_it_is_requested(
    door: Any, no_validator: GateReview, project: Project, ml_engineer: User, lead: User
) -> None:
    reviews.withdraw_review(no_validator, actor=session_actor(lead))
    tried = door.request_promotion(ml_engineer, project, no_validator.subject_ref)
    assert tried.is_refused_as(422, "no independent person on Term-deposit calls for validator")
    assert not Promotion.objects.filter(status="requested").exists()
    assert not GateReview.objects.filter(status="open", gate="validation").exists()


def test_rule_4_a_request_that_nobody_could_sign_is_brought_before_lead_and_holders_once(
    door: Any, cast: Any, no_validator: GateReview, mailoutbox: Any
) -> None:
    reviews.withdraw_review(no_validator, actor=session_actor(cast.lead))
    give(no_validator, cast.data_scientist, "validator")
    project, ref = no_validator.project, no_validator.subject_ref
    for _ in range(2):
        assert not door.request_promotion(cast.ml_engineer, project, ref).is_done
    told = ReviewNotice.objects.filter(kind="blocked", review=None, project=project)
    assert sorted(one.user.username for one in told) == ["lena", "mia", "sam"]
    text = "Refused, since nobody independent can sign as validator: validation review of term-"
    assert {one.text.startswith(text) for one in told} == {True}
    seen = door.read(cast.lead, {"rest": "/api/v1/inbox/", "page": "/inbox/"}[door.name]).words
    assert text in seen
    notice_emails.send_due(timezone.now())
    (mail,) = [one for one in mailoutbox if "lena@" in one.to[0] and text in one.body]
    assert "/projects/term-deposit-calls/" in mail.body
    assert mail.subject == "Countersign: Nobody can sign: Term-deposit calls"


def test_rule_4_without_anybody_left_nothing_approves_and_the_lead_is_told(
    door: Any, no_validator: GateReview, business_owner: User, lead: User, ml_engineer: User
) -> None:
    assert door.sign(business_owner, no_validator, "business_owner").is_done
    assert door.evaluate(ml_engineer, no_validator).is_done
    # Who holds the role and may not sign is told too.
    holder = give(no_validator, UserFactory(username="two-hats"), "validator", "data_engineer")
    expire_due(timezone.now(), actor=system("governance"))
    no_validator.refresh_from_db()
    no_validator.promotion.refresh_from_db()
    assert (no_validator.status, no_validator.promotion.status) == ("open", "requested")
    assert "Nobody can sign as validator" in door.show(lead, no_validator).words
    told = ReviewNotice.objects.filter(review=no_validator, kind="blocked")
    assert {one.user for one in told} == {lead, ml_engineer, holder}
    entry = LedgerEntry.objects.get(event="review.signers_lacking", subject=no_validator.ref)
    assert entry.data["roles"] == ["validator"]


def test_rule_4_who_asked_is_offered_no_approval_where_nobody_else_can_give_it(
    door: Any, no_validator: GateReview, ml_engineer: User
) -> None:
    says_so = {
        "rest": '{"action":"sign","allowed":false,"reasons":["This gate asks for none of your',
        "page": "This gate asks for none of your roles.",
    }
    shown = door.show(ml_engineer, no_validator).words
    assert says_so[door.name] in shown
    assert "This is what you sign" not in shown
    tried = door.sign(ml_engineer, no_validator)
    assert_refused(tried, 403, "does not hold the role of validator", no_validator)


def test_rule_4_the_scope_says_already_that_nobody_could_sign_later(
    door: Any, policy: PolicyVersion, project: Project, lead: User
) -> None:
    scope = write_scope(project, lead)
    assert "Nobody can sign as validator" not in door.readiness(lead, scope)
    Stakeholder.objects.filter(project=project, role="validator").delete()
    StakeholderFactory(project=project, user=lead, role="validator")
    said = door.readiness(lead, scope)
    assert "Nobody can sign as validator. Held back: Lena: Who builds on the project" in said
