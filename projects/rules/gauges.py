"""Two ways a scope goes wrong: thin as a copied blog post, or grand as a paper.

Each sign that fires carries its points, its reason and the field it looked at. Advice for
approvers, never a block.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from projects.rules.checks.approaches import WEAK_SOURCES
from projects.rules.estimates import annual_cost, build_cost, expected_days, spread
from projects.rules.scope_terms import Circumstances, Content, Sign, amount, number, rows, text

_COMPLEX_ENOUGH = 2
_NON_ML_BASELINES = frozenset({"current_process", "heuristic", "human"})
_MAINTAINERS = ("ml_engineer", "operations")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a gauge: when it fires, where to look, and what it says."""

    code: str
    field: str
    fires: Callable[[Content, Circumstances], bool]
    reason: str


def under_scoped(content: Content, circumstances: Circumstances) -> Iterator[Sign]:
    """Yield the signs of a team that copies what it read."""
    return _signs(UNDER_SCOPED, circumstances.policy.under_scoped, content, circumstances)


def over_scoped(content: Content, circumstances: Circumstances) -> Iterator[Sign]:
    """Yield the signs of a team that wants to publish."""
    return _signs(OVER_SCOPED, circumstances.policy.over_scoped, content, circumstances)


def _signs(
    rules: Iterable[Rule], points: Mapping[str, int], content: Content, circumstances: Circumstances
) -> Iterator[Sign]:
    for rule in rules:
        if rule.fires(content, circumstances):
            yield Sign(rule.code, points[rule.code], rule.reason, rule.field)


def _weak(content: Content, _: Circumstances) -> bool:
    return all(text(row, "kind") in WEAK_SOURCES for row in rows(content, "prior_art"))


def _untried(content: Content, _: Circumstances) -> bool:
    return not any(
        text(row, "reproduced") in {"partial", "yes"} for row in rows(content, "prior_art")
    )


def _same(content: Content, _: Circumstances) -> bool:
    return all(text(row, "difficulty_delta") in {"", "same"} for row in rows(content, "prior_art"))


def _lonely(content: Content, circumstances: Circumstances) -> bool:
    return len(rows(content, "approaches")) < circumstances.policy.limit("approaches_min")


def _lacks_cost_or_target(content: Content, _: Circumstances) -> bool:
    return annual_cost(content) is None or not text(content, "deployment_mode")


def _is_flat(content: Content, circumstances: Circumstances) -> bool:
    return spread(rows(content, "estimates")) < circumstances.policy.limit("estimate_spread")


def _no_expert(content: Content, _: Circumstances) -> bool:
    return not number(content, "experts_interviewed")


def _unprofiled(content: Content, _: Circumstances) -> bool:
    gaps = any(text(row, "known_gaps") for row in rows(content, "data_sources"))
    return not gaps and not rows(content, "feature_notes")


def _skips_a_rung(content: Content, circumstances: Circumstances) -> bool:
    approaches = rows(content, "approaches")
    rungs = [amount(row, "rung") for row in approaches]
    if not rungs or max(rungs) < _COMPLEX_ENOUGH or min(rungs) < max(rungs):
        return False
    least = circumstances.policy.limit("short_text_chars")
    arguments = [text(content, "simplest_alternative")]
    arguments += [text(row, "why_this_rung") for row in approaches]
    return max(map(len, arguments)) < least


def _costs_too_much(content: Content, circumstances: Circumstances) -> bool:
    build, running = build_cost(content, circumstances), annual_cost(content)
    benefit = number(content, "annual_benefit")
    if build is None or running is None or benefit is None:
        return False
    return running + build / circumstances.policy.limit("life_years") > benefit


def _researches_too_much(content: Content, circumstances: Circumstances) -> bool:
    effort = expected_days(rows(content, "estimates"))
    boxes = sum(amount(row, "time_box_days") for row in rows(content, "approaches"))
    return effort > 0 and boxes > effort * circumstances.policy.limit("research_share")


def _favours_own(content: Content, _: Circumstances) -> bool:
    return any(
        text(row, "novelty") == "own" and number(row, "rank") == 1
        for row in rows(content, "approaches")
    )


def _wanders(content: Content, circumstances: Circumstances) -> bool:
    approaches = rows(content, "approaches")
    too_many = len(approaches) > circumstances.policy.limit("approaches_max")
    return too_many or any(not number(row, "time_box_days") for row in approaches)


def _no_simple_baseline(content: Content, _: Circumstances) -> bool:
    return not any(text(row, "kind") in _NON_ML_BASELINES for row in rows(content, "baselines"))


def _nobody_maintains(_: Content, circumstances: Circumstances) -> bool:
    return not any(circumstances.held.get(role) for role in _MAINTAINERS)


UNDER_SCOPED = (
    Rule(
        "weak_prior_art", "prior_art", _weak, "All prior art is from blogs, tutorials or vendors."
    ),
    Rule("nothing_reproduced", "prior_art", _untried, "No earlier result was tried on our data."),
    Rule(
        "same_difficulty", "prior_art", _same, "Every earlier case is taken to be as hard as ours."
    ),
    Rule("few_approaches", "approaches", _lonely, "There is no second approach to compare with."),
    Rule(
        "no_cost_or_target",
        "annual_run_cost",
        _lacks_cost_or_target,
        "Running cost or the way of deployment is not stated.",
    ),
    Rule(
        "flat_estimates",
        "estimates",
        _is_flat,
        "The estimates leave almost no room between best and worst case.",
    ),
    Rule(
        "no_expert",
        "experts_interviewed",
        _no_expert,
        "Nobody who does the work today was interviewed.",
    ),
    Rule(
        "no_data_profiled",
        "data_sources",
        _unprofiled,
        "No column and no gap of the data is noted.",
    ),
)
OVER_SCOPED = (
    Rule(
        "skipped_rung",
        "approaches",
        _skips_a_rung,
        "A complex approach is proposed with no simpler one tested or argued away.",
    ),
    Rule(
        "cost_exceeds_benefit",
        "annual_benefit",
        _costs_too_much,
        "Running it and building it costs more a year than it brings.",
    ),
    Rule(
        "research_heavy",
        "approaches",
        _researches_too_much,
        "The time boxes of the approaches take too large a share of the effort.",
    ),
    Rule("own_method", "approaches", _favours_own, "The favoured approach is a method of our own."),
    Rule(
        "many_or_unboxed_approaches",
        "approaches",
        _wanders,
        "There are too many approaches, or some without a time box.",
    ),
    Rule(
        "no_simple_baseline",
        "baselines",
        _no_simple_baseline,
        "No baseline without machine learning is recorded.",
    ),
    Rule(
        "no_maintainer",
        "stakeholders",
        _nobody_maintains,
        "Nobody on the project is an ML engineer or in operations to maintain it.",
    ),
)
