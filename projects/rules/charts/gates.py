"""How long gates take, from being asked to being decided, and whom they wait for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from projects.rules.charts.base import Chart, counted, days_of, middle, plain
from projects.rules.words import role_words

WHOLE = "decided"


class Gate(Protocol):
    """What the chart reads of a passage through a gate; `projects.facts.GateFact` fits."""

    @property
    def gate(self) -> str: ...
    @property
    def subject_label(self) -> str: ...
    @property
    def requested_at(self) -> datetime: ...
    @property
    def decided_at(self) -> datetime | None: ...
    @property
    def waits_for(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def decisions(self) -> Sequence[tuple[str, datetime]]: ...


def gate_lead_time(gates: Iterable[Gate], *, now: datetime) -> Chart:
    """Return days from request to decision by gate, and to each role's signature.

    A review that is open counts as what it has waited so far, under the roles still missing.
    """
    name, title = "gate-lead-time", "Gate lead time"
    reviews = list(gates)
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    waiting: dict[tuple[str, str], list[float]] = defaultdict(list)
    people: dict[tuple[str, str], set[str]] = defaultdict(set)
    for review in reviews:
        for role, at in review.decisions:
            took[review.gate, role].append(days_of(at - review.requested_at))
        if review.decided_at is not None:
            took[review.gate, WHOLE].append(days_of(review.decided_at - review.requested_at))
            continue
        for role, names in review.waits_for.items():
            waiting[review.gate, role].append(days_of(now - review.requested_at))
            people[review.gate, role].update(names)
    keys = sorted({*took, *waiting}, key=lambda key: (key[0], key[1] != WHOLE, key[1]))
    table = [_row(key, took[key], waiting[key], people[key]) for key in keys]
    if not table:
        return Chart(name, title, advice="Ask for a gate: the chart shows how long it takes.")
    return Chart(name, title, _words(table, reviews), table)


def _row(
    key: tuple[str, str], took: Sequence[float], waiting: Sequence[float], people: set[str]
) -> dict[str, Any]:
    gate, role = key
    return {
        "gate": gate,
        "role": WHOLE if role == WHOLE else role_words(role),
        "passages": len(took),
        "median_days": middle(took) if took else None,
        "longest_days": max(took) if took else None,
        "waiting": len(waiting),
        "waiting_days": max(waiting) if waiting else None,
        "waits_for": ", ".join(sorted(people)),
    }


def _words(table: Sequence[Mapping[str, Any]], reviews: Sequence[Gate]) -> str:
    whole = [row for row in table if row["role"] == WHOLE]
    parts = [f"{row['gate']} {counted(row['median_days'], 'day')}" for row in whole]
    decided = f"Median from request to decision: {', '.join(parts)}." if parts else ""
    waits = [row for row in table if row["waiting"]]
    slow = max(waits, key=lambda row: row["waiting_days"], default=None)
    still = (
        f" Longest open wait: {slow['gate']}, {plain(slow['waiting_days'])} days for "
        f"{slow['waits_for'] or slow['role']}."
        if slow
        else ""
    )
    return f"{decided}{still}".strip() or f"{counted(len(reviews), 'review')} asked for."
