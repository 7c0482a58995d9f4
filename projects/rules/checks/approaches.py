"""Rules about prior art, approaches and the decision between them."""

from collections import defaultdict

from projects.rules.checks.base import Said, rule
from projects.rules.scope_terms import (
    Circumstances,
    Content,
    Row,
    amount,
    listed,
    number,
    rows,
    text,
)

WEAK_SOURCES = frozenset({"blog", "tutorial", "vendor"})
_TRIED = frozenset({"partial", "yes"})
_HARDER = frozenset({"harder", "much_harder"})


def _are(count: int) -> str:
    if not count:
        return "are none"
    return "is one" if count == 1 else f"are {count}"


def _references(found: list[Row]) -> str:
    return listed(text(row, "reference") for row in found)


def _names(found: list[Row]) -> str:
    return listed(text(row, "name") for row in found)


@rule("prior_art_too_few", "prior_art")
def _few_sources(content: Content, around: Circumstances) -> Said:
    count, least = len(rows(content, "prior_art")), int(around.policy.limit("prior_art_min"))
    if count < least:
        yield f"Record at least {least} sources of prior art; there {_are(count)}."


@rule("prior_art_weak", "prior_art")
def _weak(content: Content, _: Circumstances) -> Said:
    if all(text(row, "kind") in WEAK_SOURCES for row in rows(content, "prior_art")):
        yield (
            "All prior art is from blogs, tutorials or vendors; add a paper, a book, official "
            "documentation or an earlier project of your own."
        )


@rule("prior_art_not_reproduced", "prior_art", need="reproduced_prior_art")
def _reproduced(content: Content, around: Circumstances) -> Said:
    by_run = any(
        text(row, "reproduced") in _TRIED and text(row, "run_id")
        for row in rows(content, "prior_art")
    )
    kinds = {text(row, "kind") for row in rows(content, "sprint_plan")}
    if not by_run and not kinds & set(around.policy.lists["research_kinds"]):
        yield (
            "Reproduce one earlier result on your own data and name the run, or plan a research "
            "spike that does."
        )


@rule("prior_art_untried", "prior_art")
def _tried(content: Content, _: Circumstances) -> Said:
    tried = [row for row in rows(content, "prior_art") if text(row, "reproduced") in _TRIED]
    if not any(text(row, "our_value") for row in tried):
        yield "Try one earlier result on your own data and note the value you got."


@rule("difficulty_unstated", "prior_art")
def _difficulty(content: Content, _: Circumstances) -> Said:
    silent = [row for row in rows(content, "prior_art") if not text(row, "difficulty_delta")]
    if silent:
        yield f"Say how much harder your case is than {_references(silent)}."


@rule("difficulty_unreasoned", "prior_art")
def _difficulty_reason(content: Content, _: Circumstances) -> Said:
    bare = [
        row
        for row in rows(content, "prior_art")
        if text(row, "difficulty_delta") in _HARDER and not text(row, "delta_reason")
    ]
    if bare:
        yield f"Say why your case is harder than {_references(bare)}."


@rule("approaches_too_few", "approaches")
def _few(content: Content, around: Circumstances) -> Said:
    count, least = len(rows(content, "approaches")), int(around.policy.limit("approaches_min"))
    if count < least:
        yield f"Compare at least {least} approaches; there {_are(count)}."


@rule("approaches_too_many", "approaches")
def _many(content: Content, around: Circumstances) -> Said:
    count, most = len(rows(content, "approaches")), int(around.policy.limit("approaches_max"))
    if count > most:
        yield f"Compare at most {most} approaches; there {_are(count)}. Park the others."


@rule("approaches_favourite", "approaches")
def _favourite(content: Content, _: Circumstances) -> Said:
    first = [row for row in rows(content, "approaches") if number(row, "rank") == 1]
    if len(first) != 1:
        yield f"Rank exactly one approach first; there {_are(len(first))} of rank 1."


@rule("approach_time_box_missing", "approaches")
def _time_box(content: Content, _: Circumstances) -> Said:
    open_ended = [row for row in rows(content, "approaches") if not amount(row, "time_box_days")]
    if open_ended:
        yield f"Give every approach a time box in days; missing for {_names(open_ended)}."


@rule("approach_without_signal", "approaches")
def _signal(content: Content, _: Circumstances) -> Said:
    silent = [row for row in rows(content, "approaches") if not text(row, "success_signal")]
    if silent:
        yield f"Say what would show that it works: {_names(silent)}."


@rule("decision_weights_sum", "decision_weights")
def _weights(content: Content, around: Circumstances) -> Said:
    sums: dict[str, float] = defaultdict(float)
    for row in rows(content, "decision_weights"):
        sums[text(row, "role")] += amount(row, "weight")
    full = around.policy.limit("weights_sum")
    for role, total in sums.items():
        if total != full:
            yield f"The weights of {role or '(no role)'} add up to {total:g}, not {full:g}."


@rule("decision_scores_unknown", "decision_scores")
def _scores(content: Content, _: Circumstances) -> Said:
    known = {text(row, "name") for row in rows(content, "approaches")}
    weighed = {text(row, "criterion") for row in rows(content, "decision_weights")}
    for row in rows(content, "decision_scores"):
        approach, criterion = text(row, "approach"), text(row, "criterion")
        if approach not in known or criterion not in weighed:
            yield f"The score of {approach} for {criterion} names no approach or no weight."
