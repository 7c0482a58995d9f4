"""Which status may follow which, as data; `projects.lifecycle.move` reads these tables."""

from collections.abc import Mapping

Table = Mapping[str, frozenset[str]]

REVIEW_TRANSITIONS: Table = {
    "open": frozenset({"approved", "rejected", "withdrawn", "suspended", "stale", "expired"}),
    # What moved can be bound anew; the sign-offs given before then count no more.
    "stale": frozenset({"open", "withdrawn"}),
    "approved": frozenset({"suspended", "stale", "expired"}),
    "rejected": frozenset(),
    "withdrawn": frozenset(),
    "suspended": frozenset(),
    "expired": frozenset(),
}

PROMOTION_TRANSITIONS: Table = {
    "requested": frozenset({"approved", "rejected", "withdrawn", "suspended"}),
    "approved": frozenset({"applying", "withdrawn", "suspended", "failed"}),
    # A second claim of a row whose worker died keeps the status; back to approved when MLflow
    # could not be reached.
    "applying": frozenset({"applying", "applied", "approved", "failed", "suspended"}),
    "applied": frozenset({"suspended", "superseded", "retiring"}),
    "failed": frozenset({"approved", "withdrawn", "retiring"}),
    "suspended": frozenset({"superseded", "retiring"}),
    # Retired once a worker has taken the alias away.
    "retiring": frozenset({"retiring", "retired"}),
    "retired": frozenset(),
    "rejected": frozenset(),
    "withdrawn": frozenset(),
    # A rollback queues the last good promotion once more.
    "superseded": frozenset({"approved", "retiring"}),
}

#: The way back of a promotion, taken only when the very review that it rests on is approved anew.
RESUMPTION: Table = {"suspended": frozenset({"approved"})}

#: Promotions that stand, wait or were halted; the files of their versions may not be touched.
LIVE_PROMOTIONS = frozenset(
    {"requested", "approved", "applying", "applied", "suspended", "retiring"}
)

OVERRIDE_TRANSITIONS: Table = {
    "requested": frozenset({"active", "declined"}),
    "active": frozenset({"ended"}),
    "declined": frozenset(),
    "ended": frozenset(),
}

CHECK_RUN_TRANSITIONS: Table = {
    "queued": frozenset({"running", "cancelled"}),
    # A second claim of a row whose worker died keeps the status.
    "running": frozenset({"running", "done", "failed", "cancelled"}),
    "failed": frozenset({"queued"}),
    "done": frozenset(),
    "cancelled": frozenset({"queued"}),
}

FINDING_TRANSITIONS: Table = {
    "open": frozenset({"resolved"}),
    "resolved": frozenset({"closed", "open"}),
    # What comes back is the same finding, with its history.
    "closed": frozenset({"open"}),
}

POLICY_VERSION_TRANSITIONS: Table = {
    "draft": frozenset({"published", "discarded"}),
    "published": frozenset({"retired"}),
    "retired": frozenset(),
    "discarded": frozenset(),
}

#: Nothing follows a decision of these but a new review.
FINAL_REVIEW_STATUSES = frozenset({"rejected", "withdrawn", "suspended", "expired"})
