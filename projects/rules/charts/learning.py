"""What the project has learned: criteria that pass, open questions, the best result so far."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from projects.rules.charts.base import Chart, ItemInfo, Run, SprintInfo, counted, plain
from projects.rules.criteria import evaluate, spec_of
from projects.rules.run_judge import RunJudge, looks_at_test
from projects.rules.work_history import Change, ItemState, states_before
from projects.rules.working_days import end_of_day

MUST, GUARDRAIL, KILL = "must", "guardrail", "kill"


@dataclass(frozen=True, slots=True)
class ScopeVersion:
    """A version of the scope that was approved, with the moment from which it is in force.

    `criteria`, `baselines` and `assumptions` are rows of its content.
    """

    version: int
    since: datetime
    criteria: Sequence[Mapping[str, Any]] = ()
    baselines: Sequence[Mapping[str, Any]] = ()
    assumptions: Sequence[Mapping[str, Any]] = ()

    @property
    def baseline_metrics(self) -> dict[str, Mapping[str, object]]:
        return {row["name"]: row.get("metrics") or {} for row in self.baselines}

    @property
    def aims(self) -> list[Mapping[str, Any]]:
        """Return the must and guardrail criteria that are judged on runs."""
        return [row for row in self.criteria if _is_aim(row) and _is_measured(row)]


def in_force(versions: Iterable[ScopeVersion], moment: datetime) -> ScopeVersion | None:
    """Return the version that was in force just before the moment."""
    begun = [version for version in versions if version.since < moment]
    return max(begun, key=lambda version: (version.since, version.version), default=None)


# --- Criteria -------------------------------------------------------------------------------------


def criteria_burn_up(
    versions: Sequence[ScopeVersion], runs: Iterable[Run], days: Sequence[date], *, zone: tzinfo
) -> Chart:
    """Return per day how many must and guardrail criteria the best run so far passes.

    Only eligible runs count, each against the criteria in force on the day. The best is the one
    that passes most; of equals, the later.
    """
    name, title = "criteria", "Criteria that pass"
    every = list(runs)
    judge = _Judge([run for run in every if run.is_eligible and run.ended_at], RunJudge(every))
    table = []
    for day in days:
        end = end_of_day(day, zone)
        scope = in_force(versions, end)
        if scope is not None and scope.aims:
            table.append({"day": day.isoformat(), **judge.best(scope, end)})
    if not table:
        return Chart(name, title, advice=_criteria_advice(versions))
    last = table[-1]
    elsewhere = last["judged_elsewhere"]
    more = counted(elsewhere, "more criterion is", "more criteria are")
    others = f" {more} judged elsewhere." if elsewhere else ""
    best = f", best by {last['best_run']}" if last["best_run"] else ""
    text = f"{last['passing']} of {last['total']} must and guardrail criteria pass{best}."
    return Chart(name, title, text + others, table)


@dataclass(frozen=True, slots=True)
class _Judge:
    """The runs that may count, and who judges them."""

    runs: list[Run]
    judge: RunJudge

    def best(self, scope: ScopeVersion, end: datetime) -> dict[str, Any]:
        ended = [run for run in self.runs if run.ended_at is not None and run.ended_at < end]
        passes = {run.run_id: self._count(scope, run, end) for run in ended}
        best = max(ended, key=lambda run: (passes[run.run_id], run.ended_at), default=None)
        aims = [row for row in scope.criteria if _is_aim(row)]
        return {
            "passing": passes[best.run_id] if best else 0,
            "total": len(scope.aims),
            "best_run": best.name if best else "",
            "runs": len(ended),
            "scope": f"v{scope.version}",
            "judged_elsewhere": len(aims) - len(scope.aims),
        }

    def _count(self, scope: ScopeVersion, run: Run, end: datetime) -> int:
        results = self.judge.judge(
            run, scope.aims, scope.baseline_metrics, scope=scope.version, until=end
        )
        return sum(result.is_pass for result in results)


def _is_aim(row: Mapping[str, Any]) -> bool:
    return row["level"] in {MUST, GUARDRAIL}


def _is_measured(row: Mapping[str, Any]) -> bool:
    return bool(row.get("source", "metric") == "metric")


def _criteria_advice(versions: Sequence[ScopeVersion]) -> str:
    if not versions:
        return "Get a scope with must criteria approved: the chart counts how many of them pass."
    return "Give the scope must or guardrail criteria that are judged on a run's metrics."


# --- Uncertainty ----------------------------------------------------------------------------------


def uncertainty_burn_down(
    items: Iterable[ItemInfo],
    changes: Iterable[Change],
    versions: Sequence[ScopeVersion],
    days: Sequence[date],
    *,
    zone: tzinfo,
) -> Chart:
    """Return per day the open hypotheses, open spikes and assumptions that nobody verified.

    An assumption of the scope in force is settled when it says so itself, or from the day on
    which the spike that it names was answered.
    """
    name, title = "uncertainty", "Open questions"
    kinds = {item.pk: item.kind for item in items}
    moments = [end_of_day(day, zone) for day in days]
    table: list[dict[str, Any]] = []
    for day, moment, states in zip(days, moments, states_before(changes, moments), strict=True):
        asked = {kind: _open(states, kinds, kind) for kind in ("hypothesis", "spike")}
        assumed = _unverified(in_force(versions, moment), states)
        table.append(
            {
                "day": day.isoformat(),
                "hypotheses": asked["hypothesis"],
                "spikes": asked["spike"],
                "assumptions": assumed,
                "total": sum(asked.values()) + assumed,
            }
        )
    if not any(row["total"] for row in table):
        return Chart(
            name,
            title,
            advice="Write hypotheses and spikes, and name the scope's assumptions: the chart shows "
            "how fast they are settled.",
        )
    last, most = table[-1], max(row["total"] for row in table)
    assumed_now = counted(last["assumptions"], "unverified assumption")
    text = (
        f"{counted(last['hypotheses'], 'hypothesis', 'hypotheses')}, "
        f"{counted(last['spikes'], 'spike')} and {assumed_now} are open; "
        f"the most on one day were {most}."
    )
    return Chart(name, title, text, table)


def _open(states: Mapping[int, ItemState], kinds: Mapping[int, str], kind: str) -> int:
    return sum(state.is_open for item, state in states.items() if kinds.get(item) == kind)


def _unverified(scope: ScopeVersion | None, states: Mapping[int, ItemState]) -> int:
    if scope is None:
        return 0
    return sum(
        not row.get("is_verified") and not _is_answered(str(row.get("spike") or ""), states)
        for row in scope.assumptions
    )


def _is_answered(ref: str, states: Mapping[int, ItemState]) -> bool:
    number = ref.removeprefix("work_item:")
    state = states.get(int(number)) if number.isdigit() else None
    return state is not None and state.outcome == "answered"


# --- The best result ------------------------------------------------------------------------------


def best_metric_by_sprint(
    scope: ScopeVersion | None, runs: Sequence[Run], sprints: Sequence[SprintInfo]
) -> Chart:
    """Return the best eligible value of the leading metric in each sprint.

    It is the first must criterion's; one whose measure a kill criterion watches goes before.
    Beside it stand its target, its baseline, the kill line of the same measure, and how many runs
    have looked at the test data: all of them, since a run that does not count has looked too.
    """
    name = "best-metric"
    leading = _leading(scope)
    if scope is None or leading is None:
        return Chart(
            name,
            "Best result by sprint",
            advice="Get a scope approved whose must criterion names a metric of the runs.",
        )
    metric = leading["metric_key"]
    title = f"Best {metric} by sprint"
    table, uses = [], 0
    for sprint in sprints:
        own = [run for run in runs if run.sprint == sprint.pk]
        looked = sum(looks_at_test(run) for run in own)
        uses += looked
        if own:
            table.append({**_best_row(sprint, own, leading), "test_uses": looked, "so_far": uses})
    if not any(row["best"] is not None for row in table):
        return Chart(name, title, advice=f"Finish a run of a sprint that logs {metric}.")
    marks = _lines(scope, leading)
    return Chart(name, title, _best_words(table, marks, leading), table, marks)


def _leading(scope: ScopeVersion | None) -> Mapping[str, Any] | None:
    musts = [row for row in (scope.aims if scope else ()) if row["level"] == MUST]
    watched = [row for row in musts if _kill_of(scope, row["metric_key"])]
    return next(iter([*watched, *musts]), None)


def _best_row(
    sprint: SprintInfo, runs: Sequence[Run], leading: Mapping[str, Any]
) -> dict[str, Any]:
    metric = leading["metric_key"]
    fit = [run for run in runs if run.is_eligible and metric in run.metrics]
    choose = max if leading["greater_is_better"] else min
    best = choose(fit, key=lambda run: run.metrics[metric]) if fit else None
    return {
        "sprint": sprint.name,
        "best": best.metrics[metric] if best else None,
        "run": best.name if best else "",
        "runs": len(runs),
        "eligible": len(fit),
    }


def _lines(scope: ScopeVersion, leading: Mapping[str, Any]) -> dict[str, Any]:
    metric = leading["metric_key"]
    result = evaluate(spec_of(leading), {metric: 0.0}, scope.baseline_metrics)
    named = scope.baseline_metrics.get(leading.get("baseline") or "")
    known = [named] if named else list(scope.baseline_metrics.values())
    values = [row[metric] for row in known if isinstance(row.get(metric), int | float)]
    choose = max if leading["greater_is_better"] else min
    kill = _kill_of(scope, metric)
    return {
        "metric": metric,
        "greater_is_better": leading["greater_is_better"],
        "target": result.limit,
        "baseline": choose(values) if values else None,  # type: ignore[type-var]
        "kill": kill["threshold"] if kill else None,
        "kill_metric": kill["metric_key"] if kill else "",
        "test_use_limit": leading.get("test_use_limit"),
    }


def _kill_of(scope: ScopeVersion | None, metric: str) -> Mapping[str, Any] | None:
    """Return the kill criterion on the same measure, on whatever data."""
    kills = [row for row in (scope.criteria if scope else ()) if row["level"] == KILL]
    fit = [row for row in kills if _measure(row["metric_key"]) == _measure(metric)]
    return next((row for row in fit if row.get("threshold") is not None), None)


def _measure(metric: str) -> str:
    for prefix in ("validation_", "test_", "backtest_", "production_"):
        metric = metric.removeprefix(prefix)
    return metric


def _best_words(
    table: Sequence[Mapping[str, Any]], marks: Mapping[str, Any], leading: Mapping[str, Any]
) -> str:
    choose = max if leading["greater_is_better"] else min
    best = choose((row for row in table if row["best"] is not None), key=lambda row: row["best"])
    asked = "at least" if leading["greater_is_better"] else "at most"
    target = marks["target"]
    aim = f"; the criterion asks for {asked} {plain(target)}" if target is not None else ""
    limit = marks["test_use_limit"]
    uses = counted(table[-1]["so_far"], "run") + (f" of at most {limit}" if limit else "")
    return (
        f"{best['run']} in {best['sprint']} reached {plain(best['best'])}{aim}. "
        f"The test data were looked at by {uses}."
    )
