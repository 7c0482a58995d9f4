"""What is said at each door: a valid body by the name of its route, for whoever says it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.access.page_bodies import PAGES
from tests.access.rest_bodies import REST
from tests.access.routes import Row
from tests.access.words import SAID, Body

if TYPE_CHECKING:
    from tests.access.things import Things

BODIES: dict[str, Callable[["Things", str], Body]] = {**REST, **PAGES}
#: What an address names besides its thing, or instead of it.
PARTS: dict[str, Callable[["Things"], Body]] = {
    "gate-eligibility": lambda t: {"gate": "validation"},
    "gate-review-dossier": lambda t: {"pk": t.pk("review"), "digest": t.of("dossier").digest},
    "governance:reviews-of": lambda t: {"kind": "sprint", "number": t.pk("ended")},
    "pipeline:report-plot": lambda t: {"number": 0},
    "project-tier-assessment-decide": lambda t: {
        "pk": t.project.pk, "assessment": t.pk("tier"),
    },
    "projects:backlog-export": lambda t: {"form": "csv"},
    "projects:chart": lambda t: {"name": "criteria"},
    "projects:chart-table": lambda t: {"name": "criteria"},
    "projects:scope-export": lambda t: {"part": "criteria"},
    "projects:sprint-chart": lambda t: {"name": "burn-up"},
    "projects:sprint-chart-table": lambda t: {"name": "burn-down"},
    "scope-template-detail": lambda t: {"key": "tabular-classification"},
    "scope-template-start": lambda t: {"key": "tabular-classification"},
}  # fmt: skip


def question_of(row: Row, things: "Things", username: str) -> Body:
    """Return what a view is asked: nothing but where it needs to be told of what."""
    own = BODIES.get(row.name) if not row.action.startswith("project+") else None
    return own(things, username) if own else {}


def body_of(row: Row, things: "Things", username: str) -> Body:
    """Return what `username` says at a route's door."""
    own = BODIES.get(row.name) or BODIES.get(row.route[1])
    return own(things, username) if own else dict(SAID)
