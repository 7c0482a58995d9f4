"""REST of the boards, through the door."""

from datetime import UTC, datetime

import pytest
from rest_framework.test import APIClient

from ledger.models import LedgerEntry
from projects.facts import RunFact
from projects.models import WipLimit
from tests import factories

V1 = "/api/v1"


@pytest.fixture
def sprint(project):
    return factories.SprintFactory(project=project, status="active")


@pytest.fixture
def item(project, sprint):
    return factories.WorkItemFactory(project=project, sprint=sprint, status="todo", rank=1.0)


@pytest.fixture
def other(project, sprint):
    return factories.WorkItemFactory(project=project, sprint=sprint, status="todo", rank=2.0)


def run_fact(**fields):
    known = {
        "run_id": "a" * 32,
        "name": "logistic",
        "status": "FINISHED",
        "started_at": datetime(2026, 11, 2, tzinfo=UTC),
        "ended_at": datetime(2026, 11, 2, 1, tzinfo=UTC),
        "metrics": {},
        "work_item": None,
        "sprint": None,
        "launched_by": "sam",
        "is_eligible": True,
        "compute_seconds": 3600.0,
        "url": "/mlflow/#/experiments/1/runs/" + "a" * 32,
    }
    return RunFact(**{**known, **fields})


@pytest.fixture
def known_run(monkeypatch):
    """The project has one finished run; nobody marks it in MLflow."""
    fact = run_fact(metrics={"other": 1.0})
    monkeypatch.setattr("projects.facts.runs_of", lambda project: [fact])
    monkeypatch.setattr("projects.facts.tie_run", lambda run_id, item: None)
    monkeypatch.setattr("projects.facts.untie_run", lambda run_id, item: None)
    return fact


def test_an_item_is_ranked(item, other, data_scientist, api):
    url = f"{V1}/work-items/{other.pk}/rank/"
    answer = api(data_scientist).post(url, {"before": item.pk}, format="json")
    assert answer.status_code == 200, answer.data
    assert answer.data["rank"] < item.rank


@pytest.mark.parametrize("body", [{}, {"before": 999999}, {"before": "x"}])
def test_a_wrong_neighbour_is_a_bad_request(item, other, data_scientist, api, body):
    answer = api(data_scientist).post(f"{V1}/work-items/{item.pk}/rank/", body, format="json")
    assert answer.status_code == 400
    item.refresh_from_db()
    assert item.rank == 1.0


def test_limits_are_set_and_read_and_refuse(project, item, other, lead, api):
    client = api(lead)
    body = {"limits": {"doing": {"most": 1, "mode": "block"}, "review": {"most": 2}}}
    put = client.put(f"{V1}/projects/{project.pk}/wip-limits/", body, format="json")
    assert put.status_code == 200, put.data
    assert client.post(f"{V1}/work-items/{item.pk}/move/", {"to": "doing"}).status_code == 200
    refused = client.post(f"{V1}/work-items/{other.pk}/move/", {"to": "doing"})
    assert (refused.status_code, refused.data["code"]) == (422, "wip_limit_reached")
    rows = {row["column"]: row for row in client.get(put.wsgi_request.path).data}
    assert rows["doing"] == {"column": "doing", "held": 1, "most": 1, "mode": "block"}
    assert (rows["review"]["mode"], rows["todo"]["most"]) == ("warn", None)


@pytest.mark.parametrize(
    "limits", [{"done": {"most": 3}}, {"doing": {"most": 0}}, {"doing": {"most": 1, "mode": "x"}}]
)
def test_wrong_limits_are_bad_requests(project, lead, api, limits):
    url = f"{V1}/projects/{project.pk}/wip-limits/"
    answer = api(lead).put(url, {"limits": limits}, format="json")
    assert answer.status_code == 400
    assert not WipLimit.objects.exists()


def test_a_run_is_linked_and_judged(item, known_run, approved_scope, data_scientist, api):
    client = api(data_scientist)
    url = f"{V1}/work-items/{item.pk}"
    linked = client.post(f"{url}/link-run/", {"run": known_run.run_id}, format="json")
    assert linked.status_code == 200, linked.data
    run = client.get(f"{url}/runs/").data["runs"][0]
    assert (run["name"], run["url"]) == ("logistic", known_run.url)
    assert {result["state"] for result in run["results"]} == {"missing"}
    taken_off = client.post(f"{url}/unlink-run/", {"run": known_run.run_id}, format="json")
    assert taken_off.data["runs"] == []
    kinds = set(LedgerEntry.objects.filter(subject=item.ref).values_list("event", flat=True))
    assert kinds == {"work_item.run_linked", "work_item.run_unlinked"}


@pytest.mark.parametrize("run", ["b" * 32, " "])
def test_a_run_that_the_project_does_not_have_is_refused(item, known_run, data_scientist, api, run):
    url = f"{V1}/work-items/{item.pk}/link-run/"
    answer = api(data_scientist).post(url, {"run": run}, format="json")
    assert answer.status_code == 400
    item.refresh_from_db()
    assert item.run_ids == []


COMMANDS = [
    ("post", "work-items/{item}/rank/", "data_scientist", {"before": "{other}"}),
    ("post", "work-items/{item}/link-run/", "data_scientist", {"run": "a" * 32}),
    ("put", "projects/{project}/wip-limits/", "lead", {"limits": {"doing": {"most": 1}}}),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_by_role(command, item, other, known_run, request):
    method, path, who, body = command
    api = request.getfixturevalue("api")
    ids = {"item": item.pk, "project": item.project_id, "other": other.pk}
    url = f"{V1}/" + path.format(**ids)
    body = {k: v.format(**ids) if isinstance(v, str) else v for k, v in body.items()}

    def status_for(user):
        return getattr(api(user), method)(url, body, format="json").status_code

    before = LedgerEntry.objects.count()
    refused = [status_for(request.getfixturevalue(name)) for name in ("outsider", "auditor")]
    assert refused == [404, 403]
    assert getattr(APIClient(), method)(url, body, format="json").status_code == 401
    assert LedgerEntry.objects.count() == before
    assert status_for(request.getfixturevalue(who)) == 200
