"""Which kill criteria are due when a sprint ends, and whether what they ask for is true."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

from projects.rules import criteria as rules
from projects.rules.charts.base import Run
from projects.rules.criteria import MISSING, PASS, Criterion, CriterionResult
from projects.rules.criterion_facts import CriterionFacts, Numbers
from projects.rules.run_judge import RunJudge


class KillCriterion(Criterion, Protocol):
    """A criterion with a title that people read."""

    @property
    def title(self) -> str: ...


@dataclass(frozen=True, slots=True)
class KillResult:
    """What one kill criterion came to; `is_due` says whether it had to hold by now."""

    criterion: KillCriterion
    is_due: bool
    outcome: CriterionResult
    run_id: str = ""

    @property
    def has_failed(self) -> bool:
        """Return whether it had to hold and does not; a number that is missing never holds."""
        return self.is_due and self.outcome.state != PASS

    def as_data(self) -> dict[str, Any]:
        """Return the result as JSON can hold it."""
        return {
            "key": self.criterion.key,
            "title": self.criterion.title,
            "metric": self.criterion.metric_key,
            "by_date": str(self.criterion.by_date) if self.criterion.by_date else None,
            "by_sprint": self.criterion.by_sprint,
            "is_due": self.is_due,
            "has_failed": self.has_failed,
            "state": self.outcome.state,
            "sentence": self.outcome.sentence,
            "value": self.outcome.value,
            "limit": self.outcome.limit,
            "run": self.run_id,
        }


def judge_all(
    criteria: Sequence[KillCriterion],
    runs: Sequence[Run],
    baselines: Mapping[str, Numbers],
    *,
    today: date,
    sprints_ended: int,
) -> list[KillResult]:
    """Judge each kill criterion on the best eligible run; `sprints_ended` includes this one.

    Each is judged on the run that does best by its own metric, so that nothing is stopped that
    some run has shown to work. All runs count as uses of the test data, eligible or not.
    """
    judge = RunJudge(runs)
    when = CriterionFacts(baselines=baselines, today=today, sprints_ended=sprints_ended)
    eligible = [run for run in runs if run.is_eligible]
    return [_judge(one, _best(one, eligible), judge, when) for one in criteria]


def _judge(
    criterion: KillCriterion, run: Run | None, judge: RunJudge, when: CriterionFacts
) -> KillResult:
    is_due = rules.is_due(criterion, when)
    if run is None:
        return KillResult(criterion, is_due, _no_run(criterion))
    known = judge.facts_of(run, when.baselines)
    facts = replace(known, today=when.today, sprints_ended=when.sprints_ended)
    return KillResult(criterion, is_due, rules.judge(criterion, facts), run.run_id)


def _best(criterion: KillCriterion, runs: Sequence[Run]) -> Run | None:
    measured = [run for run in runs if criterion.metric_key in run.metrics]
    choose = max if criterion.greater_is_better else min
    return choose(measured, key=lambda run: run.metrics[criterion.metric_key], default=None)


def _no_run(criterion: KillCriterion) -> CriterionResult:
    return CriterionResult(
        criterion.key,
        criterion.metric_key,
        MISSING,
        f"No eligible run has measured {criterion.metric_key}.",
    )
