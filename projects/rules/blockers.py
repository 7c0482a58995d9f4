"""What stops a scoping document from being submitted, whatever it scores."""

from collections.abc import Callable, Iterator

from projects.rules.scope_terms import (
    Blocker,
    Circumstances,
    Content,
    number,
    risk_score,
    rows,
    text,
)
from projects.rules.words import role_words

WEAK_SOURCES = frozenset({"blog", "tutorial", "vendor"})
OWN_BASELINES = frozenset({"current_process", "heuristic", "simple_model"})
#: A criterion may also be measured from whatever is in production when it is judged.
CHAMPION = "champion"

#: Kill criteria are judged when a sprint closes; these are judged at gates alone.
_JUDGED_AT_GATES = frozenset({"must", "guardrail"})
_LEVELS = {
    "must": "a must criterion: a number the model has to reach",
    "guardrail": "a guardrail: something that must not get worse",
    "kill": "a kill criterion: what has to be true by a date, or the project stops",
}


def find(content: Content, circumstances: Circumstances) -> Iterator[Blocker]:
    """Yield every blocker in the order of the document's sections."""
    for check in _CHECKS:
        yield from check(content, circumstances)


def _problem(content: Content, circumstances: Circumstances) -> Iterator[Blocker]:
    statement = text(content, "problem_statement")
    least = int(circumstances.policy.limit("problem_statement_chars"))
    if not statement:
        yield Blocker(
            "problem_statement_missing", "State the problem to be solved.", "problem_statement"
        )
    elif len(statement) < least:
        yield Blocker(
            "problem_statement_short",
            f"The problem statement has {len(statement)} characters; {least} are the least that "
            "lets an outsider follow.",
            "problem_statement",
        )


def _objectives(content: Content, _: Circumstances) -> Iterator[Blocker]:
    kinds = {row["kind"] for row in rows(content, "objectives")}
    for kind, word in (("business", "business"), ("ml", "ML")):
        if kind not in kinds:
            yield Blocker(
                f"objective_{kind}_missing", f"Name at least one {word} objective.", "objectives"
            )


def _baselines(content: Content, _: Circumstances) -> Iterator[Blocker]:
    if not any(row["kind"] in OWN_BASELINES for row in rows(content, "baselines")):
        yield Blocker(
            "baseline_missing",
            "Record a baseline: today's process, a rule of thumb or a simple model.",
            "baselines",
        )


def _criteria(content: Content, _: Circumstances) -> Iterator[Blocker]:
    criteria = rows(content, "criteria")
    levels = {row["level"] for row in criteria}
    for level, what in _LEVELS.items():
        if level not in levels:
            yield Blocker(f"criterion_{level}_missing", f"Add {what}.", "criteria")
    for row in criteria:
        if row["level"] in _JUDGED_AT_GATES and not row.get("gates"):
            yield Blocker(
                "criterion_without_gate",
                f"Name the gate that judges the criterion {row['key']}; no gate would read it.",
                "criteria",
            )
    known = {row["name"]: row.get("metrics") or {} for row in rows(content, "baselines")}
    for row in criteria:
        if not _is_measurable(row, known):
            yield Blocker(
                "criterion_baseline_unknown",
                f"The criterion {row['key']} is measured from the baseline "
                f"{row.get('baseline') or '(none named)'}, which has no {row['metric_key']}.",
                "criteria",
            )


def _is_measurable(criterion: Content, baselines: Content) -> bool:
    changes = ("min_absolute_change", "min_relative_change", "max_absolute_drop")
    if not any(number(criterion, name) is not None for name in (*changes, "max_relative_drop")):
        return True
    name = text(criterion, "baseline")
    return name == CHAMPION or criterion["metric_key"] in baselines.get(name, {})


def _prior_art(content: Content, _: Circumstances) -> Iterator[Blocker]:
    entries = rows(content, "prior_art")
    if not entries:
        yield Blocker(
            "prior_art_missing", "Record what others achieved on a problem like it.", "prior_art"
        )
    elif all(row["kind"] in WEAK_SOURCES for row in entries):
        yield Blocker(
            "prior_art_weak",
            "All prior art is from blogs, tutorials or vendors; add a paper, a book, official "
            "documentation or an earlier project of your own.",
            "prior_art",
        )


def _approaches(content: Content, circumstances: Circumstances) -> Iterator[Blocker]:
    approaches = rows(content, "approaches")
    least = int(circumstances.policy.limit("approaches_min"))
    if len(approaches) < least:
        yield Blocker(
            "approaches_too_few",
            f"Compare at least {least} approaches; there {_are(len(approaches))}.",
            "approaches",
        )
    if unboxed := [row["name"] for row in approaches if not row.get("time_box_days")]:
        yield Blocker(
            "approach_time_box_missing",
            f"Give every approach a time box in days; missing for {', '.join(unboxed)}.",
            "approaches",
        )


def _split(content: Content, _: Circumstances) -> Iterator[Blocker]:
    if content.get("is_time_ordered") and content.get("split_strategy") == "random":
        yield Blocker(
            "split_random_on_time_order",
            "The rows are ordered in time and the model is used on later ones, so a random split "
            "tests it on a future it has seen; split by time.",
            "split_strategy",
        )


def _leaks(content: Content, _: Circumstances) -> Iterator[Blocker]:
    for row in rows(content, "feature_notes"):
        if row["is_used"] and not row["is_known_at_prediction"]:
            yield Blocker(
                "leaking_feature",
                f"The column {row['column']} is used as a feature although it is not known when "
                "the prediction is made.",
                "feature_notes",
            )


def _data(content: Content, _: Circumstances) -> Iterator[Blocker]:
    sources = rows(content, "data_sources")
    if not any(row["access"] == "granted" for row in sources):
        yield Blocker(
            "data_access_missing",
            "Name a data source to which access is granted."
            if not sources
            else "Access is granted to none of the data sources.",
            "data_sources",
        )
    for row in sources:
        if row["personal_data"] != "none" and not text(row, "lawful_basis"):
            yield Blocker(
                "lawful_basis_missing",
                f"The data source {row['name']} holds personal data; name the lawful basis.",
                "data_sources",
            )


def _estimates(content: Content, _: Circumstances) -> Iterator[Blocker]:
    if not rows(content, "estimates"):
        yield Blocker(
            "estimate_missing",
            "Estimate the effort of each phase: optimistic, likely, pessimistic.",
            "estimates",
        )


def _risks(content: Content, circumstances: Circumstances) -> Iterator[Blocker]:
    risks = rows(content, "risks")
    least = int(circumstances.policy.limit("risks_min"))
    if len(risks) < least:
        yield Blocker(
            "risks_too_few", f"Name at least {least} risks; there {_are(len(risks))}.", "risks"
        )
    kinds = int(circumstances.policy.limit("risk_categories_min"))
    if len({row["category"] for row in risks}) < kinds:
        yield Blocker(
            "risks_one_sided", f"Name risks of at least {kinds} different categories.", "risks"
        )
    grave = circumstances.policy.limit("risk_blocks_untreated")
    for row in risks:
        if risk_score(row) >= grave and not (text(row, "mitigation") and row.get("owner")):
            yield Blocker(
                "risk_untreated",
                f"The risk “{row['title']}” scores {risk_score(row)} and has no mitigation with "
                "an owner.",
                "risks",
            )


def _operation(content: Content, _: Circumstances) -> Iterator[Blocker]:
    if not text(content, "fallback"):
        yield Blocker(
            "fallback_missing", "Say what happens when the model is not available.", "fallback"
        )
    if not rows(content, "monitoring_plan"):
        yield Blocker(
            "monitoring_plan_missing",
            "Say what is watched in production, how often and who acts.",
            "monitoring_plan",
        )


def _people(_: Content, circumstances: Circumstances) -> Iterator[Blocker]:
    for role in circumstances.required_roles:
        if not circumstances.eligible.get(role):
            yield Blocker(
                "sign_off_role_unfilled",
                f"Nobody besides the authors holds the role of {role_words(role)}, which "
                f"has to sign at the {circumstances.tier} tier.",
                "stakeholders",
            )


def _are(count: int) -> str:
    if not count:
        return "are none"
    return "is one" if count == 1 else f"are {count}"


_CHECKS: tuple[Callable[[Content, Circumstances], Iterator[Blocker]], ...] = (
    _problem,
    _objectives,
    _baselines,
    _criteria,
    _prior_art,
    _approaches,
    _split,
    _leaks,
    _data,
    _estimates,
    _risks,
    _operation,
    _people,
)
