"""Who may come in to MLflow: token, password or session, and nobody else."""

import base64

import pytest
import requests

from pipeline.gateway import authentication
from pipeline.gateway.service_tokens import token_for
from projects.actors import system
from tests.factories import PASSWORD, session_actor

pytestmark = pytest.mark.django_db(transaction=True)
SEARCH = "/api/2.0/mlflow/experiments/search?max_results=5"
CREATE = "/api/2.0/mlflow/experiments/create"


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}


def get(server, path=SEARCH, **headers) -> requests.Response:
    return requests.get(f"{server.url}{path}", headers=headers, timeout=30, allow_redirects=False)


@pytest.fixture
def cookie(client_for, data_scientist) -> str:
    return f"sessionid={client_for(data_scientist).cookies['sessionid'].value}"


def create(server, **headers) -> requests.Response:
    body = {"name": "term-deposit-calls/by-session"}
    return requests.post(f"{server.url}{CREATE}", json=body, headers=headers, timeout=30)


def test_programs_without_credentials_are_asked_for_them(mlflow_server):
    answer = get(mlflow_server)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Countersign"'
    assert answer.json()["error_code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "path", ["/", SEARCH, "/graphql", "/version", "/static-files/x.js", "/get-artifact?path=x"]
)
def test_every_path_needs_somebody(mlflow_server, path):
    assert get(mlflow_server, path).status_code == 401


def test_browsers_are_sent_to_sign_in(mlflow_server):
    answer = get(mlflow_server, "/", Accept="text/html")
    assert answer.status_code == 302
    assert "next=/mlflow/" in answer.headers["Location"]


def test_a_token_a_password_and_a_token_as_password_open(mlflow_server, data_scientist):
    token = mlflow_server.token(data_scientist)
    for headers in (
        {"Authorization": f"Bearer {token}"},
        basic("sam", PASSWORD),
        basic("sam", token),
        basic("token", token),
    ):
        assert get(mlflow_server, **headers).status_code == 200


def test_wrong_credentials_never_fall_back_to_a_session(mlflow_server, cookie, data_scientist):
    token = mlflow_server.token(data_scientist)
    for headers in (
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer job.wrong"},
        {"Authorization": "Negotiate x"},
        {"Authorization": "Basic ###"},
        basic("sam", "wrong"),
        basic("mia", token),
    ):
        assert get(mlflow_server, Cookie=cookie, **headers).status_code == 401


def test_a_password_is_checked_once_a_minute_and_anew_when_it_changes(
    mlflow_server, data_scientist, monkeypatch
):
    calls = []
    check = authentication.authenticate
    monkeypatch.setattr(
        authentication, "authenticate", lambda *a, **k: calls.append(1) or check(*a, **k)
    )
    for _ in range(3):
        assert get(mlflow_server, **basic("sam", PASSWORD)).status_code == 200
    assert len(calls) == 1
    data_scientist.set_password("another horse")
    data_scientist.save()
    assert get(mlflow_server, **basic("sam", PASSWORD)).status_code == 401


def test_a_person_who_left_is_out_at_once(mlflow_server, data_scientist):
    token = mlflow_server.token(data_scientist)
    assert get(mlflow_server, **basic("sam", PASSWORD)).status_code == 200
    data_scientist.is_active = False
    data_scientist.save()
    assert get(mlflow_server, **basic("sam", PASSWORD)).status_code == 401
    assert get(mlflow_server, Authorization=f"Bearer {token}").status_code == 401


def test_guessing_locks_out_even_the_right_password(mlflow_server, data_scientist, settings):
    settings.AXES_ENABLED = True
    assert get(mlflow_server, **basic("sam", PASSWORD)).status_code == 200
    for _ in range(settings.AXES_FAILURE_LIMIT):
        assert get(mlflow_server, **basic("sam", "guess")).status_code == 401
    assert get(mlflow_server, **basic("sam", PASSWORD)).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Referer": "https://evil.example/"},
    ],
)
def test_a_session_changes_nothing_for_another_site(mlflow_server, cookie, headers):
    from pipeline.models import Experiment

    answer = create(mlflow_server, Cookie=cookie, **headers)
    assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert not Experiment.objects.exists()


def test_a_session_works_from_our_own_pages(mlflow_server, cookie):
    origin = mlflow_server.url.removesuffix("/mlflow")
    assert get(mlflow_server, Cookie=cookie).status_code == 200
    assert create(mlflow_server, Cookie=cookie, Origin=origin).status_code == 200


def test_a_password_that_a_browser_remembers_is_no_way_in_either(mlflow_server, data_scientist):
    headers = {**basic("sam", PASSWORD), "Origin": "https://evil.example"}
    assert create(mlflow_server, **headers).status_code == 403


def test_no_other_origin_is_ever_allowed_to_read(mlflow_server, cookie):
    answer = get(mlflow_server, Cookie=cookie, Origin="http://localhost:1234")
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_job_calls_as_whom_it_works_for(mlflow_server, data_scientist):
    from pipeline.models import Experiment

    token = token_for(session_actor(data_scientist))
    assert create(mlflow_server, Authorization=f"Bearer {token}").status_code == 200
    assert Experiment.objects.get().created_by == data_scientist
    part = token_for(system("monitoring"))
    body = {"name": "term-deposit-calls/by-part"}
    answer = requests.post(
        f"{mlflow_server.url}{CREATE}",
        json=body,
        headers={"Authorization": f"Bearer {part}"},
        timeout=30,
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "role_missing")


def test_the_interface_loads_below_the_mount(mlflow_server, cookie):
    page = get(mlflow_server, "/", Cookie=cookie)
    assert page.status_code == 200
    script = page.text.partition('src="static-files/')[2].partition('"')[0]
    assert get(mlflow_server, f"/static-files/{script}", Cookie=cookie).status_code == 200
    assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]
