"""The queue's tables in the admin: an administrator looks and starts nothing there."""

from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Schedule

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
