"""How a project is, what it is worth and what it risks, from plain facts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

HEALTHY, ATTENTION, TROUBLE = "healthy", "attention", "trouble"
HEALTH = (TROUBLE, ATTENTION, HEALTHY)

_BROKEN = frozenset({"breach", "refused"})
_GRAVE = frozenset({"critical", "high"})
#: From this score on a risk is critical, from the second on it is high.
CRITICAL_RISK, HIGH_RISK = 15, 10


@dataclass(frozen=True, slots=True)
class Health:
    """The worst thing that is so, with everything that is wrong in sentences."""

    state: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Appointment:
    """A day on which something is due."""

    on: date
    what: str


def health_of(
    deployments: Sequence[tuple[str, str]],
    severities: Collection[str],
    overdue: Sequence[Appointment],
) -> Health:
    """Judge a project by its deployments (name and health), open findings and what is late."""
    trouble = [f"{name} is in {health}." if health == "breach" else f"{name} is {health}."
               for name, health in deployments if health in _BROKEN]  # fmt: skip
    if grave := [one for one in severities if one in _GRAVE]:
        trouble.append(f"{_counted(len(grave), 'grave finding')} open.")
    late = [f"{one.what} was due on {one.on:%Y-%m-%d}." for one in overdue]
    state = TROUBLE if trouble else ATTENTION if late else HEALTHY
    return Health(state, (*trouble, *late))


def open_risk(risk: Mapping[str, Any], today: date) -> int:
    """Return a risk's score today: until its date has come, a treatment has changed nothing."""
    score = int(risk["probability"]) * int(risk["impact"])
    due = risk.get("due")
    if due is not None and due > today:
        return score
    probability, impact = risk.get("residual_probability"), risk.get("residual_impact")
    if probability is None or impact is None:
        return score
    return int(probability) * int(impact)


def net_benefit(
    benefit: Decimal | None, running: Decimal | None, upkeep: Decimal | None
) -> Decimal | None:
    """Return what a year brings after what it costs; None while either side is not stated."""
    costs = [cost for cost in (running, upkeep) if cost is not None]
    if benefit is None or not costs:
        return None
    return benefit - sum(costs, Decimal(0))


def next_of(appointments: Collection[Appointment], today: date) -> Appointment | None:
    """Return the nearest appointment that is not over."""
    coming = [one for one in appointments if one.on >= today]
    return min(coming, key=lambda one: (one.on, one.what), default=None)


def _counted(number: int, noun: str) -> str:
    return f"One {noun} is" if number == 1 else f"{number} {noun}s are"
