"""Tables of others in the admin: an administrator starts nothing there and leaves a trace."""

from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from ledger.models import LedgerEntry
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
NEW = {"name": "mine", "func": "builtins.print", "schedule_type": "O", "repeats": "-1"}


@pytest.fixture
def browser(client_for: Any) -> Any:
    return client_for(UserFactory(is_superuser=True, is_staff=True))


@pytest.mark.parametrize("model", ["schedule", "ormq", "success", "failure"])
def test_an_administrator_looks_at_the_queue_and_adds_nothing(browser: Any, model: str) -> None:
    assert browser.get(f"/admin/django_q/{model}/").status_code == 200
    assert browser.post(f"/admin/django_q/{model}/add/", NEW).status_code == 403
    assert not Schedule.objects.filter(name="mine").exists()
    assert not OrmQ.objects.exists()


@pytest.mark.parametrize("verb", ["change", "delete"])
def test_what_a_schedule_runs_is_not_changed_by_hand(browser: Any, verb: str) -> None:
    row = Schedule.objects.create(name="theirs", func="math.sqrt", next_run=timezone.now())
    answer = browser.post(f"/admin/django_q/schedule/{row.pk}/{verb}/", {**NEW, "post": "yes"})
    assert answer.status_code == 403
    row.refresh_from_db()
    assert (row.name, row.func) == ("theirs", "math.sqrt")


class TestAccounts:
    def test_a_password_set_for_someone_else_leaves_an_entry(self, client_for, superuser, lead):
        page = f"/admin/auth/user/{lead.pk}/password/"
        new = {
            "password1": "another one 42",
            "password2": "another one 42",
            "usable_password": "true",
        }
        before = LedgerEntry.objects.count()
        assert client_for(superuser).post(page, {**new, "password2": "other"}).status_code == 200
        assert LedgerEntry.objects.count() == before
        assert client_for(superuser).post(page, new).status_code == 302
        entry = LedgerEntry.objects.get(event="account.changed")
        assert (entry.subject, entry.actor) == (f"user:{lead.pk}", f"user:{superuser.pk}")
        assert entry.data["fields"] == ["password"]

    def test_accounts_are_not_deleted(self, client_for, superuser, lead):
        answer = client_for(superuser).post(f"/admin/auth/user/{lead.pk}/delete/", {"post": "yes"})
        assert answer.status_code == 403
        lead.refresh_from_db()
