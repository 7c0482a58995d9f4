"""The two addresses that a supervisor or a load balancer asks."""

import pytest
from django.db import OperationalError

from config import health


def test_alive_needs_no_database(client):
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready_with_a_migrated_database(client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert "no-cache" in answer["Cache-Control"]


@pytest.mark.django_db
def test_not_ready_while_migrations_wait(client, monkeypatch):
    monkeypatch.setattr(health, "_is_migrated", lambda: False)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "manage.py migrate" in answer.json()["reasons"][0]


def test_not_ready_without_a_database(client, monkeypatch):
    def gone() -> bool:
        raise OperationalError("no such host")

    monkeypatch.setattr(health, "_database_problem", lambda: "The database does not answer.")
    assert client.get("/readyz").status_code == 503


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_only_reading_is_offered(client, path):
    assert client.post(path).status_code == 405
