"""The report of a sprint."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from projects.actors import Actor
from projects.models import Sprint
from projects.services.sprint_report import report_of
from projects.views.base import page, visible_or_404
from projects.views.charts import sprint_cards

#: Fates of items in the words of the page, with the tone of their badge.
FATES = {
    "done": ("done", "ok"),
    "carried_over": ("carried over", "warn"),
    "cancelled": ("dropped", "muted"),
    "removed": ("taken out", "muted"),
}
TILES = (
    ("Committed", "commitment"),
    ("Added", "added"),
    ("Done", "done"),
    ("Carried over", "carried_over"),
    ("Dropped", "cancelled"),
    ("Taken out", "removed"),
)


@require_safe
@page
def sprint_report(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show what a sprint set out to do, what came of it and what follows."""
    sprint = visible_or_404(Sprint.objects.select_related("project", "scope"), actor, pk=pk)
    report = report_of(sprint)
    context = {
        "sprint": sprint,
        "report": report,
        "tiles": _tiles(report),
        "is_best_told": _is_best_told(report),
        "items": list(_items(report)),
        "cards": sprint_cards(sprint)[:2],
    }
    return render(request, "projects/sprint_report.html", context)


def _is_best_told(report: dict[str, Any]) -> bool:
    """Say whether the sprint's best run already stands under one of its experiments."""
    told = {one["best"]["run"] for one in report["experiments"] if one["best"]}
    best = report["runs"]["best"]
    return best is not None and best["run"] in told


def _tiles(report: dict[str, Any]) -> list[dict[str, Any]]:
    unit = report["unit"]
    words = dict(TILES) if report["sprint"]["started_at"] else {"Planned": "commitment"}
    if not report["is_final"]:
        words = {("Open" if key == "Carried over" else key): value for key, value in words.items()}
    return [
        {
            "label": label,
            "amount": report["totals"][name][unit],
            "items": report["totals"][name]["count"],
            "unit": "" if unit == "count" else unit,
        }
        for label, name in words.items()
    ]


def _items(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give every item that was ever in the sprint, with how it came in and what became of it."""
    work = report["work"]
    added = {entry["item"] for entry in work["added"]}
    told = set()
    open_now = {} if report["is_final"] else {"carried_over": ("open", "warn")}
    for name, (fate, tone) in (FATES | open_now).items():
        for entry in work[name]:
            told.add(entry["item"])
            yield {**entry, "fate": fate, "tone": tone, "was_added": entry["item"] in added}
    for entry in work["commitment"]:
        if entry["item"] not in told:
            yield {**entry, "fate": "planned", "tone": "muted", "was_added": False}
