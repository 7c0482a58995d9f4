"""Two ways a scope goes wrong: thin as a copied blog post, or grand as a paper.

Each sign that fires carries its points and its reason. Advice for approvers, never a block.
"""

from collections.abc import Iterator

from projects.rules.blockers import WEAK_SOURCES
from projects.rules.scope_terms import (
    Circumstances,
    Content,
    Sign,
    expected_days,
    number,
    rows,
    spread,
    text,
)

_COMPLEX_ENOUGH = 2
_NON_ML_BASELINES = frozenset({"current_process", "heuristic", "human"})
_MAINTAINERS = ("ml_engineer", "operations")


def under_scoped(content: Content, circumstances: Circumstances) -> Iterator[Sign]:
    """Yield the signs of a team that copies what it read."""
    points = circumstances.policy.under_scoped
    for rule, fires, reason in (
        ("weak_prior_art", _weak(content), "All prior art is from blogs, tutorials or vendors."),
        ("nothing_reproduced", _untried(content), "No earlier result was tried on our own data."),
        ("same_difficulty", _same(content), "Every earlier case is taken to be as hard as ours."),
        (
            "few_approaches",
            len(rows(content, "approaches")) < circumstances.policy.limit("approaches_min"),
            "There is no second approach to compare with.",
        ),
        (
            "no_cost_or_target",
            number(content, "annual_run_cost") is None or not text(content, "deployment_mode"),
            "Running cost or the way of deployment is not stated.",
        ),
        (
            "flat_estimates",
            spread(rows(content, "estimates")) < circumstances.policy.limit("estimate_spread"),
            "The estimates leave almost no room between best and worst case.",
        ),
        (
            "no_expert",
            not content.get("experts_interviewed"),
            "Nobody who does the work today was interviewed.",
        ),
        ("no_data_profiled", _unprofiled(content), "No column and no gap of the data is noted."),
    ):
        if fires:
            yield Sign(rule, points[rule], reason)


def over_scoped(content: Content, circumstances: Circumstances) -> Iterator[Sign]:
    """Yield the signs of a team that wants to publish."""
    points = circumstances.policy.over_scoped
    for rule, fires, reason in (
        (
            "skipped_rung",
            _skips_a_rung(content, circumstances),
            "A complex approach is proposed with no simpler one tested or argued away.",
        ),
        (
            "cost_exceeds_benefit",
            _costs_too_much(content, circumstances),
            "Running it and building it costs more a year than it brings.",
        ),
        (
            "research_heavy",
            _researches_too_much(content, circumstances),
            "The time boxes of the approaches take too large a share of the effort.",
        ),
        (
            "own_method",
            any(_is_own_favourite(row) for row in rows(content, "approaches")),
            "The favoured approach is a method of our own.",
        ),
        (
            "many_or_unboxed_approaches",
            _wanders(content, circumstances),
            "There are too many approaches, or some without a time box.",
        ),
        (
            "no_simple_baseline",
            not any(row["kind"] in _NON_ML_BASELINES for row in rows(content, "baselines")),
            "No baseline without machine learning is recorded.",
        ),
        (
            "no_maintainer",
            not any(circumstances.held.get(role) for role in _MAINTAINERS),
            "Nobody on the project is an ML engineer or in operations to maintain it.",
        ),
    ):
        if fires:
            yield Sign(rule, points[rule], reason)


def _weak(content: Content) -> bool:
    return all(row["kind"] in WEAK_SOURCES for row in rows(content, "prior_art"))


def _untried(content: Content) -> bool:
    return all(row["reproduced"] == "no" for row in rows(content, "prior_art"))


def _same(content: Content) -> bool:
    return all(text(row, "difficulty_delta") in {"", "same"} for row in rows(content, "prior_art"))


def _unprofiled(content: Content) -> bool:
    gaps = any(text(row, "known_gaps") for row in rows(content, "data_sources"))
    return not gaps and not rows(content, "feature_notes")


def _skips_a_rung(content: Content, circumstances: Circumstances) -> bool:
    rungs = [row["rung"] for row in rows(content, "approaches")]
    if not rungs or max(rungs) < _COMPLEX_ENOUGH:
        return False
    argued = len(text(content, "simplest_alternative"))
    return min(rungs) == max(rungs) and argued < circumstances.policy.limit("short_text_chars")


def _costs_too_much(content: Content, circumstances: Circumstances) -> bool:
    cost, benefit = number(content, "annual_run_cost"), number(content, "annual_benefit")
    if cost is None or benefit is None:
        return False
    policy = circumstances.policy
    build = expected_days(rows(content, "estimates")) * policy.limit("person_day_cost")
    return cost + build / policy.limit("life_years") > benefit


def _researches_too_much(content: Content, circumstances: Circumstances) -> bool:
    effort = expected_days(rows(content, "estimates"))
    boxes = sum(row.get("time_box_days") or 0 for row in rows(content, "approaches"))
    return effort > 0 and boxes > effort * circumstances.policy.limit("research_share")


def _is_own_favourite(approach: Content) -> bool:
    return bool(approach["novelty"] == "own" and approach["rank"] == 1)


def _wanders(content: Content, circumstances: Circumstances) -> bool:
    approaches = rows(content, "approaches")
    too_many = len(approaches) > circumstances.policy.limit("approaches_max")
    return too_many or any(not row.get("time_box_days") for row in approaches)
