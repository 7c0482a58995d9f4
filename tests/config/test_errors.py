"""Every way a view can fail, seen from outside."""

import pytest
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.config.urls")]

REFUSALS = [
    ("input", 400, "not_a_number", "Send a number."),
    ("permission", 403, "role_missing", "Only the lead may."),
    ("missing", 404, "scope_unknown", "No such scope."),
    ("transition", 409, "invalid_transition", "It is closed."),
    ("stale", 409, "stale_state", "Someone was faster."),
    ("rule", 422, "scope_not_ready", "Not ready."),
    ("away", 503, "mlflow_unreachable", "MLflow is away."),
]


@pytest.fixture
def client() -> Client:
    # As a real server behaves: an exception becomes an answer.
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("door", ["/api/failing/{}/", "/serve/failing/{}"])
@pytest.mark.parametrize(("kind", "status", "code", "sentence"), REFUSALS)
def test_a_refusal_is_a_problem_document_for_programs(client, door, kind, status, code, sentence):
    answer = client.get(door.format(kind))
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["code"], body["detail"]) == (status, code, sentence)


@pytest.mark.parametrize(("kind", "status", "code", "sentence"), REFUSALS)
def test_a_refusal_is_a_page_for_people(client, kind, status, code, sentence):
    answer = client.get(f"/failing/{kind}/")
    assert answer.status_code == status
    assert answer["Content-Type"].startswith("text/html")
    assert sentence in answer.content.decode()


def test_reasons_reach_programs_and_people(client):
    assert client.get("/api/failing/rule/").json()["reasons"] == ["No criterion."]
    assert "<li>No criterion.</li>" in client.get("/failing/rule/").content.decode()


def test_a_detail_cannot_overwrite_a_member_of_the_standard(client):
    body = client.get("/api/failing/transition/").json()
    assert (body["status"], body["current_status"]) == (409, "closed")


@pytest.mark.parametrize("door", ["/api/failing/bug/", "/serve/failing/bug", "/failing/bug/"])
def test_a_bug_is_a_500_that_says_nothing_about_the_inside(client, caplog, door):
    answer = client.get(door)
    assert answer.status_code == 500
    assert b"secret inside" not in answer.content
    assert b"Traceback" not in answer.content
    assert any(record.exc_info for record in caplog.records), "the trace belongs in the log"


def test_a_bug_names_the_request_so_that_the_log_can_be_searched(client):
    answer = client.get("/api/failing/bug/", headers={"X-Request-ID": "abc-1"})
    assert answer["X-Request-ID"] == answer.json()["request_id"] == "abc-1"


def test_a_malformed_request_id_is_replaced(client):
    answer = client.get("/healthz", headers={"X-Request-ID": "a b\tc"})
    assert len(answer["X-Request-ID"]) == 32


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("get", "/api/no-such-thing/", 404, "not_found"),
        ("get", "/api/v1/no-such-thing/", 404, "not_found"),
        ("get", "/api/failing/http404/", 404, "not_found"),
        ("get", "/api/failing/denied/", 403, "not_permitted"),
        ("get", "/serve/failing/denied", 403, "not_permitted"),
        ("delete", "/api/failing/rule/", 405, "method_not_allowed"),
        ("get", "/api/v1/tokens/", 401, "not_authenticated"),
    ],
)
def test_framework_errors_are_problem_documents_too(client, method, path, status, code):
    answer = getattr(client, method)(path)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code


def test_405_says_what_is_allowed(client):
    assert "GET" in client.delete("/api/failing/rule/")["Allow"]


def test_401_says_how_to_authenticate(client):
    assert client.get("/api/v1/tokens/")["WWW-Authenticate"] == "Bearer"


def test_an_unknown_media_type_is_a_415_problem(client):
    answer = client.post("/api/failing/rule/", "<a/>", content_type="text/xml")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_broken_json_is_a_400_problem(client):
    answer = client.post("/api/failing/rule/", "{", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


def test_an_unknown_host_is_a_400_problem(client):
    answer = client.get("/api/v1/", headers={"host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_an_unknown_page_is_a_404_page(client):
    answer = client.get("/no-such-page/")
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


def test_a_form_without_csrf_token_is_refused_with_a_page():
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/admin/login/", {"username": "a", "password": "b"})
    assert answer.status_code == 403
    assert b"expired" in answer.content
