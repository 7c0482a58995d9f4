"""A change of the project's tier moves its reviews, and decides none of them."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.models import GateReview, SignOff
from governance.services import evaluating, expiry, reviews, signing
from governance.services.policies import PolicyVersion
from ledger.models import LedgerEntry
from projects.actors import system
from projects.errors import DomainError, RuleViolated, StaleState
from projects.models import Project
from projects.rules.tier import ANSWERS
from projects.services import tiers
from tests.factories import UserFactory, edit_past_the_triggers, session_actor
from tests.governance import faces, fakes

pytestmark = pytest.mark.django_db
_ANSWERS = {"low": (0, 0, 0, 0), "medium": (3, 0, 0, 0), "high": (4, 0, 0, 0)}
ONLY_AT_HIGH = """      - key: card
        check: evidence_present
        params: {kind: bias_report}
        title: A report on bias is on record
        tiers: [high]
      - key: signature
        check: signature_present
        title: The model declares its inputs and outputs
        tiers: [low, medium]
"""
SIGNATURE = """      - key: signature
        check: signature_present
        title: The model declares its inputs and outputs
"""
HIGH = "      high: {roles: [validator, business_owner, risk_officer], people: 3}\n"


def take(project, tier):
    """Give the project a tier: by the risk officer, and by a second person where it is lower."""
    rita, bruno = UserFactory(username="rita"), UserFactory(username="bruno")
    answers = dict(zip(ANSWERS, _ANSWERS[tier], strict=True))
    new = tiers.NewAssessment(answers, "The reach has changed.")
    row = tiers.assess_tier(project, new, actor=session_actor(rita))
    if row.needs_agreement:
        tiers.decide_assessment(row, actor=session_actor(bruno), is_agreed=True)
    project.refresh_from_db()
    assert project.tier == tier


def rewrite(before, after):
    """Change the published policy before anything rests on it."""
    version = PolicyVersion.objects.get(policy__name="standard")
    assert before in version.text
    edit_past_the_triggers(PolicyVersion.objects.all(), text=version.text.replace(before, after))


def entries(review, event="review.rerouted"):
    return [one.data for one in LedgerEntry.objects.filter(subject=review.ref, event=event)]


@pytest.fixture
def policy_with_tiers(policy):
    rewrite(SIGNATURE, ONLY_AT_HIGH)


@pytest.fixture
def policy_without_high(policy):
    rewrite(HIGH, "")


def test_a_raised_tier_asks_for_more_people_and_keeps_what_was_signed(review, sign, validator):
    signed = sign(review, validator, "validator")
    take(review.project, "high")
    review.refresh_from_db()
    assert (review.tier, review.status) == ("high", "open")
    assert review.status_reason == (
        "The review is at high risk now, as its project is; it was at medium risk. Missing now: "
        "the sign-off of business owner, risk officer."
    )
    assert list(SignOff.objects.counting(review)) == [signed]
    assert evaluating.quorum_state(review).missing_roles == ("business_owner", "risk_officer")
    (entry,) = entries(review)
    assert (entry["from"], entry["to"]) == ("medium", "high")
    assert entry["missing_roles"] == ["business_owner", "risk_officer"]
    assert entry["because"].startswith("tier_assessment:")


def test_after_a_raise_the_new_quorum_approves(
    review, sign, validator, business_owner, risk_officer
):
    sign(review, validator, "validator")
    take(review.project, "high")
    sign(review, business_owner, "business_owner")
    assert review.status == "open"
    sign(review, risk_officer, "risk_officer")
    assert (review.status, review.tier) == ("approved", "high")


def test_requirements_of_the_new_tier_are_asked_and_the_others_keep_their_outcome(
    policy_with_tiers, review
):
    before = {one.key: one for one in evaluating.latest_results(review)}
    take(review.project, "high")
    after = {one.key: one for one in evaluating.latest_results(review)}
    assert set(before) - set(after) == {"signature"}
    assert set(after) - set(before) == {"card"}
    assert after["card"].outcome == "missing"
    kept = ("outcome", "message", "detail", "evaluated_at")
    for key in set(before) & set(after):
        assert [getattr(after[key], n) for n in kept] == [getattr(before[key], n) for n in kept]
    assert {one.evaluation for one in after.values()} == {2}


def test_a_lowered_tier_approves_nothing_by_itself(review, sign, validator, lead):
    sign(review, validator, "validator")
    take(review.project, "low")
    review.refresh_from_db()
    assert (review.status, review.tier, review.decided_at) == ("open", "low", None)
    assert "evaluate it again to let it be decided" in review.status_reason
    assert reviews.unmet_requirements(review) == []
    reviews.evaluate_review(review, actor=system("governance"))
    review.refresh_from_db()
    assert review.status == "open", "no part of the system completes what a lower tier left"
    reviews.evaluate_review(review, actor=session_actor(lead))
    review.refresh_from_db()
    assert review.status == "approved"


def test_a_tier_that_the_gate_does_not_cover_blocks(
    policy_without_high, review, sign, validator, business_owner
):
    take(review.project, "high")
    review.refresh_from_db()
    assert "The gate validation covers low, medium risk" in review.status_reason
    assert entries(review)[0]["covered"] is False
    sign(review, validator, "validator")
    sign(review, business_owner, "business_owner")
    assert review.status == "open"
    assert any("nobody can approve it here" in one for one in reviews.unmet_requirements(review))
    take(review.project, "medium")
    reviews.evaluate_review(review, actor=session_actor(business_owner))
    review.refresh_from_db()
    assert review.status == "approved"


def test_nobody_for_a_role_is_said_at_once(review):
    review.project.stakeholders.filter(role="business_owner").delete()
    take(review.project, "high")
    review.refresh_from_db()
    assert "Nobody independent can sign as business owner" in review.status_reason


def test_a_stale_review_moves_too_and_still_says_what_moved(
    review, sign, world, validator, business_owner
):
    world.change(fakes.MODEL, bindings={"dataset:train": fakes.sha("9")})
    with pytest.raises(RuleViolated):
        sign(review, validator, "validator")
    review.refresh_from_db()
    assert review.status == "stale"
    take(review.project, "high")
    review.refresh_from_db()
    assert (review.status, review.tier) == ("stale", "high")
    assert "dataset train changed" in review.status_reason
    assert "it was at medium risk" in review.status_reason
    reviews.refresh_review(review, actor=session_actor(business_owner))
    assert evaluating.quorum_state(review).missing_roles == (
        "validator",
        "business_owner",
        "risk_officer",
    )


def test_a_scope_keeps_the_strictest_tier_that_speaks_for_it(scope_review):
    # Its own answers give medium, so a lower project does not make it easier.
    take(scope_review.project, "low")
    scope_review.refresh_from_db()
    assert (scope_review.tier, entries(scope_review)) == ("medium", [])


def test_a_raised_tier_gives_an_approval_that_no_longer_suffices_an_earlier_end(approved):
    review, before = approved.review, timezone.now()
    take(review.project, "high")
    review.refresh_from_db()
    assert (review.status, review.tier) == ("approved", "medium")
    assert timedelta(days=29) < review.expires_at - before <= timedelta(days=31)
    assert "A sign-off as risk officer is missing." in review.status_reason
    (entry,) = entries(review, "review.renewal_required")
    assert entry["lacking"] == ["A sign-off as risk officer is missing."]
    approved.refresh_from_db()
    assert approved.status == "approved", "what rests on it goes on"


def test_an_outgrown_approval_ends_when_nobody_renews_it(applied):
    take(applied.project, "high")
    expiry.expire_due(timezone.now() + timedelta(days=40), actor=system("governance"))
    applied.review.refresh_from_db()
    applied.refresh_from_db()
    assert (applied.review.status, applied.status) == ("expired", "suspended")


def test_an_approval_with_enough_signatures_is_left_alone(approved):
    expires = approved.review.expires_at
    take(approved.project, "low")
    approved.review.refresh_from_db()
    assert approved.review.expires_at == expires
    assert entries(approved.review) == entries(approved.review, "review.renewal_required") == []


def test_who_signed_before_the_change_is_refused(review, sign, validator, monkeypatch):
    stale = GateReview.objects.get(pk=review.pk)
    look = signing.subject_of

    def meanwhile(one):
        take(Project.objects.get(pk=one.project_id), "high")
        return look(one)

    monkeypatch.setattr(signing, "subject_of", meanwhile)
    before = SignOff.objects.filter(review=review).count()
    with pytest.raises(StaleState):
        sign(stale, validator, "validator")
    assert SignOff.objects.filter(review=review).count() == before
    review.refresh_from_db()
    assert (review.tier, review.status) == ("high", "open")


def test_a_review_prepared_at_another_tier_is_not_opened(
    released_data, candidate, project, ml_engineer
):
    request = reviews.ReviewRequest("validation", project, "model_version", candidate)
    prepared = reviews.prepare(request, actor=session_actor(ml_engineer))
    take(Project.objects.get(pk=project.pk), "high")
    before = LedgerEntry.objects.count()
    with pytest.raises(StaleState):
        reviews.open_review(prepared, actor=session_actor(ml_engineer))
    assert LedgerEntry.objects.count() == before
    assert not GateReview.objects.filter(gate="validation").exists()


STEPS = st.lists(
    st.one_of(
        st.sampled_from(["low", "medium", "high"]),
        st.tuples(
            st.sampled_from(["validator", "business_owner", "risk_officer"]),
            st.sampled_from(["approved", "changes_requested"]),
        ),
    ),
    max_size=6,
)
WHO = {"validator": "vera", "business_owner": "bruno", "risk_officer": "rita"}


@pytest.mark.slow
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_no_sequence_of_tiers_turns_an_open_review_into_an_approved_one(review, sign, steps):
    with transaction.atomic():
        review.refresh_from_db()
        for step in steps:
            if isinstance(step, tuple):
                _sign_if_asked(review, sign, *step)
                if review.status != "open":
                    break
                continue
            was = set(SignOff.objects.filter(review=review).values_list("pk", flat=True))
            take(review.project, step)
            review.refresh_from_db()
            assert (review.status, review.tier, review.decided_at) == ("open", step, None)
            assert set(SignOff.objects.filter(review=review).values_list("pk", flat=True)) == was
        transaction.set_rollback(True)


def _sign_if_asked(review, sign, role, outcome):
    try:
        sign(review, UserFactory(username=WHO[role]), role, outcome=outcome, reason="Because.")
    except DomainError:
        review.refresh_from_db()


def test_the_page_of_a_review_tells_how_it_came_to_its_tier(
    policy_without_high, review, client_for, auditor
):
    take(review.project, "high")
    answer = client_for(auditor).get(f"/reviews/{review.pk}/")
    text = answer.content.decode()
    assert list(faces.offences_in(answer)) == []
    assert "This review is at <strong>high risk</strong>" in text
    assert "moved from medium to high risk" in text
    assert "medium → high" in text
    assert "by Rita" in text
    assert "nobody can approve it here" in text
