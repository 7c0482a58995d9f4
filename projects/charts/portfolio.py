"""The picture of a portfolio: what each project brings in a year against what it risks."""

from collections.abc import Sequence
from dataclasses import dataclass

from projects.charts.pictures import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PALE_ORANGE,
    RED,
    Caption,
    Picture,
    canvas,
    finish,
)
from projects.rules.portfolio import ATTENTION, CRITICAL_RISK, HEALTHY, HIGH_RISK, TROUBLE

_WORST = 25
_MARKS = {HEALTHY: ("o", GREEN), ATTENTION: ("s", ORANGE), TROUBLE: ("^", RED)}


@dataclass(frozen=True, slots=True)
class Point:
    """One project in the picture; `benefit` in thousands of the currency."""

    name: str
    benefit: float
    risk: int
    health: str


def portfolio_picture(points: Sequence[Point], currency: str) -> Picture:
    """Draw net benefit of a year over the highest open risk; colour and shape show the health."""
    with canvas() as (figure, axes):
        axes.axvspan(HIGH_RISK, CRITICAL_RISK, color=PALE_ORANGE, alpha=0.18, linewidth=0)
        axes.axvspan(CRITICAL_RISK, _WORST + 1, color=RED, alpha=0.12, linewidth=0)
        axes.axhline(0, color=INK, linewidth=1)
        for state, (mark, colour) in _MARKS.items():
            here = [one for one in points if one.health == state]
            axes.scatter(
                [one.risk for one in here],
                [one.benefit for one in here],
                marker=mark,
                color=colour,
                s=60,
                label=state,
                zorder=3,
            )
        for one in points:
            _name(axes, one)
        axes.set_xlim(0, _WORST + 1)
        axes.margins(y=0.18)
        axes.set_xlabel("highest open risk, probability times impact")
        axes.set_ylabel(f"net benefit a year, thousand {currency}")
        figure.legend(loc="outside upper center", ncols=len(_MARKS))
        table = [
            {"project": one.name, "net benefit": one.benefit, "risk": one.risk} for one in points
        ]
        return finish(figure, _caption(points), table)


def _name(axes: object, point: Point) -> None:
    is_right = point.risk > _WORST / 2
    axes.annotate(  # type: ignore[attr-defined]
        point.name,
        (point.risk, point.benefit),
        (-8 if is_right else 8, 5),
        textcoords="offset points",
        ha="right" if is_right else "left",
        color=BLUE,
        fontsize=9,
    )


def _caption(points: Sequence[Point]) -> Caption:
    grave = [one.name for one in points if one.risk >= CRITICAL_RISK]
    said = f"{len(points)} projects. Critical risk: {', '.join(grave) or 'none'}."
    return Caption("Value against risk", said)
