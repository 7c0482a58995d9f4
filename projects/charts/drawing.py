"""Which drawing belongs to which chart."""

from collections.abc import Mapping
from typing import Protocol

from projects.charts import bars, lines
from projects.charts.pictures import Picture
from projects.rules.charts.base import Chart


class Drawing(Protocol):
    """A function that draws a chart, wide or narrow."""

    def __call__(self, chart: Chart, *, narrow: bool) -> Picture: ...


DRAWINGS: Mapping[str, Drawing] = {
    "burn-down": lines.burn_down,
    "burn-down-points": lines.burn_down,
    "burn-down-items": lines.burn_down,
    "burn-down-hours": lines.burn_down,
    "burn-up": lines.burn_up,
    "criteria": lines.criteria,
    "uncertainty": lines.uncertainty,
    "flow": lines.flow,
    "cycle-time": lines.cycle_time,
    "best-metric": bars.best_metric,
    "velocity": bars.velocity,
    "wip-age": bars.wip_age,
    "gate-lead-time": bars.gate_lead_time,
    "economics": bars.economics,
    "verdicts": bars.verdicts,
    "time-boxes": bars.time_boxes,
}


def draw(chart: Chart, *, narrow: bool = False) -> Picture | None:
    """Return the chart as a picture; None if there is nothing to draw."""
    return DRAWINGS[chart.name](chart, narrow=narrow) if chart.table else None
