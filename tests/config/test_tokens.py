"""API tokens: made with a password, shown once, of use until revoked or expired."""

import base64
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from config import tokens
from config.models import ApiToken
from ledger.models import LedgerEntry
from projects.actors import person
from projects.errors import InvalidInput, NotPermitted
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def basic(user, password=PASSWORD):
    pair = base64.b64encode(f"{user.username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def make(client, **headers):
    return client.post("/api/v1/tokens/", {"name": "laptop"}, headers=headers)


@pytest.fixture
def door() -> APIClient:
    return APIClient()


@pytest.fixture
def secret(lead, actor) -> str:
    return tokens.create_token(lead, actor=actor(lead), name="laptop")[1]


def test_a_password_makes_a_token_that_opens_the_api(door, lead):
    answer = make(door, **basic(lead))
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    bearer = {"Authorization": f"Bearer {answer.json()['token']}"}
    listed = door.get("/api/v1/tokens/", headers=bearer).json()["results"]
    assert [row["name"] for row in listed] == ["laptop"]
    assert set(listed[0]) == {"id", "name", "created_at", "expires_at"}


def test_a_session_makes_a_token_only_with_a_csrf_token(lead):
    client = Client(enforce_csrf_checks=True)
    client.force_login(lead)
    answer = client.post("/api/v1/tokens/", {"name": "x"}, content_type="application/json")
    assert answer.status_code == 403
    assert not ApiToken.objects.exists()


def test_the_secret_is_not_stored(lead, secret):
    row = ApiToken.objects.get()
    assert secret not in {row.digest, row.token_key, row.name, str(row.public_id)}


def test_making_and_revoking_are_recorded_without_the_secret(lead, actor, secret):
    tokens.revoke_token(ApiToken.objects.get(), actor=actor(lead))
    entries = list(LedgerEntry.objects.filter(event__startswith="api_token."))
    assert [entry.event for entry in entries] == ["api_token.created", "api_token.revoked"]
    assert all(secret[:15].encode() not in bytes(entry.body) for entry in entries)


@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_token_without_a_sensible_end_is_refused(lead, actor, days):
    with pytest.raises(InvalidInput) as refusal:
        tokens.create_token(lead, actor=actor(lead), days=days)
    assert refusal.value.code == "token_days"
    assert not ApiToken.objects.exists()


def test_a_token_makes_no_token(door, secret):
    answer = make(door, Authorization=f"Bearer {secret}")
    assert (answer.status_code, answer.json()["code"]) == (403, "token_makes_token")
    assert ApiToken.objects.count() == 1


def test_nobody_makes_a_token_for_someone_else(lead, outsider, actor):
    with pytest.raises(NotPermitted) as refusal:
        tokens.create_token(lead, actor=actor(outsider))
    assert refusal.value.code == "token_of_another"
    assert not ApiToken.objects.exists()


def test_a_revoked_token_opens_nothing(door, secret):
    bearer = {"Authorization": f"Bearer {secret}"}
    row = ApiToken.objects.get()
    assert door.post(f"/api/v1/tokens/{row.public_id}/revoke/", headers=bearer).status_code == 204
    assert door.get("/api/v1/tokens/", headers=bearer).status_code == 401


def test_an_expired_token_opens_nothing(door, secret):
    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    answer = door.get("/api/v1/tokens/", headers={"Authorization": f"Bearer {secret}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_failed")


def test_a_token_of_someone_else_does_not_exist_for_me(api, outsider, secret):
    row = ApiToken.objects.get()
    assert api(outsider).get(f"/api/v1/tokens/{row.public_id}/").status_code == 404
    assert api(outsider).post(f"/api/v1/tokens/{row.public_id}/revoke/").status_code == 404
    assert ApiToken.objects.filter(pk=row.pk).exists()


def test_a_wrong_password_makes_nothing(door, lead):
    assert make(door, **basic(lead, "wrong")).status_code == 401
    assert not ApiToken.objects.exists()


def test_guessing_passwords_locks_out_even_the_right_one(door, lead, settings):
    settings.AXES_ENABLED = True
    answers = [make(door, **basic(lead, f"wrong{n}")).status_code for n in range(5)]
    locked = make(door, **basic(lead))
    assert answers[0] == 401
    assert (locked.status_code, locked.json()["code"]) == (429, "locked_out")
    assert int(locked["Retry-After"]) == 15 * 60
    assert not ApiToken.objects.exists()


def test_guessing_at_the_login_page_locks_out_with_a_sentence(lead, settings):
    settings.AXES_ENABLED = True
    client = Client()
    for _ in range(6):
        answer = client.post("/admin/login/", {"username": lead.username, "password": "wrong"})
    assert answer.status_code == 429
    assert "wait 15 minutes" in answer.content.decode()


def test_the_command_prints_a_working_secret(door, lead):
    out = StringIO()
    call_command("create_token", lead.username, "--days", "2", stdout=out)
    bearer = {"Authorization": f"Bearer {out.getvalue().strip()}"}
    assert door.get("/api/v1/tokens/", headers=bearer).status_code == 200
    assert ApiToken.objects.get().expiry < timezone.now() + timedelta(days=3)


def test_the_command_refuses_an_unknown_user():
    with pytest.raises(CommandError, match="no active user 'nobody'"):
        call_command("create_token", "nobody")


def test_an_inactive_user_gets_no_token(lead):
    actor = person(lead, method="session")
    lead.is_active = False
    lead.save(update_fields=["is_active"])
    with pytest.raises(CommandError):
        call_command("create_token", lead.username)
    assert actor.user_id == lead.pk
    assert not ApiToken.objects.exists()
