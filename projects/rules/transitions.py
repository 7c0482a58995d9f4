"""Which status may follow which, as data; `projects.lifecycle.move` reads these tables."""

from collections.abc import Mapping

Table = Mapping[str, frozenset[str]]

SCOPE_TRANSITIONS: Table = {
    "draft": frozenset({"submitted", "withdrawn"}),
    "submitted": frozenset({"approved", "rejected", "withdrawn"}),
    "approved": frozenset({"superseded"}),
    "rejected": frozenset(),
    "withdrawn": frozenset(),
    "superseded": frozenset(),
}

SPRINT_TRANSITIONS: Table = {
    "planned": frozenset({"active", "cancelled"}),
    "active": frozenset({"closed", "cancelled"}),
    "closed": frozenset(),
    "cancelled": frozenset(),
}

WORK_ITEM_TRANSITIONS: Table = {
    "backlog": frozenset({"todo", "doing", "dropped"}),
    "todo": frozenset({"backlog", "doing", "dropped"}),
    "doing": frozenset({"todo", "review", "done", "dropped"}),
    "review": frozenset({"doing", "done", "dropped"}),
    "done": frozenset({"doing"}),
    "dropped": frozenset({"backlog"}),
}

DEVIATION_TRANSITIONS: Table = {
    "proposed": frozenset({"accepted", "refused"}),
    "accepted": frozenset(),
    "refused": frozenset(),
}

RETROSPECTIVE_ACTION_TRANSITIONS: Table = {
    "open": frozenset({"closed", "dropped"}),
    "closed": frozenset(),
    "dropped": frozenset(),
}

PROJECT_TRANSITIONS: Table = {
    "active": frozenset({"paused", "closed"}),
    "paused": frozenset({"active", "closed"}),
    "closed": frozenset(),
}

FINISHED_ITEM_STATUSES = frozenset({"done", "dropped"})

#: Kinds that end with an outcome. A refuted hypothesis is as done as a supported one.
OUTCOMES_BY_KIND: Table = {
    "epic": frozenset({"closed"}),
    "hypothesis": frozenset({"supported", "refuted", "inconclusive", "abandoned"}),
    "experiment": frozenset({"concluded", "inconclusive", "aborted", "time_box_expired"}),
    "spike": frozenset({"answered", "unanswered", "inconclusive", "time_box_expired"}),
    "review": frozenset({"approved", "rejected"}),
    "finding": frozenset({"closed", "accepted"}),
}
