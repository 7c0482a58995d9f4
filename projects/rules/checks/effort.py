"""Rules about feasibility, estimates and the plan of sprints."""

from collections.abc import Iterable

from projects.rules.checks.base import Said, rule
from projects.rules.estimates import estimate, spread
from projects.rules.scope_terms import Circumstances, Content, Row, amount, listed, rows, text

_DAYS_A_WEEK = 7


@rule("feasibility_incomplete", "feasibility")
def _dimensions(content: Content, around: Circumstances) -> Said:
    rated = {text(row, "dimension") for row in rows(content, "feasibility")}
    if missing := [name for name in around.policy.lists["feasibility"] if name not in rated]:
        yield f"Rate the feasibility from every side; missing: {listed(missing)}."


@rule("feasibility_none", "feasibility")
def _infeasible(content: Content, _: Circumstances) -> Said:
    dead = [row for row in rows(content, "feasibility") if not amount(row, "rating")]
    if dead:
        yield (
            f"It is rated not feasible: {listed(text(row, 'dimension') for row in dead)}. Change "
            "that first, or stop."
        )


@rule("feasibility_unexplained", "feasibility")
def _unexplained(content: Content, _: Circumstances) -> Said:
    bare = [row for row in rows(content, "feasibility") if not text(row, "note")]
    if bare:
        yield f"Say what the rating rests on: {listed(text(row, 'dimension') for row in bare)}."


def _phases(found: Iterable[Row]) -> str:
    return listed(text(row, "phase") for row in found)


@rule("estimate_order", "estimates")
def _order(content: Content, _: Circumstances) -> Said:
    names = ("optimistic_days", "likely_days", "pessimistic_days")
    turned = []
    for row in rows(content, "estimates"):
        points = [amount(row, name) for name in names]
        if points != sorted(points) or not points[-1]:
            turned.append(row)
    if turned:
        yield f"Optimistic, likely, pessimistic: they must rise in {_phases(turned)}."


@rule("estimate_flat", "estimates")
def _flat(content: Content, around: Circumstances) -> Said:
    if spread(rows(content, "estimates")) < around.policy.limit("estimate_spread"):
        yield "The estimates leave almost no room between best and worst case; think of both."


@rule("estimate_without_basis", "estimates")
def _basis(content: Content, _: Circumstances) -> Said:
    if bare := [row for row in rows(content, "estimates") if not text(row, "basis")]:
        yield f"Say what the estimate rests on: {_phases(bare)}."


def _working_days(plan: Iterable[Row], around: Circumstances) -> float:
    calendar = sum(amount(row, "length_days") * (amount(row, "max_count") or 1) for row in plan)
    return calendar * around.policy.limit("working_days_a_week") / _DAYS_A_WEEK


@rule("sprint_plan_too_long", "sprint_plan")
def _too_long(content: Content, around: Circumstances) -> Said:
    days, bound = (
        _working_days(rows(content, "sprint_plan"), around),
        estimate(content, around).p80_days,
    )
    if days > bound:
        yield (
            f"The sprints take {days:.0f} working days, but four times out of five the effort is "
            f"at most {bound:.0f} person days; plan less or estimate again."
        )


@rule("sprint_plan_discovery_cap", "sprint_plan")
def _discovery(content: Content, around: Circumstances) -> Said:
    most = int(around.policy.limit("discovery_sprints_max"))
    planned = sum(
        int(amount(row, "max_count") or 1)
        for row in rows(content, "sprint_plan")
        if text(row, "kind") == "discovery"
    )
    if planned > most:
        yield f"{planned} discovery sprints are planned; at most {most} are allowed."


@rule("sprint_plan_research_cap", "sprint_plan")
def _research(content: Content, around: Circumstances) -> Said:
    policy = around.policy
    kinds = set(policy.lists["research_kinds"])
    plan = [row for row in rows(content, "sprint_plan") if text(row, "kind") in kinds]
    days = _working_days(plan, around)
    share = policy.limit("research_share")
    expected = estimate(content, around).expected_days
    weeks = policy.limit("research_weeks_max")
    most = max(share * expected, weeks * policy.limit("working_days_a_week"))
    if days > most:
        yield (
            f"Research takes {days:.0f} working days of the plan; the cap is {share:.0%} of the "
            f"effort or {weeks:g} weeks, which makes {most:.0f} days."
        )
