"""Judge runs by criteria as they stood at a moment: by then, how often was the test data used?"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from projects.rules.charts.base import Run
from projects.rules.criteria import CriterionResult, judge, spec_of
from projects.rules.criterion_facts import CriterionFacts, Numbers

Row = Mapping[str, Any]
TEST_PREFIX = "test_"
_END = datetime.max.replace(tzinfo=UTC)


def looks_at_test(run: Run) -> bool:
    """Say whether the run was evaluated on test data, whether or not it may count."""
    return any(name.startswith(TEST_PREFIX) for name in run.metrics)


class RunJudge:
    """Judges the runs of one project; what is the same on many days is judged once."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._uses: dict[str, list[datetime]] = defaultdict(list)
        self._alike: dict[str, list[Run]] = defaultdict(list)
        self._kept: dict[tuple[object, ...], list[CriterionResult]] = {}
        for run in sorted(runs, key=lambda run: (_over(run), run.run_id)):
            if looks_at_test(run):
                self._uses[run.dataset].append(_over(run))
            if run.alike and run.status == "FINISHED":
                self._alike[run.alike].append(run)

    def judge(
        self,
        run: Run,
        criteria: Sequence[Row],
        baselines: Mapping[str, Numbers],
        *,
        scope: object = None,
        until: datetime = _END,
    ) -> list[CriterionResult]:
        """Return what each criterion says of the run with what was known before `until`.

        `scope` names the criteria; the same name must always come with the same criteria.
        """
        uses = bisect_left(self._uses[run.dataset], until)
        seeds = self._seed_runs(run, until)
        key = (scope, run.run_id, uses, tuple(one.run_id for one in seeds))
        if scope is None or key not in self._kept:
            facts = self.facts_of(run, baselines, until=until)
            self._kept[key] = [judge(spec_of(row), facts) for row in criteria]
        return self._kept[key]

    def facts_of(
        self, run: Run, baselines: Mapping[str, Numbers], *, until: datetime = _END
    ) -> CriterionFacts:
        """Return what a criterion may ask about the run, as known before `until`."""
        return CriterionFacts(
            metrics=run.metrics,
            baselines=baselines,
            seed_runs=[one.metrics for one in self._seed_runs(run, until)],
            run_id=run.run_id,
            dataset_refs=frozenset({run.dataset} - {""}),
            test_uses=bisect_left(self._uses[run.dataset], until),
        )

    def _seed_runs(self, run: Run, until: datetime) -> list[Run]:
        """Return the runs that differ in their seed alone; of one seed the newest counts."""
        alike = [one for one in self._alike.get(run.alike, ()) if _over(one) < until]
        by_seed = {one.seed: one for one in alike if one.seed != run.seed} | {run.seed: run}
        return sorted(by_seed.values(), key=lambda one: (one.started_at, one.run_id))


def _over(run: Run) -> datetime:
    return (run.ended_at or run.started_at).astimezone(UTC)
