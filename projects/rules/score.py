"""The readiness score, item by item: 0 absent, 0.5 there but weak, 1 earned."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from projects.rules.blockers import OWN_BASELINES, WEAK_SOURCES
from projects.rules.estimates import spread
from projects.rules.scope_terms import (
    Circumstances,
    Content,
    LostPoints,
    Row,
    number,
    risk_score,
    rows,
    text,
)

ABSENT, WEAK, EARNED = 0.0, 0.5, 1.0
Judge = Callable[[Content, Circumstances], float]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that earns points: where it stands, how it is judged, what would earn it."""

    field: str
    judge: Judge
    advice: str


def lost_points(content: Content, circumstances: Circumstances) -> Iterator[LostPoints]:
    """Yield what each item did not earn, with the advice that would earn it."""
    for section, part in circumstances.policy.sections.items():
        for name, points in part.points.items():
            item = ITEMS[section, name]
            missing = points * (EARNED - item.judge(content, circumstances))
            if missing > 0:
                yield LostPoints(section, round(missing, 2), item.advice, item.field)


def _long_text(name: str, limit: str) -> Judge:
    def judge(content: Content, circumstances: Circumstances) -> float:
        length = len(text(content, name))
        if not length:
            return ABSENT
        return EARNED if length >= circumstances.policy.limit(limit) else WEAK

    return judge


def _choice(name: str) -> Judge:
    return lambda content, _: EARNED if content.get(name) else ABSENT


def _objective(kind: str) -> Judge:
    def judge(content: Content, circumstances: Circumstances) -> float:
        found = [row for row in rows(content, "objectives") if row["kind"] == kind]
        if not found:
            # Low-risk projects need no economic objective.
            spared = kind == "economic" and circumstances.tier == "low"
            return EARNED if spared else ABSENT
        return EARNED if any(map(_is_measured, found)) else WEAK

    return judge


def _is_measured(objective: Row) -> bool:
    numbers = (number(objective, "baseline_value"), number(objective, "target_value"))
    return None not in numbers and bool(text(objective, "metric") and text(objective, "method"))


def _baselines(content: Content, _: Circumstances) -> float:
    own = [row for row in rows(content, "baselines") if row["kind"] in OWN_BASELINES]
    if not own:
        return ABSENT
    return EARNED if any(row.get("metrics") for row in own) else WEAK


def _both(first: str, second: str) -> Judge:
    return lambda content, _: sum(number(content, name) is not None for name in (first, second)) / 2


def _level(level: str) -> Judge:
    return lambda content, _: float(any(row["level"] == level for row in rows(content, "criteria")))


def _share(name: str, holds: Callable[[Row], object]) -> Judge:
    return lambda content, _: _mean(bool(holds(row)) for row in rows(content, name))


def _mean(values: Iterable[bool]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else ABSENT


def _sources(content: Content, _: Circumstances) -> float:
    entries = rows(content, "prior_art")
    if not entries:
        return ABSENT
    strong = any(row["kind"] not in WEAK_SOURCES for row in entries)
    return EARNED if strong and len(entries) > 1 else WEAK


def _reproduction(content: Content, _: Circumstances) -> float:
    tried = [row for row in rows(content, "prior_art") if row["reproduced"] != "no"]
    if not tried:
        return ABSENT
    return EARNED if any(text(row, "our_value") for row in tried) else WEAK


def _has_difficulty(row: Row) -> bool:
    delta = text(row, "difficulty_delta")
    return bool(delta) and (delta == "same" or bool(text(row, "delta_reason")))


def _approaches(content: Content, circumstances: Circumstances) -> float:
    approaches = rows(content, "approaches")
    if len(approaches) < circumstances.policy.limit("approaches_min"):
        return ABSENT
    one_first = sum(row["rank"] == 1 for row in approaches) == 1
    few_enough = len(approaches) <= circumstances.policy.limit("approaches_max")
    return EARNED if one_first and few_enough else WEAK


def _access(content: Content, _: Circumstances) -> float:
    levels = {row["access"] for row in rows(content, "data_sources")}
    if "granted" in levels:
        return EARNED
    return WEAK if "requested" in levels else ABSENT


def _split(content: Content, _: Circumstances) -> float:
    strategy = content.get("split_strategy")
    unfit = strategy == "random" and content.get("is_time_ordered")
    return EARNED if strategy and not unfit else ABSENT


def _any_row(name: str) -> Judge:
    return lambda content, _: EARNED if rows(content, name) else ABSENT


def _estimates(content: Content, circumstances: Circumstances) -> float:
    estimates = rows(content, "estimates")
    if not estimates:
        return ABSENT
    return EARNED if spread(estimates) >= circumstances.policy.limit("estimate_spread") else WEAK


def _coverage(content: Content, circumstances: Circumstances) -> float:
    risks = rows(content, "risks")
    if not risks:
        return ABSENT
    many = len(risks) >= circumstances.policy.limit("risks_min")
    wide = len({row["category"] for row in risks}) >= circumstances.policy.limit(
        "risk_categories_min"
    )
    return EARNED if many and wide else WEAK


def _treatment(content: Content, circumstances: Circumstances) -> float:
    least = circumstances.policy.limit("risk_needs_treatment")
    return _mean(
        risk_score(row) < least or bool(text(row, "mitigation") and row.get("owner"))
        for row in rows(content, "risks")
    )


def _no_open_questions(content: Content, _: Circumstances) -> float:
    unanswered = [row for row in rows(content, "open_questions") if not text(row, "answer")]
    return ABSENT if unanswered else EARNED


def _sign_off_roles(_: Content, circumstances: Circumstances) -> float:
    return _mean(bool(circumstances.eligible.get(role)) for role in circumstances.required_roles)


def _experts(content: Content, _: Circumstances) -> float:
    return EARNED if content.get("experts_interviewed") else ABSENT


def _lawful(row: Row) -> bool:
    return row["personal_data"] == "none" or bool(text(row, "lawful_basis"))


def _prose(name: str, what: str) -> Item:
    return Item(name, _long_text(name, "short_text_chars"), what)


def _use(name: str, what: str) -> Item:
    return Item(name, _long_text(name, "use_chars"), what)


ITEMS: Mapping[tuple[str, str], Item] = {
    ("problem", "problem_statement"): Item(
        "problem_statement",
        _long_text("problem_statement", "problem_statement_chars"),
        "State the problem so that an outsider can follow it.",
    ),
    ("problem", "current_process"): _prose("current_process", "Describe how it is done today."),
    ("problem", "decision_informed"): _prose(
        "decision_informed", "Name the decision that a prediction informs."
    ),
    ("problem", "action_on_output"): _prose(
        "action_on_output", "Say who does what on a prediction."
    ),
    ("problem", "intended_use"): _use("intended_use", "Describe the intended use."),
    ("problem", "out_of_scope_use"): _use("out_of_scope_use", "Say what it is not to be used for."),
    ("value", "business_objective"): Item(
        "objectives",
        _objective("business"),
        "Give a business objective a metric, today's value, a target and a method.",
    ),
    ("value", "ml_objective"): Item(
        "objectives",
        _objective("ml"),
        "Give an ML objective a metric, a starting value, a target and a method.",
    ),
    ("value", "economic_objective"): Item(
        "objectives",
        _objective("economic"),
        "Give an economic objective a metric, today's value, a target and a method.",
    ),
    ("value", "baselines"): Item(
        "baselines", _baselines, "Record a baseline of your own with its metrics."
    ),
    ("value", "error_costs"): Item(
        "false_positive_cost",
        _both("false_positive_cost", "false_negative_cost"),
        "State what a false positive and a false negative cost.",
    ),
    ("criteria", "must"): Item("criteria", _level("must"), "Add a must criterion."),
    ("criteria", "guardrail"): Item("criteria", _level("guardrail"), "Add a guardrail."),
    ("criteria", "kill"): Item("criteria", _level("kill"), "Add a kill criterion with a date."),
    ("criteria", "rationale"): Item(
        "criteria",
        _share("criteria", lambda row: text(row, "rationale")),
        "Say for each criterion why it stands where it stands.",
    ),
    ("prior_art", "sources"): Item(
        "prior_art", _sources, "Record two sources or more, not all of them blogs or vendors."
    ),
    ("prior_art", "reproduction"): Item(
        "prior_art", _reproduction, "Reproduce one earlier result on your own data; note the value."
    ),
    ("prior_art", "difficulty"): Item(
        "prior_art",
        _share("prior_art", _has_difficulty),
        "Say for each source how much harder your case is, and why.",
    ),
    ("prior_art", "approaches"): Item(
        "approaches", _approaches, "Compare two to four approaches and rank exactly one first."
    ),
    ("prior_art", "time_boxes"): Item(
        "approaches",
        _share("approaches", lambda row: row.get("time_box_days")),
        "Give every approach a time box.",
    ),
    ("data", "access"): Item("data_sources", _access, "Obtain access to a data source."),
    ("data", "owner"): Item(
        "data_sources",
        _share("data_sources", lambda row: row.get("owner")),
        "Name the owner of every data source.",
    ),
    ("data", "lawful_basis"): Item(
        "data_sources",
        _share("data_sources", _lawful),
        "Name the lawful basis of every source with personal data.",
    ),
    ("data", "known_gaps"): Item(
        "data_sources",
        _share("data_sources", lambda row: text(row, "known_gaps")),
        "Note the known gaps of every data source.",
    ),
    ("data", "split"): Item(
        "split_strategy", _split, "Choose a split that tests the model as it will be used."
    ),
    ("data", "feature_notes"): Item(
        "feature_notes",
        _any_row("feature_notes"),
        "Note at least one column whose use needs a word, known at prediction time or not.",
    ),
    ("effort", "estimates"): Item(
        "estimates", _estimates, "Estimate with three points that differ, by phase."
    ),
    ("effort", "estimate_basis"): Item(
        "estimates",
        _share("estimates", lambda row: text(row, "basis")),
        "Say what every estimate rests on.",
    ),
    ("effort", "cost_and_benefit"): Item(
        "annual_run_cost",
        _both("annual_run_cost", "annual_benefit"),
        "State the annual cost of running it and the annual benefit.",
    ),
    ("effort", "why_ml"): _prose("why_ml", "Say why this needs machine learning."),
    ("effort", "simplest_alternative"): _prose(
        "simplest_alternative", "Describe the simplest alternative and why it is not enough."
    ),
    ("risks", "coverage"): Item(
        "risks", _coverage, "Name three risks or more, over two categories or more."
    ),
    ("risks", "treatment"): Item(
        "risks", _treatment, "Give every high risk a mitigation and an owner."
    ),
    ("risks", "risk_owners"): Item(
        "risks", _share("risks", lambda row: row.get("owner")), "Name an owner for every risk."
    ),
    ("risks", "open_questions"): Item(
        "open_questions", _no_open_questions, "Answer the open questions."
    ),
    ("people", "sign_off_roles"): Item(
        "stakeholders",
        _sign_off_roles,
        "Find somebody besides the authors for every role that signs.",
    ),
    ("people", "experts"): Item(
        "experts_interviewed", _experts, "Interview somebody who does the work today."
    ),
    ("operation", "deployment"): Item(
        "deployment_mode", _choice("deployment_mode"), "Choose how predictions reach their users."
    ),
    ("operation", "fallback"): _prose("fallback", "Say what happens without the model."),
    ("operation", "monitoring"): Item(
        "monitoring_plan",
        _share("monitoring_plan", lambda row: row.get("owner") and text(row, "action")),
        "Say what is watched, how often and who acts.",
    ),
    ("operation", "retraining"): _prose("retraining_policy", "Say when it is trained again."),
}
