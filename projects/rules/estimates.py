"""What it takes and what it is worth: three-point estimates, reference class, payback.

Everything here is computed from what people typed; none of the results can be typed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median

from projects.rules.scope_terms import Circumstances, Content, Row, amount, number, rows, text

#: Standard deviations above the mean below which 80 % of a normal distribution lie.
_P80 = 0.8416
_YEARS = 3


@dataclass(frozen=True, slots=True)
class PhaseEstimate:
    """Expected effort of one phase and how uncertain it is, in person days."""

    phase: str
    expected_days: float
    deviation_days: float


@dataclass(frozen=True, slots=True)
class EstimateVerdict:
    """The effort of all phases, and what the organisation's closed projects make of it."""

    phases: tuple[PhaseEstimate, ...]
    expected_days: float
    deviation_days: float
    p80_days: float
    multiplier: float | None
    adjusted_days: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class MoneyVerdict:
    """What it costs and earns; None where too little is stated to compute it."""

    build: float | None
    annual_cost: float | None
    annual_benefit: float | None
    payback_years: float | None
    three_year_net: float | None
    sentence: str


def expected_days(estimates: Sequence[Row]) -> float:
    """Return the expected effort of all phases by the three-point formula."""
    return sum(_phase(row).expected_days for row in estimates)


def spread(estimates: Sequence[Row]) -> float:
    """Return how far pessimism and optimism lie apart, as a share of the likely effort."""
    likely = sum(amount(row, "likely_days") for row in estimates)
    if not likely:
        return 0.0
    apart = (amount(row, "pessimistic_days") - amount(row, "optimistic_days") for row in estimates)
    return sum(apart) / likely


def estimate(content: Content, circumstances: Circumstances) -> EstimateVerdict:
    """Return the effort with its 80 % bound, adjusted by how closed projects came out."""
    phases = tuple(_phase(row) for row in rows(content, "estimates"))
    expected = sum(phase.expected_days for phase in phases)
    # Phases are taken to be independent, so their variances add up.
    deviation = sqrt(sum(phase.deviation_days**2 for phase in phases))
    overruns = circumstances.overruns
    multiplier = median(overruns) if overruns else None
    return EstimateVerdict(
        phases=phases,
        expected_days=expected,
        deviation_days=deviation,
        p80_days=expected + _P80 * deviation,
        multiplier=multiplier,
        adjusted_days=None if multiplier is None else expected * multiplier,
        sentence=_estimate_sentence(expected, multiplier, len(overruns)),
    )


def money(content: Content, circumstances: Circumstances) -> MoneyVerdict:
    """Return build cost, yearly cost and benefit, the years to pay back, and three years' net."""
    build, running = build_cost(content, circumstances), annual_cost(content)
    benefit = number(content, "annual_benefit")
    if build is None or running is None or benefit is None:
        sentence = "State what it costs to build and run and what it is worth in a year."
        return MoneyVerdict(build, running, benefit, None, None, sentence)
    gain = benefit - running
    payback = build / gain if gain > 0 else None
    net = _YEARS * gain - build
    currency = text(content, "currency") or "EUR"
    earns = (
        f"It pays back in {payback:.1f} years"
        if payback is not None
        else "It never pays back: a year costs as much as it earns or more"
    )
    sentence = f"{earns}; over three years the net is {net:,.0f} {currency}."
    return MoneyVerdict(build, running, benefit, payback, net, sentence)


def build_cost(content: Content, circumstances: Circumstances) -> float | None:
    """Return what building costs in all: as stated, or the expected effort at the policy's rate."""
    stated = number(content, "build_cost")
    effort = expected_days(rows(content, "estimates"))
    if stated is None and not effort:
        return None
    built = effort * circumstances.policy.limit("person_day_cost") if stated is None else stated
    return built + amount(content, "tooling_cost") + amount(content, "labelling_cost")


def annual_cost(content: Content) -> float | None:
    """Return what running and maintaining it costs in a year, None when neither is stated."""
    parts = [number(content, name) for name in ("annual_run_cost", "annual_maintenance_cost")]
    stated = [part for part in parts if part is not None]
    return sum(stated) if stated else None


def _phase(row: Row) -> PhaseEstimate:
    names = ("optimistic_days", "likely_days", "pessimistic_days")
    low, likely, high = (amount(row, name) for name in names)
    return PhaseEstimate(text(row, "phase"), (low + 4 * likely + high) / 6, (high - low) / 6)


def _estimate_sentence(expected: float, multiplier: float | None, closed: int) -> str:
    if not expected:
        return "Nothing is estimated yet."
    if multiplier is None:
        return (
            f"{expected:.0f} person days are expected. No closed project of the organisation has "
            "an agreed scope and recorded effort yet, so there is nothing to compare with."
        )
    came = "One closed project" if closed == 1 else f"The {closed} closed projects"
    return (
        f"{expected:.0f} person days are expected. {came} took {multiplier:.2f} times what was "
        f"estimated (median), which makes {expected * multiplier:.0f}."
    )
