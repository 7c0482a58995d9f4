"""Fixtures that are remembered bring back what was written, and nothing that no longer fits."""

import pytest
from django.db import connection, transaction

from ledger.services import verify
from projects.models import Project
from tests import remembering
from tests.factories import ProjectFactory, UserFactory, cast_project, submit_scope
from tests.remembering import remembered
from tests.sqlite_rows import state_of

pytestmark = [pytest.mark.django_db, pytest.mark.no_ledger_guard]


@pytest.fixture
def built(monkeypatch):
    """A builder of a whole submitted scope, and how often it was run."""
    if connection.vendor != "sqlite":
        pytest.skip("nothing is remembered on another database")
    monkeypatch.setattr(remembering, "_memories", {})
    times = []

    @remembered
    def build(name="one"):
        times.append(name)
        project = cast_project()
        return submit_scope(project, project.created_by)

    return build, times


def undone(call):
    with transaction.atomic():
        answer = call()
        state = state_of(remembering.database())
        transaction.set_rollback(True)
    return answer, state


def test_what_is_brought_back_is_what_was_written(built):
    build, times = built
    first, written = undone(build)
    again, brought_back = undone(build)
    assert times == ["one"]
    assert (again, again.content_hash) == (first, first.content_hash)
    assert brought_back == written


def test_the_ledger_still_holds_after_it(built):
    build, times = built
    undone(build)
    build()
    assert (times, verify().ok) == (["one"], True)


def test_other_rows_arguments_or_settings_are_written_anew(built, settings):
    build, times = built
    undone(build)
    undone(lambda: build(name="two"))
    settings.BASE_URL = "https://elsewhere.test"
    undone(build)
    UserFactory(username="somebody-else")
    undone(build)
    assert times == ["one", "two", "one", "one"]


def test_a_builder_that_removes_rows_is_told_so(built):
    ProjectFactory()
    with pytest.raises(AssertionError, match="removed rows of projects_project"):
        remembered(lambda: Project.objects.all().delete() and None)()
