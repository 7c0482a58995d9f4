"""The scoring address through the door: who may, what is answered, what is refused."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from config.tokens import create_token
from governance.models import Finding, GateReview, Override, Promotion
from ledger.models import LedgerEntry
from pipeline.models import Deployment, Prediction
from pipeline.services import loading
from pipeline.services.loading import model_directory
from tests.pipeline.conftest import post_json, rows_of, split_of

pytestmark = pytest.mark.django_db
INVOKE, LABEL = "/serve/calls/invocations", "/serve/calls/labels"


@pytest.fixture
def ask(client_for, ml_engineer, served):
    client = client_for(ml_engineer)

    def send(body=None, address=INVOKE):
        payload = {"dataframe_split": split_of(rows_of(3))} if body is None else body
        return post_json(client, address, payload)

    return send


def problem(answer, status, code):
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    return answer.json()


def test_an_answer_names_version_decision_and_digest(ask, served):
    answer = ask()
    assert answer.status_code == 200, answer.content
    body, promotion = answer.json(), served.promotion
    assert len(body["predictions"]) == 3
    assert all(0 <= score <= 1 for score in body["predictions"])
    assert body["metadata"] == {
        "model": "term-deposit-calls",
        "version": 1,
        "promotion": promotion.ref,
        "decision": promotion.review.ref,
        "digest": promotion.files_digest,
        "decision_threshold": 0.5,
        "prediction_ids": [row.prediction_id for row in Prediction.objects.all()],
    }
    assert answer.headers["X-Countersign-Version"] == "term-deposit-calls/1"
    assert answer.headers["X-Countersign-Decision"] == promotion.review.ref
    assert answer.headers["X-Countersign-Digest"] == promotion.files_digest
    served.refresh_from_db()
    assert served.status == "serving"
    assert LedgerEntry.objects.filter(event="deployment.verified").count() == 1


def test_answers_are_kept_with_inputs_time_and_version(ask, served):
    params = {"event_time": "2009-06-03T10:00:00Z", "prediction_ids": ["a", "b", "c"]}
    ask({"dataframe_split": split_of(rows_of(3)), "params": params})
    kept = Prediction.objects.get(prediction_id="a")
    assert set(kept.features) == {"age", "calls", "job", "rate"}
    assert (kept.occurred_at.isoformat(), kept.version) == (
        "2009-06-03T10:00:00+00:00",
        served.version,
    )


def test_a_thousand_rows_take_less_than_a_second(ask):
    payload = {"dataframe_split": split_of(rows_of(1000))}
    ask()
    started = time.process_time()
    answer = ask(payload)
    assert time.process_time() - started < 1
    assert len(answer.json()["predictions"]) == 1000


def test_one_request_costs_a_fixed_number_of_queries(ask, django_assert_max_num_queries):
    ask()
    with django_assert_max_num_queries(9):
        ask({"dataframe_split": split_of(rows_of(80))})


def test_a_token_opens_the_door_and_a_wrong_one_does_not(client, served, ml_engineer, actor):
    token = create_token(ml_engineer, actor=actor(ml_engineer), name="scoring")[1]
    body = {"dataframe_split": split_of(rows_of(1))}
    answer = post_json(client, INVOKE, body, HTTP_AUTHORIZATION=f"Bearer {token}")
    assert answer.status_code == 200
    wrong = post_json(client, INVOKE, body, HTTP_AUTHORIZATION="Bearer nonsense")
    assert problem(wrong, 401, "not_authenticated")


def test_nobody_in_particular_is_asked_to_sign_in(client, served):
    answer = post_json(client, INVOKE, {})
    problem(answer, 401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_foreign_page_cannot_score_with_somebodys_session(client_for, ml_engineer, served):
    client = client_for(ml_engineer)
    answer = post_json(client, INVOKE, {}, HTTP_ORIGIN="https://evil.example")
    problem(answer, 403, "cross_origin")


def test_an_auditor_may_not_score_and_a_stranger_sees_nothing(
    client_for, auditor, outsider, served
):
    body = {"dataframe_split": split_of(rows_of(1))}
    problem(post_json(client_for(auditor), INVOKE, body), 403, "role_missing")
    problem(post_json(client_for(outsider), INVOKE, body), 404, "not_found")
    problem(post_json(client_for(auditor), "/serve/nothing/invocations", body), 404, "not_found")
    assert not Prediction.objects.exists()


def test_only_post_is_answered(client_for, ml_engineer, served):
    answer = client_for(ml_engineer).get(INVOKE)
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda s: {**s, "columns": [*s["columns"], "shoe_size"],
                    "data": [[*row, 43] for row in s["data"]]}, "unknown_column"),
        (lambda s: {"columns": s["columns"][:-1], "data": [r[:-1] for r in s["data"]]},
         "missing_column"),
        (lambda s: {**s, "data": [["old", *s["data"][0][1:]]]}, "wrong_type"),
        (lambda s: {**s, "data": [[float("nan"), *s["data"][0][1:]]]}, "not_finite"),
        (lambda s: {**s, "data": []}, "empty_request"),
    ],
)  # fmt: skip
def test_rows_that_do_not_fit_are_refused_and_nothing_is_kept(ask, change, code):
    problem(ask({"dataframe_split": change(split_of(rows_of(1)))}), 400, code)
    assert not Prediction.objects.exists()


def test_a_body_that_is_too_large_is_refused(ask, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    problem(ask(), 413, "body_too_large")


def test_an_id_used_before_is_refused_whole(ask):
    payload = {
        "dataframe_split": split_of(rows_of(2)),
        "params": {"prediction_ids": ["a", "b"]},
    }
    assert ask(payload).status_code == 200
    payload["params"]["prediction_ids"] = ["c", "b"]
    problem(ask(payload), 400, "prediction_id_used")
    assert Prediction.objects.count() == 2


def test_one_changed_byte_is_refused_with_one_finding_until_it_is_restored(ask, served):
    assert ask().status_code == 200
    file = next(model_directory(served.version).rglob("*.skops"))
    original = file.read_bytes()
    file.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
    for _ in range(2):
        refusal = problem(ask(), 403, "digest_mismatch")
        assert refusal["signed"] == served.promotion.files_digest
    finding = Finding.objects.get()
    assert (finding.severity, finding.subject_ref) == ("critical", served.version.ref)
    served.refresh_from_db()
    assert served.status == "refused"
    assert LedgerEntry.objects.filter(event="deployment.refused").count() == 1
    file.write_bytes(original)
    assert ask().status_code == 200
    served.refresh_from_db()
    assert served.status == "serving"


def test_files_that_are_gone_are_refused(ask, served):
    next(model_directory(served.version).rglob("*.skops")).unlink()
    problem(ask(), 403, "digest_mismatch")


def test_files_are_hashed_again_only_when_they_changed(ask, monkeypatch):
    counted = []
    real = loading.tree_digest
    monkeypatch.setattr(loading, "tree_digest", lambda path: counted.append(path) or real(path))
    for _ in range(3):
        assert ask().status_code == 200
    assert len(counted) == 2  # before and after reading the model, once


@pytest.mark.parametrize("what", ["promotion", "review", "expiry"])
def test_a_decision_that_no_longer_stands_stops_the_answers(ask, served, what):
    assert ask().status_code == 200
    if what == "promotion":
        Promotion.objects.update(status="suspended", status_reason="The monitor fired.")
    elif what == "review":
        GateReview.objects.update(status="suspended")
    else:
        GateReview.objects.update(expires_at=timezone.now() - timedelta(days=1))
    problem(ask(), 403, "promotion_not_standing")
    served.refresh_from_db()
    assert served.status == "refused"
    assert Prediction.objects.count() == 3


@pytest.mark.no_ledger_guard
def test_break_glass_lets_an_open_review_serve_for_its_hours_alone(
    ask, served, ml_engineer, business_owner
):
    GateReview.objects.update(status="open", decided_at=None, expires_at=None)
    now = timezone.now()
    override = Override.objects.create(
        promotion=served.promotion, incident="INC-7", reason="It burns.", hours=1, status="active",
        requested_by=ml_engineer, requested_role="ml_engineer", confirmed_by=business_owner,
        confirmed_role="business_owner", expires_at=now + timedelta(hours=1),
    )  # fmt: skip
    assert ask().status_code == 200
    GateReview.objects.update(status="rejected", decided_at=now)
    problem(ask(), 403, "promotion_not_standing")
    GateReview.objects.update(status="open", decided_at=None)
    assert ask().status_code == 200
    Override.objects.filter(pk=override.pk).update(expires_at=now)
    problem(ask(), 403, "promotion_not_standing")


def test_a_deployment_without_a_version_waits(client_for, ml_engineer, world):
    world.deployment()
    answer = post_json(client_for(ml_engineer), INVOKE, {})
    problem(answer, 403, "promotion_not_standing")
    assert Deployment.objects.get().status == "waiting"


def test_a_model_with_untrusted_types_is_not_loaded(ask, served, monkeypatch):
    monkeypatch.setattr("pipeline.ml.store.untrusted_types", lambda data: ["os.system"])
    problem(ask(), 403, "untrusted_types")


def test_late_labels_are_joined_and_unknown_ids_are_reported(ask):
    ids = ask().json()["metadata"]["prediction_ids"]
    answer = ask({"labels": {ids[0]: 1, ids[1]: 0, "who": 1}}, LABEL)
    assert answer.json() == {"labelled": 2, "unknown": ["who"]}
    labels = dict(Prediction.objects.values_list("prediction_id", "label"))
    assert labels == {ids[0]: 1, ids[1]: 0, ids[2]: None}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "empty_request"),
        ({"labels": {}}, "empty_request"),
        ({"labels": [1]}, "empty_request"),
        ({"labels": {"a": 2}}, "wrong_label"),
        ({"labels": {"a": True}}, "wrong_label"),
        ({"labels": {"a": "yes"}}, "wrong_label"),
    ],
)
def test_labels_that_are_none_are_refused(ask, body, code):
    problem(ask(body, LABEL), 400, code)
