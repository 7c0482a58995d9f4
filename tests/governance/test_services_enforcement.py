"""The guard: what the registry may do without a decision is nothing."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError

from governance.models import DeniedAttempt, Environment, GateReview, Promotion
from governance.services import enforcement, promotions, reviews
from governance.services.enforcement import AliasChange
from governance.services.evidence import Material, record_evidence
from ledger.models import LedgerEntry
from projects.actors import Actor, system
from projects.errors import NotPermitted
from tests.factories import session_actor

pytestmark = pytest.mark.django_db
MODEL = "term-deposit-calls"
WORKER = system("promotion")


def change(version: int | None = 1, alias: str = "champion") -> AliasChange:
    return AliasChange(MODEL, alias, version)


def refusal(actor: Actor, what: AliasChange) -> NotPermitted:
    """Return the refusal, after asserting that it is on record."""
    before = DeniedAttempt.objects.count()
    with pytest.raises(NotPermitted) as error:
        enforcement.require_alias_change(what, actor=actor)
    assert DeniedAttempt.objects.count() == before + 1
    assert DeniedAttempt.objects.first().code == error.value.code
    return error.value


@pytest.fixture
def claimed(approved: Promotion) -> Promotion:
    assert promotions.claim_promotion(approved, worker="host:1")
    return approved


def test_the_worker_moves_the_alias_of_a_claimed_promotion_in_one_query(
    claimed: Promotion, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        enforcement.require_alias_change(change(), actor=WORKER)
    enforcement.require_alias_change(change(alias="Champion"), actor=WORKER)
    assert not DeniedAttempt.objects.exists()


def test_the_worker_may_set_an_applied_alias_again(applied: Promotion) -> None:
    enforcement.require_alias_change(change(), actor=WORKER)


@pytest.mark.parametrize("who", ["lead", "ml_engineer", "superuser", "outsider"])
def test_no_person_moves_the_alias_even_of_an_approved_version(
    claimed: Promotion, request: Any, who: str
) -> None:
    refused = refusal(session_actor(request.getfixturevalue(who)), change())
    assert refused.code == "promotion_not_approved"


@pytest.mark.parametrize("part", ["monitoring", "retraining", "serving", "governance"])
def test_no_other_part_of_the_system_moves_the_alias(claimed: Promotion, part: str) -> None:
    assert refusal(system(part), change()).code == "promotion_not_approved"


@pytest.mark.parametrize("what", [change(2), change(None)])
def test_the_worker_moves_nothing_but_what_was_approved(
    claimed: Promotion, what: AliasChange
) -> None:
    assert refusal(WORKER, what).code == "promotion_not_approved"


@pytest.mark.parametrize("status", sorted(set(Promotion.Status.values) - {"applying", "applied"}))
def test_a_promotion_in_any_other_state_moves_nothing(claimed: Promotion, status: str) -> None:
    Promotion.objects.filter(pk=claimed.pk).update(status=status)
    assert refusal(WORKER, change()).code == "promotion_not_approved"


@pytest.mark.parametrize("status", ["suspended", "stale", "expired"])
def test_a_claimed_promotion_whose_review_ended_moves_nothing(
    claimed: Promotion, status: str
) -> None:
    GateReview.objects.filter(pk=claimed.review_id).update(status=status)
    assert refusal(WORKER, change()).code == "promotion_not_approved"


def test_the_refusal_names_what_is_unmet_and_where_the_review_is(
    promotion: Promotion, ml_engineer: User, settings: Any
) -> None:
    refused = refusal(session_actor(ml_engineer), change())
    assert "A sign-off as validator is missing." in refused.message
    assert f"{settings.BASE_URL}/reviews/{promotion.review_id}/" in refused.message
    assert DeniedAttempt.objects.first().project == promotion.project


def test_without_a_promotion_the_refusal_says_to_ask_for_one(
    policy: Any, ml_engineer: User
) -> None:
    refused = refusal(session_actor(ml_engineer), change())
    assert refused.code == "promotion_not_approved"
    assert "No promotion was requested" in refused.message


@pytest.mark.parametrize("alias", ["staging", "latest", "champion2"])
def test_aliases_that_stand_for_no_environment_are_refused(claimed: Promotion, alias: str) -> None:
    refused = refusal(WORKER, change(alias=alias))
    assert refused.code == "alias_not_allowed"
    assert "champion" in refused.message


@pytest.mark.parametrize("mode", ["warn", "observe"])
def test_a_weaker_mode_lets_through_and_records(policy: Any, ml_engineer: User, mode: str) -> None:
    Environment.objects.declare("production", mode=mode)
    enforcement.require_alias_change(change(), actor=session_actor(ml_engineer))
    assert LedgerEntry.objects.filter(event="registry.change_let_through").count() == 1
    assert not DeniedAttempt.objects.exists()


def test_what_breaks_inside_is_a_refusal_that_says_so(
    claimed: Promotion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> bool:
        raise DatabaseError("gone")

    monkeypatch.setattr(enforcement, "_is_being_applied", broken)
    with pytest.raises(NotPermitted) as error:
        enforcement.require_alias_change(change(), actor=WORKER)
    assert error.value.code == "governance_unavailable"
    monkeypatch.setattr(enforcement.retention, "why_kept", broken)
    with pytest.raises(NotPermitted) as error:
        enforcement.is_frozen(MODEL, 1)
    assert error.value.code == "governance_unavailable"


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("transition_stage", "stages_not_used"),
        ("delete_version", "version_frozen"),
        ("write_artifact", "version_frozen"),
        ("delete_model", "model_frozen"),
        ("rename_model", "model_frozen"),
        ("reserved_tag", "tag_reserved"),
        ("delete_alias", "promotion_not_approved"),
        ("format_disk", "unknown_action"),
    ],
)
def test_the_registry_changes_nothing_under_review(
    promotion: Promotion, ml_engineer: User, action: str, code: str
) -> None:
    with pytest.raises(NotPermitted) as error:
        enforcement.require_registry_change(
            actor=session_actor(ml_engineer),
            action=action,
            model_name=MODEL,
            version=1,
            detail="champion",
        )
    assert error.value.code == code
    assert DeniedAttempt.objects.filter(code=code).count() == 1


@pytest.mark.parametrize(
    "action", ["create_version", "delete_version", "write_artifact", "delete_model", "rename_model"]
)
def test_what_nobody_reviews_may_change(policy: Any, ml_engineer: User, action: str) -> None:
    enforcement.require_registry_change(
        actor=session_actor(ml_engineer), action=action, model_name="sandbox", version=1
    )
    assert not DeniedAttempt.objects.exists()


def test_another_version_of_a_reviewed_model_may_change(
    promotion: Promotion, ml_engineer: User
) -> None:
    assert enforcement.is_frozen(MODEL, 1)
    assert not enforcement.is_frozen(MODEL, 2)
    enforcement.require_registry_change(
        actor=session_actor(ml_engineer), action="create_version", model_name=MODEL
    )


def test_a_suspended_version_stays_frozen_and_a_withdrawn_one_is_free(
    applied: Promotion, promotion: Promotion
) -> None:
    reviews.suspend_review(applied.review, actor=system("monitoring"), reason="Drift.")
    assert "suspended promotion" in enforcement.is_frozen(MODEL, 1)
    Promotion.objects.update(status="withdrawn", applied_at=None)
    assert enforcement.is_frozen(MODEL, 1) == ""


def test_a_stale_review_keeps_the_files_as_they_were_bound(
    promotion: Promotion, lead: User, data_scientist: User
) -> None:
    about = ("model_version", promotion.subject_ref, "note", "Note")
    material = Material(promotion.project, *about, data={"text": "late"})
    record_evidence(material, actor=session_actor(data_scientist))
    promotion.review.refresh_from_db()
    assert promotion.review.status == "stale"
    Promotion.objects.update(status="withdrawn")
    assert "is under review" in enforcement.is_frozen(MODEL, 1)
    reviews.withdraw_review(promotion.review, actor=session_actor(lead))
    assert enforcement.is_frozen(MODEL, 1) == ""


def test_serving_is_allowed_only_while_the_promotion_stands(
    applied: Promotion, risk_officer: User
) -> None:
    allowed = enforcement.may_deploy(MODEL, 1, "production")
    assert (allowed.allowed, allowed.reasons, allowed.promotion) == (True, [], applied)
    other = enforcement.may_deploy(MODEL, 2, "production")
    assert not other.allowed
    assert other.reasons == [f"No promotion of {MODEL} v2 to production was requested."]
    promotions.suspend_promotion(applied, actor=session_actor(risk_officer), reason="Drift.")
    ended = enforcement.may_deploy(MODEL, 1, "production")
    assert (ended.allowed, ended.reasons) == (False, ["The promotion is suspended. Drift."])
    assert ended.review_url.endswith(f"/reviews/{applied.review_id}/")
