"""What was shown is what is signed: once, by whom it was shown to, while it is fresh."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.utils import timezone

from governance.models import GateReview, SignOff
from governance.rules.digests import digest_of
from governance.services import page_tokens, reviews
from governance.services.reviews import NewCondition
from ledger.models import LedgerEntry
from projects.errors import DomainError, InvalidInput, InvalidTransition, RuleViolated
from projects.models import Stakeholder
from tests.factories import PASSWORD, StakeholderFactory, page_token_for, session_actor
from tests.governance import fakes

pytestmark = pytest.mark.django_db
V1 = "/api/v1/gate-reviews"


def assert_refused(error: pytest.ExceptionInfo[DomainError], code: str, review: GateReview) -> None:
    assert error.value.code == code
    assert not SignOff.objects.filter(review=review).exists()
    assert not LedgerEntry.objects.filter(event="review.signed", subject=review.ref).exists()


def token(review: GateReview, user: User, **changes: str) -> str:
    said = {"role": "validator", "outcome": "approved", **changes}
    return page_token_for(review, said["role"], said["outcome"], actor=session_actor(user))


@pytest.mark.parametrize("worthless", ["", "made-up", "a:b:c"])
def test_without_the_token_of_a_page_nothing_is_signed(
    review: GateReview, sign: Any, validator: User, worthless: str
) -> None:
    with pytest.raises(RuleViolated) as error:
        sign(review, validator, "validator", page_token=worthless)
    assert_refused(error, "page_token_invalid", review)
    assert sign(review, validator, "validator").outcome == "approved"


@pytest.mark.parametrize(
    "changes", [{"outcome": "rejected"}, {"role": "business_owner"}], ids=["outcome", "role"]
)
def test_the_token_of_another_decision_signs_nothing(
    review: GateReview, sign: Any, validator: User, changes: dict[str, str]
) -> None:
    with pytest.raises(RuleViolated) as error:
        sign(review, validator, "validator", page_token=token(review, validator, **changes))
    assert_refused(error, "page_token_invalid", review)


def test_the_token_of_somebody_else_signs_nothing(
    review: GateReview, sign: Any, validator: User, business_owner: User
) -> None:
    with pytest.raises(RuleViolated) as error:
        sign(review, validator, "validator", page_token=token(review, business_owner))
    assert_refused(error, "page_token_invalid", review)


def test_the_token_of_another_review_signs_nothing(
    review: GateReview, data_review: GateReview, sign: Any, validator: User
) -> None:
    with pytest.raises(RuleViolated) as error:
        sign(review, validator, "validator", page_token=token(data_review, validator))
    assert_refused(error, "page_token_invalid", review)


def test_a_page_that_was_open_for_too_long_signs_nothing(
    review: GateReview, sign: Any, validator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = signing.time.time
    late = page_tokens.MAX_AGE_SECONDS + 1
    with monkeypatch.context() as patched:
        patched.setattr(signing.time, "time", lambda: clock() - late)
        old = token(review, validator)
    with pytest.raises(RuleViolated) as error:
        sign(review, validator, "validator", page_token=old)
    assert_refused(error, "page_token_expired", review)


def test_a_page_from_before_the_subject_moved_signs_nothing(
    candidate: str, world: fakes.Subjects, review: GateReview, sign: Any, validator: User
) -> None:
    old = token(review, validator)
    world.change(candidate, bindings={"run": fakes.sha("e")})
    reviews.refresh_review(review, actor=session_actor(validator))
    with pytest.raises(RuleViolated) as error:
        sign(review, validator, "validator", page_token=old)
    assert_refused(error, "subject_changed", review)


def test_a_page_that_showed_another_difference_signs_nothing(
    review: GateReview, sign: Any, validator: User
) -> None:
    actor = session_actor(validator)
    page = page_tokens.page_of(review, "validator", "approved", fakes.sha("9"), actor=actor)
    with pytest.raises(RuleViolated) as error:
        sign(review, validator, "validator", page_token=page_tokens.issue(page))
    assert_refused(error, "subject_changed", review)


def test_each_page_signs_once(review: GateReview, sign: Any, validator: User) -> None:
    once = token(review, validator)
    sign(review, validator, "validator", page_token=once)
    sign(review, validator, "validator", outcome="changes_requested", reason="Slices by job.")
    with pytest.raises(InvalidTransition) as error:
        sign(review, validator, "validator", page_token=once)
    assert error.value.code == "page_token_used"
    assert SignOff.objects.filter(review=review).count() == 2


def test_a_refused_try_leaves_the_page_usable(
    review: GateReview, sign: Any, validator: User
) -> None:
    shown = token(review, validator)
    with pytest.raises(DomainError):
        sign(review, validator, "validator", page_token=shown, password="wrong")
    assert sign(review, validator, "validator", page_token=shown).pk


# --- What the record holds ---------------------------------------------------------------------


def test_the_sign_off_keeps_how_it_came_about_and_the_ledger_only_its_digest(
    review: GateReview, client_for: Callable[[User], Any], validator: User
) -> None:
    StakeholderFactory(project=review.project, user=validator, role="operations")
    client = client_for(validator)
    shown = client.get(f"{V1}/{review.pk}/signing-statement/?role=validator").json()
    body = {
        "role": "validator",
        "outcome": "approved",
        "meaning": "I approve.",
        "reason": "Read it all.",
        "password": PASSWORD,
        "bindings_digest": shown["bindings_digest"],
        "page_token": shown["page_token"],
    }
    answer = client.post(
        f"{V1}/{review.pk}/sign/", json.dumps(body), "application/json",
        HTTP_USER_AGENT="Browser 1.0", REMOTE_ADDR="192.0.2.7",
    )  # fmt: skip
    assert answer.status_code == 201, answer.content
    signed = SignOff.objects.get(pk=answer.json()["id"])
    kept = signed.circumstances
    key = client.session.session_key
    assert kept["session_id_hash"] == hashlib.sha256(key.encode()).hexdigest()
    assert (kept["ip"], kept["user_agent"]) == ("192.0.2.7", "Browser 1.0")
    assert kept["locale"]
    assert kept["auth_methods"] == ["session", "password"]
    assert kept["reauthenticated_at"] <= signed.signed_at.isoformat()
    assert (kept["held_roles"], kept["tier"]) == (["operations", "validator"], "medium")
    assert len(kept["nonce"]) >= 16
    entry = LedgerEntry.objects.get(event="review.signed", subject=review.ref)
    assert entry.data["circumstances_digest"] == digest_of(kept)
    text = json.dumps(entry.data)
    assert not [word for word in ("192.0.2.7", "Browser", "Read it all", "Vera") if word in text]


def test_the_page_keeps_the_circumstances_too(
    review: GateReview, client_for: Callable[[User], Any], validator: User
) -> None:
    client = client_for(validator)
    body = {
        "role": "validator",
        "outcome": "approved",
        "meaning": "I approve.",
        "password": PASSWORD,
        "bindings_digest": review.bindings_digest,
        "page_token": token(review, validator),
    }
    answer = client.post(f"/reviews/{review.pk}/sign/", body, HTTP_USER_AGENT="Browser 2.0")
    assert answer.status_code == 302
    kept = SignOff.objects.get(review=review).circumstances
    assert (kept["user_agent"], kept["ip"]) == ("Browser 2.0", "127.0.0.1")


def test_the_first_approval_has_none_before_it(
    review: GateReview, sign: Any, validator: User
) -> None:
    signed = sign(review, validator, "validator")
    assert (signed.prior, signed.difference_digest) == (None, "")


def test_the_next_version_is_signed_against_the_last_approval(
    applied: Any, promote_second: Callable[[Any], Any]
) -> None:
    second = promote_second(applied)
    signed = SignOff.objects.get(review=second.review, role="validator")
    assert signed.prior == SignOff.objects.get(review=applied.review, role="validator")
    assert len(signed.difference_digest) == 64
    entry = LedgerEntry.objects.filter(event="review.signed", subject=second.review.ref).first()
    assert entry is not None
    assert entry.data["prior"] == signed.prior.ref
    assert entry.data["difference_digest"] == signed.difference_digest


def test_what_would_be_signed_is_shown_whole(
    applied: Any, promote_second: Callable[[Any], Any], api: Any, project: Any, data_scientist: User
) -> None:
    promote_second(applied)
    review = reviews.request_review(
        reviews.ReviewRequest("data", project, "dataset_version", fakes.DATASET),
        actor=session_actor(data_scientist),
    )
    owner = User.objects.get(username="dora")
    shown = api(owner).get(f"{V1}/{review.pk}/signing-statement/?role=data_owner").json()
    assert shown["bindings"] == review.bindings
    assert shown["bindings_digest"] in shown["text"]
    assert shown["prior"] is not None
    assert shown["changes"] == []


@pytest.mark.parametrize(
    ("who", "role", "refusal"),
    [
        ("vera", "business_owner", (403, "role_missing")),
        ("rita", "risk_officer", (422, "role_not_asked")),
        ("otto", "validator", (404, "not_found")),
        ("axel", "validator", (403, "not_permitted")),
    ],
)
def test_what_one_could_not_sign_is_not_shown_for_signing(
    review: GateReview, api: Any, outsider: User, who: str, role: str, refusal: tuple[int, str]
) -> None:
    user = User.objects.get(username=who)
    answer = api(user).get(f"{V1}/{review.pk}/signing-statement/?role={role}")
    assert answer.status_code == refusal[0]
    assert "page_token" not in answer.json()


# --- Outcomes ----------------------------------------------------------------------------------


def test_a_condition_names_the_later_gate_that_waits_for_it(
    review: GateReview, sign: Any, validator: User
) -> None:
    due = timezone.now().date() + timedelta(days=9)
    for gate in ("nowhere", "data", review.gate):
        with pytest.raises(InvalidInput) as error:
            sign(
                review, validator, "validator", outcome="approved_with_conditions", reason="Thin.",
                conditions=[NewCondition("Slice it.", due, gate)],
            )  # fmt: skip
        assert_refused(error, "unknown_gate", review)


def test_a_condition_is_not_due_before_it_is_made(
    review: GateReview, sign: Any, validator: User
) -> None:
    past = timezone.now().date() - timedelta(days=1)
    with pytest.raises(InvalidInput) as error:
        sign(
            review, validator, "validator", outcome="approved_with_conditions", reason="Thin.",
            conditions=[NewCondition("Slice it.", past)],
        )  # fmt: skip
    assert_refused(error, "due_date_passed", review)


def test_another_holder_of_the_role_lifts_a_block_with_a_reason_only(
    review: GateReview, sign: Any, validator: User, business_owner: User, risk_officer: User
) -> None:
    sign(review, validator, "validator", outcome="changes_requested", reason="Slice by job.")
    sign(review, business_owner, "business_owner")
    StakeholderFactory(project=review.project, user=risk_officer, role=Stakeholder.Role.VALIDATOR)
    with pytest.raises(InvalidInput) as error:
        sign(review, risk_officer, "validator")
    assert error.value.code == "reason_missing"
    assert SignOff.objects.filter(review=review).count() == 2
    sign(review, risk_officer, "validator", reason="The slices are in the card now.")
    assert review.status == "approved"


def test_losing_the_role_does_not_silence_who_asked_for_changes(
    review: GateReview, sign: Any, validator: User, business_owner: User, risk_officer: User
) -> None:
    sign(review, validator, "validator", outcome="changes_requested", reason="Slice by job.")
    Stakeholder.objects.filter(user=validator).delete()
    StakeholderFactory(project=review.project, user=risk_officer, role=Stakeholder.Role.VALIDATOR)
    sign(review, business_owner, "business_owner")
    reviews.evaluate_review(review, actor=session_actor(business_owner))
    assert review.status == "open"
    sign(review, risk_officer, "validator", reason="I read the slices.")
    assert review.status == "approved"
