"""Which status may follow which, held against the models."""

import pytest

from projects.models import ScopingDocument, Sprint, WorkItem
from projects.rules import transitions


@pytest.mark.parametrize(
    ("table", "model"),
    [
        (transitions.SCOPE_TRANSITIONS, ScopingDocument),
        (transitions.SPRINT_TRANSITIONS, Sprint),
        (transitions.WORK_ITEM_TRANSITIONS, WorkItem),
    ],
)
def test_transition_tables_know_every_status(table, model):
    assert set(table) == set(model.Status.values)
    assert set().union(*table.values()) <= set(table)


def test_outcomes_are_declared():
    declared = set().union(*transitions.OUTCOMES_BY_KIND.values())
    assert declared == set(WorkItem.Outcome.values)
    assert set(transitions.OUTCOMES_BY_KIND) <= set(WorkItem.Kind.values)
