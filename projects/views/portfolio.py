"""The portfolio: every project of the reader by phase, value, risk and health."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from projects.actors import Actor
from projects.models import Project
from projects.rules.phases import PHASES
from projects.rules.portfolio import HEALTH
from projects.services.portfolio import SORTS, PortfolioRow, Wanted, portfolio_of
from projects.views.base import page
from projects.views.pictures import send_svg

if TYPE_CHECKING:
    from projects.charts.pictures import Picture

_THOUSAND = Decimal(1000)
_FILTERS = ("phase", "tier", "health", "text")


@require_safe
@page
def project_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the reader's projects by phase, with what each is worth, risks and waits for."""
    wanted = _wanted(request)
    rows = portfolio_of(actor, today=timezone.now().date(), wanted=wanted)
    asked = {name: value for name in _FILTERS if (value := getattr(wanted, name))}
    drawn = _drawn(rows)
    context = {
        "rows": rows,
        "wanted": wanted,
        "is_filtered": bool(asked),
        "by_phase": _by_phase(rows),
        "phases": PHASES,
        "tiers": Project.Tier.choices,
        "healths": HEALTH,
        "sorts": SORTS.items(),
        "drawn": drawn,
        "undrawn": [row for row in rows if row not in drawn],
        "picture_url": f"{reverse('projects:portfolio-picture')}?{urlencode(asked)}",
        "overdue": [(row, late) for row in rows for late in row.overdue],
        "today": timezone.now().date(),
    }
    return render(request, "projects/project_list.html", context)


@require_safe
@page
def portfolio_picture(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Send the picture of value against risk, of the projects that are asked for."""
    rows = _drawn(portfolio_of(actor, today=timezone.now().date(), wanted=_wanted(request)))
    if not rows:
        raise Http404("No project states both its value and its risks.")
    numbers = [
        (
            row.project.name,
            float((row.net_benefit or 0) / _THOUSAND),
            row.risk or 0,
            row.health.state,
        )
        for row in rows
    ]
    key = hashlib.sha256(repr((numbers, rows[0].currency)).encode()).hexdigest()

    def draw() -> "Picture":
        from projects.charts.portfolio import Point, portfolio_picture

        return portfolio_picture([Point(*one) for one in numbers], rows[0].currency)

    return send_svg(request, f"portfolio-{key}", draw)


def _wanted(request: HttpRequest) -> Wanted:
    """Return what the address asks for; what it does not know of is taken for everything."""
    known = {
        "phase": PHASES,
        "tier": Project.Tier.values,
        "health": HEALTH,
        "sort": SORTS,
    }
    chosen = {
        name: request.GET[name] for name, values in known.items() if request.GET.get(name) in values
    }
    return Wanted(text=request.GET.get("text", "").strip()[:100], **chosen)


def _by_phase(rows: Sequence[PortfolioRow]) -> list[tuple[str, int]]:
    counted = Counter(row.phase for row in rows)
    return [(phase, counted[phase]) for phase in PHASES]


def _drawn(rows: Sequence[PortfolioRow]) -> list[PortfolioRow]:
    """Return the projects that have a place in the picture, all in the currency most of them use.

    Amounts in different currencies have no common axis.
    """
    placed = [row for row in rows if row.net_benefit is not None and row.risk is not None]
    currencies = Counter(row.currency for row in placed)
    if not currencies:
        return []
    usual, _ = currencies.most_common(1)[0]
    return [row for row in placed if row.currency == usual]
