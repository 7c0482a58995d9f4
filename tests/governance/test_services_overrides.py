"""Break-glass: two people, a reason, hours; it approves nothing and opens its own review."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from governance.models import (
    DeniedAttempt,
    Finding,
    GateReview,
    Override,
    PolicyVersion,
    Promotion,
)
from governance.services import enforcement, findings, overrides, promotions, reviews
from governance.services.enforcement import AliasChange
from governance.services.overrides import Confirmation, NewOverride
from ledger.models import LedgerEntry
from projects.actors import system
from projects.errors import (
    DomainError,
    InvalidInput,
    InvalidTransition,
    NotFound,
    NotPermitted,
    RuleViolated,
)
from tests.factories import PASSWORD, StakeholderFactory, session_actor
from tests.governance import fakes

pytestmark = pytest.mark.django_db
MODEL = "term-deposit-calls"


def wanted(**changes: Any) -> NewOverride:
    values = {
        "incident": "INC-7",
        "reason": "The version that serves refuses half of the calls.",
        "hours": 24,
        "role": "ml_engineer",
        "password": PASSWORD,
        **changes,
    }
    return NewOverride(**values)


def confirmation(**changes: Any) -> Confirmation:
    return Confirmation(**{"role": "business_owner", "password": PASSWORD, **changes})


@pytest.fixture
def asked(promotion: Promotion, ml_engineer: User) -> Override:
    return overrides.request_override(promotion, wanted(), actor=session_actor(ml_engineer))


@pytest.fixture
def active(asked: Override, business_owner: User) -> Override:
    return overrides.confirm_override(asked, confirmation(), actor=session_actor(business_owner))


@pytest.fixture
def serving(active: Override) -> Promotion:
    """A promotion that a worker applied although its review is open."""
    promotion = active.promotion
    assert promotions.claim_promotion(promotion, worker="here:1")
    return promotions.mark_applied(promotion, actor=system("promotion"))


def refused(kind: type[DomainError], code: str, act: Callable[[], object]) -> None:
    """Assert a refusal, and that neither an override nor a promotion moved by it."""
    before = list(Override.objects.values()), list(Promotion.objects.values("status"))
    with pytest.raises(kind) as error:
        act()
    assert error.value.code == code
    assert (list(Override.objects.values()), list(Promotion.objects.values("status"))) == before


def test_two_people_let_a_promotion_past_its_open_review(
    active: Override, promotion: Promotion
) -> None:
    promotion.refresh_from_db()
    assert (promotion.status, promotion.review.status) == ("approved", "open")
    assert active.expires_at - active.confirmed_at == timedelta(hours=24)
    entry = LedgerEntry.objects.get(event="override.confirmed")
    assert (entry.subject, entry.data["role"]) == (active.ref, "business_owner")
    assert "refuses half" not in str(LedgerEntry.objects.get(event="override.requested").data)


def test_nothing_moves_before_the_second_person(asked: Override, promotion: Promotion) -> None:
    promotion.refresh_from_db()
    assert (asked.status, promotion.status) == ("requested", "requested")
    assert not promotions.claim_promotion(promotion, worker="here:1")


def test_it_stands_for_its_hours_at_every_door(serving: Promotion) -> None:
    alias = AliasChange(MODEL, "champion", 1)
    enforcement.require_alias_change(alias, actor=system("promotion"))
    assert promotions.standing_promotion(MODEL, "production") == serving
    assert enforcement.may_deploy(MODEL, 1, "production").allowed


def test_it_stands_no_longer_once_the_hours_are_over(serving: Promotion) -> None:
    Override.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert promotions.standing_promotion(MODEL, "production") is None
    assert not enforcement.may_deploy(MODEL, 1, "production").allowed
    with pytest.raises(NotPermitted):
        enforcement.require_alias_change(
            AliasChange(MODEL, "champion", 1), actor=system("promotion")
        )


def test_a_worker_takes_nothing_whose_hours_are_over(active: Override) -> None:
    Override.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not promotions.claim_promotion(active.promotion, worker="here:1")
    assert active.promotion.status == "suspended"


def test_it_opens_its_own_review_with_a_date_and_a_grave_finding(active: Override) -> None:
    review = active.promotion.review
    finding = Finding.objects.get(subject_ref=active.promotion.ref)
    assert (finding.severity, finding.review, finding.data["category"]) == (
        "high",
        review,
        "break-glass",
    )
    assert finding.due_on == review.due_on
    ahead = (review.due_on - timezone.now().date()).days
    assert ahead == 7 if timezone.now().weekday() < 5 else 5 <= ahead <= 6


@pytest.mark.parametrize("who", ["ml_engineer", "business_owner", "data_scientist"])
def test_neither_of_the_two_nor_an_author_verifies_that_finding(
    active: Override, lead: User, who: str, request: Any
) -> None:
    finding = Finding.objects.get(subject_ref=active.promotion.ref)
    findings.resolve_finding(finding, actor=session_actor(lead), resolution="Looked into.")
    with pytest.raises(NotPermitted) as error:
        findings.close_finding(finding, actor=session_actor(request.getfixturevalue(who)))
    assert error.value.code == "verifier_not_independent"


def test_the_after_review_can_still_be_signed_and_then_carries_the_promotion(
    serving: Promotion, sign: Any, validator: User, business_owner: User
) -> None:
    sign(serving.review, validator, "validator")
    sign(serving.review, business_owner, "business_owner")
    Override.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert promotions.standing_promotion(MODEL, "production") == serving


def test_a_rejected_after_review_stops_it_at_once(
    serving: Promotion, sign: Any, validator: User
) -> None:
    sign(serving.review, validator, "validator", outcome="rejected", reason="It leaks.")
    serving.refresh_from_db()
    assert serving.status == "suspended"
    assert promotions.standing_promotion(MODEL, "production") is None


def test_either_ends_it_early(serving: Promotion, active: Override, business_owner: User) -> None:
    overrides.end_override(active, actor=session_actor(business_owner), reason="It is over.")
    serving.refresh_from_db()
    assert (active.status, serving.status) == ("ended", "suspended")
    assert "INC-7" in serving.status_reason


def test_ending_it_leaves_an_approved_promotion_alone(
    serving: Promotion, active: Override, sign: Any, request: Any
) -> None:
    vera, bruno = (request.getfixturevalue(who) for who in ("validator", "business_owner"))
    sign(serving.review, vera, "validator")
    sign(serving.review, bruno, "business_owner")
    overrides.end_override(active, actor=session_actor(bruno), reason="Reviewed.")
    serving.refresh_from_db()
    assert serving.status == "applied"


def test_what_moved_since_it_was_bound_is_not_let_through(
    active: Override, world: fakes.Subjects
) -> None:
    world.change(fakes.MODEL, bindings={"run": fakes.sha("f")})
    assert not promotions.claim_promotion(active.promotion, worker="here:1")
    assert active.promotion.status == "suspended"
    assert active.promotion.review.status == "stale"


@pytest.mark.parametrize(
    ("who", "changes", "kind", "code"),
    [
        ("data_scientist", {}, NotPermitted, "role_missing"),
        ("validator", {"role": "validator"}, NotPermitted, "role_missing"),
        ("ml_engineer", {"role": "business_owner"}, NotPermitted, "role_missing"),
        ("auditor", {"role": "auditor"}, NotPermitted, "role_missing"),
        ("superuser", {}, NotPermitted, "role_missing"),
        ("outsider", {}, NotFound, "not_found"),
        ("ml_engineer", {"incident": " "}, InvalidInput, "reason_missing"),
        ("ml_engineer", {"reason": ""}, InvalidInput, "reason_missing"),
        ("ml_engineer", {"hours": 49}, InvalidInput, "wrong_hours"),
        ("ml_engineer", {"hours": 0}, InvalidInput, "wrong_hours"),
        ("ml_engineer", {"password": "guess"}, NotPermitted, "wrong_password"),
    ],
)
def test_an_unfit_request_is_refused(
    promotion: Promotion, request: Any, who: str, changes: Any, kind: Any, code: str
) -> None:
    actor = session_actor(request.getfixturevalue(who))
    refused(
        kind, code, lambda: overrides.request_override(promotion, wanted(**changes), actor=actor)
    )


def test_who_audits_too_breaks_no_glass(promotion: Promotion, ml_engineer: User) -> None:
    StakeholderFactory(project=promotion.project, user=ml_engineer, role="auditor")
    actor = session_actor(ml_engineer)
    refused(
        NotPermitted,
        "auditor_never",
        lambda: overrides.request_override(promotion, wanted(), actor=actor),
    )


def test_a_token_breaks_no_glass(
    promotion: Promotion, ml_engineer: User, business_owner: User
) -> None:
    token = fakes.acting(ml_engineer, "token")
    refused(
        NotPermitted,
        "signing_needs_session",
        lambda: overrides.request_override(promotion, wanted(), actor=token),
    )
    assert DeniedAttempt.objects.filter(action="override.request").count() == 1
    asked = overrides.request_override(promotion, wanted(), actor=session_actor(ml_engineer))
    second = fakes.acting(business_owner, "token")
    refused(
        NotPermitted,
        "signing_needs_session",
        lambda: overrides.confirm_override(asked, confirmation(), actor=second),
    )


@pytest.mark.parametrize("part", ["governance", "promotion", "monitoring"])
def test_no_part_of_the_system_breaks_glass(
    promotion: Promotion, ml_engineer: User, part: str
) -> None:
    refused(
        NotPermitted,
        "system_never_signs",
        lambda: overrides.request_override(promotion, wanted(), actor=system(part)),
    )
    asked = overrides.request_override(promotion, wanted(), actor=session_actor(ml_engineer))
    refused(
        NotPermitted,
        "system_never_signs",
        lambda: overrides.confirm_override(asked, confirmation(), actor=system(part)),
    )


def test_one_person_cannot_be_both(asked: Override, ml_engineer: User) -> None:
    StakeholderFactory(project=asked.promotion.project, user=ml_engineer, role="business_owner")
    actor = session_actor(ml_engineer)
    refused(
        NotPermitted,
        "second_person_needed",
        lambda: overrides.confirm_override(asked, confirmation(), actor=actor),
    )


def test_the_database_holds_two_people_too(active: Override) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Override.objects.filter(pk=active.pk).update(confirmed_by=active.requested_by)


def test_both_in_one_role_are_one_voice(asked: Override, business_owner: User) -> None:
    StakeholderFactory(project=asked.promotion.project, user=business_owner, role="ml_engineer")
    actor = session_actor(business_owner)
    refused(
        RuleViolated,
        "same_role",
        lambda: overrides.confirm_override(asked, confirmation(role="ml_engineer"), actor=actor),
    )


def test_who_asked_and_lost_the_role_cannot_be_confirmed(
    asked: Override, ml_engineer: User, business_owner: User
) -> None:
    asked.promotion.project.stakeholders.filter(user=ml_engineer).delete()
    actor = session_actor(business_owner)
    refused(
        RuleViolated,
        "requester_lost_role",
        lambda: overrides.confirm_override(asked, confirmation(), actor=actor),
    )


def test_a_second_password_that_is_wrong_confirms_nothing(
    asked: Override, business_owner: User
) -> None:
    actor = session_actor(business_owner)
    refused(
        NotPermitted,
        "wrong_password",
        lambda: overrides.confirm_override(asked, confirmation(password="guess"), actor=actor),
    )


def test_a_request_that_is_too_old_cannot_be_confirmed(
    asked: Override, business_owner: User
) -> None:
    Override.objects.update(requested_at=timezone.now() - timedelta(hours=25))
    actor = session_actor(business_owner)
    refused(
        InvalidTransition,
        "override_lapsed",
        lambda: overrides.confirm_override(asked, confirmation(), actor=actor),
    )


def test_a_policy_without_break_glass_knows_none(promotion: Promotion, ml_engineer: User) -> None:
    version = promotion.review.policy_version
    text = "\n".join(
        line for line in version.text.splitlines() if not line.startswith("break_glass")
    )
    plain = PolicyVersion.objects.create(
        policy=version.policy, number=99, text=text, digest="e" * 64, status="retired"
    )
    GateReview.objects.filter(pk=promotion.review_id).update(policy_version=plain)
    promotion.refresh_from_db()
    actor = session_actor(ml_engineer)
    refused(
        RuleViolated,
        "no_break_glass",
        lambda: overrides.request_override(promotion, wanted(), actor=actor),
    )


def test_a_rejected_review_is_not_broken_past(
    promotion: Promotion, sign: Any, validator: User, ml_engineer: User
) -> None:
    sign(promotion.review, validator, "validator", outcome="rejected", reason="It leaks.")
    actor = session_actor(ml_engineer)
    refused(
        InvalidTransition,
        "review_not_open",
        lambda: overrides.request_override(promotion, wanted(), actor=actor),
    )


def test_a_review_rejected_meanwhile_is_not_broken_past(
    asked: Override, sign: Any, validator: User, business_owner: User
) -> None:
    sign(asked.promotion.review, validator, "validator", outcome="rejected", reason="It leaks.")
    actor = session_actor(business_owner)
    refused(
        InvalidTransition,
        "review_not_open",
        lambda: overrides.confirm_override(asked, confirmation(), actor=actor),
    )


def test_there_is_one_request_at_a_time(asked: Override, ml_engineer: User) -> None:
    actor = session_actor(ml_engineer)
    refused(
        RuleViolated,
        "override_open",
        lambda: overrides.request_override(asked.promotion, wanted(), actor=actor),
    )


@pytest.mark.parametrize("who", ["ml_engineer", "business_owner"])
def test_a_request_is_taken_back_or_declined(asked: Override, who: str, request: Any) -> None:
    actor = session_actor(request.getfixturevalue(who))
    overrides.decline_override(asked, actor=actor, reason="It can wait.")
    assert asked.status == "declined"
    refused(
        InvalidTransition,
        "invalid_transition",
        lambda: overrides.decline_override(asked, actor=actor, reason="Again."),
    )


def test_who_may_not_break_the_glass_declines_nothing(
    asked: Override, data_scientist: User
) -> None:
    actor = session_actor(data_scientist)
    refused(
        NotPermitted,
        "role_missing",
        lambda: overrides.decline_override(asked, actor=actor, reason="No."),
    )


def test_withdrawing_the_after_review_stops_what_it_let_through(
    serving: Promotion, ml_engineer: User
) -> None:
    reviews.withdraw_review(serving.review, actor=session_actor(ml_engineer))
    serving.refresh_from_db()
    assert serving.status == "suspended"
