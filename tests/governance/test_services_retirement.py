"""Retirement: asked for, signed, the alias gone, the files kept until the day that was named."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance.models import DeniedAttempt, GateReview, LineageEdge, PolicyVersion, Promotion
from governance.services import enforcement, promotions, retirement, reviews, rollback
from governance.services.enforcement import AliasChange
from governance.services.evidence import Material, record_evidence
from ledger.models import LedgerEntry
from projects.actors import system
from projects.errors import (
    DomainError,
    InvalidTransition,
    NotFound,
    NotPermitted,
    RuleViolated,
)
from tests.factories import StakeholderFactory, edit_past_the_triggers, session_actor

pytestmark = pytest.mark.django_db
MODEL = "term-deposit-calls"
WORKER = system("promotion")
Retire = Callable[[Promotion], Promotion]


@pytest.fixture
def retiring(
    sign: Any, ml_engineer: User, data_scientist: User, business_owner: User, risk_officer: User
) -> Retire:
    """Take a promotion's retirement through its review: `retiring(applied)`."""

    def retire(promotion: Promotion) -> Promotion:
        review = retirement.request_retirement(promotion, actor=session_actor(ml_engineer))
        plan = Material(
            promotion.project,
            "model_version",
            promotion.subject_ref,
            "retirement_plan",
            "What takes its place",
            data={"consumers": "told"},
        )
        record_evidence(plan, actor=session_actor(data_scientist))
        reviews.refresh_review(review, actor=session_actor(data_scientist))
        sign(review, business_owner, "business_owner")
        sign(review, risk_officer, "risk_officer")
        promotion.refresh_from_db()
        return promotion

    return retire


@pytest.fixture
def retired(applied: Promotion, retiring: Retire) -> Promotion:
    retiring(applied)
    assert retirement.claim_retirement(applied, worker="here:1")
    return retirement.mark_retired(applied, actor=WORKER)


def removal(model: str = MODEL) -> AliasChange:
    return AliasChange(model, "champion", None)


def test_it_serves_until_the_review_is_approved_and_not_a_moment_longer(
    applied: Promotion, retiring: Retire, ml_engineer: User
) -> None:
    review = retirement.request_retirement(applied, actor=session_actor(ml_engineer))
    applied.refresh_from_db()
    assert (review.gate, review.status, applied.status) == ("retirement", "open", "applied")
    assert enforcement.may_deploy(MODEL, 1, "production").allowed
    reviews.withdraw_review(review, actor=session_actor(ml_engineer))
    retiring(applied)
    assert applied.status == "retiring"
    assert not enforcement.may_deploy(MODEL, 1, "production").allowed
    assert applied.retain_until == timezone.localdate() + timedelta(days=90)


def test_from_request_to_retired_every_step_is_recorded(retired: Promotion) -> None:
    events = LedgerEntry.objects.filter(subject=retired.ref).order_by("seq")
    assert list(events.values_list("event", flat=True))[-4:] == [
        "promotion.retirement_requested",
        "promotion.retiring",
        "promotion.claimed",
        "promotion.retired",
    ]
    edge = LineageEdge.objects.get(kind="retires")
    assert (edge.source.ref, edge.target.ref) == (retired.retirement.ref, retired.ref)


def test_who_asks_for_it_does_not_sign_it(
    applied: Promotion, sign: Any, business_owner: User
) -> None:
    StakeholderFactory(project=applied.project, role="business_owner")
    review = retirement.request_retirement(applied, actor=session_actor(business_owner))
    with pytest.raises(RuleViolated) as refusal:
        sign(review, business_owner, "business_owner")
    assert refusal.value.code == "separation_of_duties"
    assert not review.sign_offs.exists()


def test_a_rejected_retirement_leaves_it_where_it_was(
    applied: Promotion, sign: Any, ml_engineer: User, business_owner: User
) -> None:
    review = retirement.request_retirement(applied, actor=session_actor(ml_engineer))
    sign(review, business_owner, "business_owner", outcome="rejected", reason="Still needed.")
    applied.refresh_from_db()
    assert (review.status, applied.status) == ("rejected", "applied")
    assert enforcement.may_deploy(MODEL, 1, "production").allowed


def test_a_policy_without_the_gate_says_so(
    applied: Promotion, policy: PolicyVersion, ml_engineer: User
) -> None:
    text = policy.text
    start, end = text.index("  retirement:\n"), text.index("  policy:\n    title")
    edit_past_the_triggers(
        PolicyVersion.objects.filter(pk=policy.pk), text=text[:start] + text[end:]
    )
    entries = GateReview.objects.count()
    with pytest.raises(RuleViolated) as refusal:
        retirement.request_retirement(applied, actor=session_actor(ml_engineer))
    assert refusal.value.code == "no_retirement_gate"
    assert GateReview.objects.count() == entries
    assert DeniedAttempt.objects.get().code == "no_retirement_gate"


@pytest.mark.parametrize(
    ("user", "error"),
    [("validator", NotPermitted), ("auditor", NotPermitted), ("outsider", NotFound)],
)
def test_nobody_else_may_ask(
    applied: Promotion, request: Any, user: str, error: type[DomainError]
) -> None:
    actor = session_actor(request.getfixturevalue(user))
    with pytest.raises(error):
        retirement.request_retirement(applied, actor=actor)
    assert not GateReview.objects.filter(gate="retirement").exists()


def test_it_is_asked_for_once(applied: Promotion, ml_engineer: User) -> None:
    actor = session_actor(ml_engineer)
    retirement.request_retirement(applied, actor=actor)
    with pytest.raises(RuleViolated) as refusal:
        retirement.request_retirement(applied, actor=actor)
    assert refusal.value.code == "retirement_open"
    assert GateReview.objects.filter(gate="retirement").count() == 1


def test_what_never_stood_is_not_retired(approved: Promotion, ml_engineer: User) -> None:
    with pytest.raises(InvalidTransition):
        retirement.request_retirement(approved, actor=session_actor(ml_engineer))
    assert not GateReview.objects.filter(gate="retirement").exists()


def test_the_alias_goes_for_the_worker_that_holds_the_retirement_and_for_nobody_else(
    applied: Promotion, retiring: Retire, ml_engineer: User
) -> None:
    def is_refused(actor: Any, change: AliasChange) -> bool:
        try:
            enforcement.require_alias_change(change, actor=actor)
        except NotPermitted:
            return True
        return False

    assert is_refused(WORKER, removal())
    retiring(applied)
    assert is_refused(WORKER, removal()), "no worker has claimed it yet"
    assert retirement.claim_retirement(applied, worker="here:1")
    assert not is_refused(WORKER, removal())
    assert is_refused(WORKER, removal("another-model"))
    for actor in (session_actor(ml_engineer), system("gateway"), system("monitoring")):
        assert is_refused(actor, removal())
    retirement.mark_retired(applied, actor=WORKER)
    assert is_refused(WORKER, removal()), "it is over"


def test_one_worker_holds_it_and_finishing_twice_is_finishing_once(
    applied: Promotion, retiring: Retire
) -> None:
    retiring(applied)
    late = Promotion.objects.get(pk=applied.pk)
    assert retirement.claim_retirement(applied, worker="elsewhere:1")
    assert not retirement.claim_retirement(late, worker="elsewhere:2")
    old = timezone.now() - promotions.CLAIM_LASTS - timedelta(seconds=1)
    Promotion.objects.filter(pk=applied.pk).update(claimed_at=old)
    assert retirement.claim_retirement(late, worker="elsewhere:2")
    for _ in range(2):
        retirement.mark_retired(late, actor=WORKER)
    assert LedgerEntry.objects.filter(event="promotion.retired").count() == 1


def test_while_a_retirement_takes_the_alias_nobody_sets_it(
    applied: Promotion, retiring: Retire, promote_second: Any
) -> None:
    second = promote_second(applied)
    Promotion.objects.filter(pk=second.pk).update(status="approved")
    applied.refresh_from_db()
    retiring(applied)
    second.refresh_from_db()
    assert retirement.claim_retirement(applied, worker="elsewhere:1")
    assert not promotions.claim_promotion(second, worker="elsewhere:2")
    retirement.mark_retired(applied, actor=WORKER)
    assert promotions.claim_promotion(second, worker="elsewhere:2")


def test_a_version_that_was_in_use_is_kept_until_its_day(
    retired: Promotion, ml_engineer: User
) -> None:
    def delete(action: str) -> None:
        enforcement.require_registry_change(
            actor=session_actor(ml_engineer), action=action, model_name=MODEL, version=1
        )

    actions = ("delete_version", "write_artifact", "delete_model", "rename_model")
    for action in actions:
        with pytest.raises(NotPermitted) as refusal:
            delete(action)
        assert f"kept until {retired.retain_until}" in refusal.value.message
    Promotion.objects.filter(pk=retired.pk).update(retain_until=timezone.localdate())
    for action in actions:
        delete(action)


def test_a_version_that_may_be_gone_back_to_is_kept_until_it_is_retired_too(
    applied: Promotion, promote_second: Any, retiring: Retire
) -> None:
    second = promote_second(applied)
    applied.refresh_from_db()
    GateReview.objects.filter(pk=applied.review_id).update(status="expired")
    assert "retire it there first" in enforcement.is_frozen(MODEL, 1)
    retiring(applied)
    assert retirement.claim_retirement(applied, worker="here:1")
    retirement.mark_retired(applied, actor=WORKER)
    assert "kept until" in enforcement.is_frozen(MODEL, 1)
    assert promotions.standing_promotion(MODEL, "production") == second


def test_a_version_on_its_way_out_is_no_version_to_go_back_to(
    applied: Promotion, promote_second: Any, ml_engineer: User
) -> None:
    second = promote_second(applied)
    assert rollback.last_good(second) == applied
    applied.refresh_from_db()
    review = retirement.request_retirement(applied, actor=session_actor(ml_engineer))
    assert rollback.last_good(second) is None
    reviews.withdraw_review(review, actor=session_actor(ml_engineer))
    assert rollback.last_good(second) == applied


def test_it_is_one_call_over_rest(applied: Promotion, ml_engineer: User, api: Any) -> None:
    place = f"/api/v1/promotions/{applied.pk}/retire/"
    answer = api(ml_engineer).post(place, {"reason": "v2 is better."}, format="json")
    assert answer.status_code == 201
    assert (answer.json()["gate"], answer.json()["status"]) == ("retirement", "open")
    assert api(ml_engineer).post(place, {}, format="json").status_code == 422
    applied.refresh_from_db()
    assert applied.retirement_id == answer.json()["id"]


def test_the_button_leads_to_the_review(
    applied: Promotion, ml_engineer: User, outsider: User, client_for: Any
) -> None:
    place = f"/promotions/{applied.pk}/retire/"
    assert client_for(outsider).post(place).status_code == 404
    answer = client_for(ml_engineer).post(place, {"reason": "v2 is better."}, follow=True)
    applied.refresh_from_db()
    assert answer.redirect_chain[-1][0] == f"/reviews/{applied.retirement_id}/"
    assert "goes on serving until this review is approved" in answer.content.decode()


def test_what_was_applied_is_not_withdrawn(
    applied: Promotion, promote_second: Any, ml_engineer: User
) -> None:
    second = promote_second(applied)
    rollback.roll_back(second, actor=session_actor(ml_engineer), reason="Scores are off.")
    applied.refresh_from_db()
    with pytest.raises(InvalidTransition):
        promotions.withdraw_promotion(applied, actor=session_actor(ml_engineer))
    applied.refresh_from_db()
    assert applied.status == "approved"
