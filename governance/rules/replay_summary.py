"""What a replay over many past reviews amounts to: decisions, requirements, waiting time."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median, quantiles

from governance.rules.past import APPROVED, DECISIONS, UNKNOWN, Replayed
from governance.rules.requirements import HOLDING

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Span:
    """First quartile, median and third quartile in hours, from so many sign-offs or reviews."""

    low: float
    median: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class RequirementTotals:
    """How often a requirement of the draft was judged and what came of it."""

    gate: str
    key: str
    title: str
    judged: int
    failed: int
    waived: int
    unknown: int

    @property
    def never_fails(self) -> bool:
        return self.judged > 0 and self.failed + self.waived == 0

    @property
    def always_fails(self) -> bool:
        return self.judged > 0 and self.failed + self.waived == self.judged


@dataclass(frozen=True, slots=True)
class GateTotals:
    """Decisions at one gate then and under the draft, and the waiting that the draft adds."""

    gate: str
    reviews: int
    then: Mapping[str, int]
    draft: Mapping[str, int]
    changed: int
    added: Span | None
    without_data: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A replay in figures."""

    reviews: int
    changed: int
    unknown_reviews: int
    unknown_facts: int
    gates: Sequence[GateTotals]
    requirements: Sequence[RequirementTotals]
    roles: Mapping[str, Span]


def summarise(replayed: Sequence[Replayed], roles: Mapping[str, Span]) -> Summary:
    """Count what the draft makes of past reviews; `roles` says how long each role takes."""
    by_gate: dict[str, list[Replayed]] = defaultdict(list)
    for one in replayed:
        by_gate[one.past.gate].append(one)
    return Summary(
        reviews=len(replayed),
        changed=sum(one.is_changed for one in replayed),
        unknown_reviews=sum(one.decision == UNKNOWN for one in replayed),
        unknown_facts=sum(len(one.unknown) for one in replayed),
        gates=[_gate(name, rows, roles) for name, rows in sorted(by_gate.items())],
        requirements=_requirements(replayed),
        roles=roles,
    )


def role_times(taken: Iterable[tuple[str, timedelta]]) -> dict[str, Span]:
    """Return how long each role takes to sign, from pairs of a role and a time taken."""
    hours: dict[str, list[float]] = defaultdict(list)
    for role, time in taken:
        hours[role].append(time / _HOUR)
    return {role: span_of(values) for role, values in hours.items()}


def span_of(hours: Sequence[float]) -> Span:
    """Return the quartiles of at least one figure."""
    if len(hours) == 1:
        return Span(hours[0], hours[0], hours[0], 1)
    low, middle, high = quantiles(hours, n=4, method="inclusive")
    return Span(low, middle, high, len(hours))


def added_waiting(one: Replayed, roles: Mapping[str, Span]) -> Span | None:
    """Return how much longer an approved review would have waited for the roles it lacks.

    People are asked when the review opens and sign side by side, so only what a role takes beyond
    the time that the review took anyway is added. None where the record holds no sign-off of a
    role, or where merely one more person is missing.
    """
    spans = [roles.get(role) for role in one.missing_roles]
    known = [span for span in spans if span is not None]
    if not known or len(known) < len(spans):
        return None
    took = one.past.waited / _HOUR

    def beyond(part: Iterable[float]) -> float:
        return max(0.0, max(part) - took)

    return Span(
        beyond(span.low for span in known),
        beyond(span.median for span in known),
        beyond(span.high for span in known),
        min(span.count for span in known),
    )


def lacks_people(one: Replayed) -> bool:
    """Return whether a review that was approved then lacks people under the draft."""
    return one.past.decision == APPROVED and bool(one.missing_roles or one.missing_people)


def _gate(name: str, rows: Sequence[Replayed], roles: Mapping[str, Span]) -> GateTotals:
    waits = [added_waiting(one, roles) for one in rows if lacks_people(one)]
    known = [one for one in waits if one is not None]
    added = None
    if known:
        added = Span(
            median(one.low for one in known),
            median(one.median for one in known),
            median(one.high for one in known),
            len(known),
        )
    return GateTotals(
        name,
        len(rows),
        _counts(one.past.decision for one in rows),
        _counts(one.decision for one in rows),
        sum(one.is_changed for one in rows),
        added,
        len(waits) - len(known),
    )


def _counts(decisions: Iterable[str]) -> dict[str, int]:
    counted = Counter(decisions)
    return {name: counted[name] for name in DECISIONS}


def _requirements(replayed: Iterable[Replayed]) -> list[RequirementTotals]:
    titles: dict[tuple[str, str], str] = {}
    outcomes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for one in replayed:
        for key, worst, title in _worst(one):
            place = (one.past.gate, key)
            titles.setdefault(place, title)
            outcomes[place][worst] += 1
    return [
        RequirementTotals(
            gate,
            key,
            titles[gate, key],
            judged=found["pass"] + found["fail"] + found["waived"],
            failed=found["fail"],
            waived=found["waived"],
            unknown=found[UNKNOWN],
        )
        for (gate, key), found in sorted(outcomes.items())
    ]


def _worst(one: Replayed) -> list[tuple[str, str, str]]:
    """Return of each requirement its worst outcome among its parts: what does not hold counts."""
    order = ("pass", UNKNOWN, "waived", "fail")
    found: dict[str, tuple[str, str]] = {}
    for line in one.lines:
        key = line.key.partition(".")[0]
        plain = line.outcome if line.outcome in {*HOLDING, UNKNOWN} else "fail"
        was, title = found.get(key, ("pass", line.title))
        found[key] = (max(was, plain, key=order.index), title)
    return [(key, outcome, title) for key, (outcome, title) in found.items()]
