"""Who gets past which door: every REST route asks, and each role meets the table's answer."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import get_resolver
from rest_framework.test import APIClient

from pipeline.access import ACTIONS
from pipeline.models import Job, Monitor, RetrainingPolicy
from tests.factories import CAST
from tests.pipeline.conftest import (  # noqa: F401 - fixtures
    csv_of,
    dataset,
    model_template,
    own_files,
    rows_of,
    split_of,
    world,
)

pytestmark = [pytest.mark.django_db, pytest.mark.no_ledger_guard]
V1 = "/api/v1"
WINDOW = {"window_start": "2009-06-01T00:00:00Z", "window_end": "2009-07-01T00:00:00Z"}
#: What a caller is told who may not: strangers learn nothing, insiders which role it takes.
REFUSED_INSIDER, REFUSED_STRANGER = 403, 404


@dataclass(frozen=True)
class Door:
    """One command: where, with what body, and the action whose roles may."""

    path: str
    action: str
    body: dict[str, Any] = field(default_factory=dict)
    form: str = "json"


DOORS = [
    Door("/datasets/", "dataset.register", {"name": "new", "target": "y"}, "multipart"),
    Door("/datasets/{dataset}/explore/", "dataset.explore"),
    Door("/deployments/", "deployment.create", {"slug": "new", "environment": "production"}),
    Door("/deployments/{deployment}/stop/", "deployment.stop"),
    Door("/monitors/", "monitor.configure", {"deployment": "calls"}),
    Door("/monitors/{monitor}/run/", "monitor.run", WINDOW),
    Door("/retraining-policies/", "retraining.configure", {"deployment": "calls"}),
    Door("/retraining-policies/{policy}/run/", "retraining.run"),
    Door("/jobs/{waiting}/cancel/", "job.cancel"),
    Door("/jobs/{failed}/retry/", "job.retry"),
]


@pytest.fixture
def places(own_files, world, dataset, project) -> dict[str, Any]:  # noqa: F811
    """One of everything that the doors lead to."""
    deployment = world.deployment(world.version(run=world.run(dataset)))
    job = {"project": project, "kind": "monitor", "requested_as": "system:schedule"}
    return {
        "dataset": dataset.pk,
        "deployment": deployment.pk,
        "monitor": Monitor.objects.create(deployment=deployment).pk,
        "policy": RetrainingPolicy.objects.create(deployment=deployment).pk,
        "waiting": Job.objects.create(**job).pk,
        "failed": Job.objects.create(**job, status="failed").pk,
    }


def knock(door: Door, user: User, places: dict[str, Any]) -> int:
    """Call as `user`, undo whatever it did, and return the status."""
    client = APIClient()
    client.force_authenticate(user=user)
    body = dict(door.body)
    if door.form == "multipart":
        file = SimpleUploadedFile("calls.csv", csv_of(rows_of(50), ","))
        body |= {"project": "term-deposit-calls", "file": file}
    elif door.path == "/deployments/":
        body |= {"model": "another"}
    with transaction.atomic():
        answer = client.post(V1 + door.path.format(**places), body, format=door.form)
        transaction.set_rollback(True)
    return int(answer.status_code)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.action)
def test_each_role_meets_the_answer_of_the_table(door, places, world, outsider):  # noqa: F811
    # A second model, since the first one has its deployment.
    type(world.model).objects.create(name="another", project=world.project)
    told = {username: knock(door, User.objects.get(username=username), places) for username in CAST}
    allowed = {username for username, role in CAST.items() if role in ACTIONS[door.action]}
    assert {name for name, status in told.items() if status < 300} == allowed, told
    assert {told[name] for name in CAST if name not in allowed} <= {REFUSED_INSIDER}
    assert knock(door, outsider, places) == REFUSED_STRANGER


@pytest.mark.parametrize(
    ("address", "action"), [("invocations", "deployment.score"), ("labels", "deployment.label")]
)
def test_each_role_meets_the_table_at_the_scoring_address(
    places, client_for, outsider, address, action
):
    body = {"dataframe_split": split_of(rows_of(1)), "labels": {"who": 1}}
    kept = {"invocations": "dataframe_split", "labels": "labels"}[address]
    for username, role in CAST.items():
        client = client_for(User.objects.get(username=username))
        status = _score(client, address, {kept: body[kept]})
        assert status == (200 if role in ACTIONS[action] else REFUSED_INSIDER), username
    assert _score(client_for(outsider), address, {kept: body[kept]}) == REFUSED_STRANGER


def _score(client: Any, address: str, body: Any) -> int:
    answer = client.post(
        f"/serve/calls/{address}",
        json.dumps(body),
        content_type="application/json",
        HTTP_ORIGIN="http://testserver",
    )
    return int(answer.status_code)


def rest_routes() -> Iterator[tuple[str, str]]:
    """Yield method and address of every REST route, with stand-ins for its parameters."""
    yield from _walk(get_resolver(), "/")


def _walk(resolver: Any, prefix: str) -> Iterator[tuple[str, str]]:
    for pattern in resolver.url_patterns:
        place = prefix + str(pattern.pattern).removeprefix("^").removesuffix("$")
        if hasattr(pattern, "url_patterns"):
            yield from _walk(pattern, place)
        elif place.startswith(f"{V1}/"):
            address = re.sub(r"\(\?P<(\w+)>[^)]*\)", _stand_in, place.replace("/^", "/"))
            address = re.sub(r"<\w+:\w+>", "1", address)
            methods = getattr(pattern.callback, "actions", None) or {"get": ""}
            yield from [(method, address) for method in methods if method != "head"]


def _stand_in(parameter: re.Match[str]) -> str:
    is_uuid = parameter[1] == "id"
    return "00000000-0000-0000-0000-000000000000" if is_uuid else "1"


def test_the_routes_are_found():
    routes = set(rest_routes())
    assert ("post", f"{V1}/deployments/") in routes
    assert ("post", f"{V1}/gate-reviews/1/sign/") in routes
    assert len(routes) > 60


def test_no_route_answers_a_caller_whom_nobody_knows():
    client = APIClient()
    told = {
        (method, address): getattr(client, method)(address, {}, format="json").status_code
        for method, address in rest_routes()
    }
    assert {route: status for route, status in told.items() if status != 401} == {}


def test_every_command_of_the_pipeline_is_in_the_table():
    ours = ("datasets", "deployments", "monitors", "retraining-policies", "jobs")
    written = {
        address.removeprefix(V1)
        for method, address in rest_routes()
        if method not in {"get", "head"} and address.split("/")[3] in ours
    }
    assert written == {re.sub(r"{\w+}", "1", door.path) for door in DOORS}
