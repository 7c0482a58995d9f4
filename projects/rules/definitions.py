"""Definition of ready and definition of done, as checklists with the reason for each open point.

Nothing is asked of work that was given up: an aborted experiment owes no comparison.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from projects.rules.work_item_details import is_empty
from projects.rules.work_item_kinds import Field, fields_of

GIVEN_UP = frozenset({"aborted", "abandoned", "time_box_expired"})
FINISHED = "FINISHED"
GOING_ON = frozenset({"RUNNING", "SCHEDULED"})


@dataclass(frozen=True, slots=True)
class Check:
    """One point of a checklist; `reason` says what is missing, and `field` where to mend it.

    A point that only warns is shown and stops nothing.
    """

    code: str
    text: str
    reason: str = ""
    field: str = ""
    only_warns: bool = False

    @property
    def is_met(self) -> bool:
        return not self.reason

    @property
    def stops(self) -> bool:
        return bool(self.reason) and not self.only_warns


@dataclass(frozen=True, slots=True)
class KnownRun:
    """What is known of a training run."""

    run_id: str
    status: str
    metrics: frozenset[str] = frozenset()
    is_eligible: bool = False
    launched_by: str = ""
    has_commit: bool = True


@dataclass(frozen=True, slots=True)
class Sibling:
    """Another experiment whose results are compared with this one's."""

    title: str
    split: str
    metrics: frozenset[str]


@dataclass(frozen=True, slots=True)
class Known:
    """What the project knows around an item.

    `criteria` and `approaches` are those of the approved scope, `released` the dataset versions
    that passed the data gate, `passed_gates` the gates with an approval, `readers` the user names
    of those who commented on the item, `open_dependencies` and `open_children` titles.
    """

    criteria: frozenset[str] = frozenset()
    approaches: frozenset[str] = frozenset()
    released: frozenset[str] = frozenset()
    passed_gates: frozenset[str] = frozenset()
    runs: Mapping[str, KnownRun] = field(default_factory=dict)
    own_runs: Sequence[str] = ()
    siblings: Sequence[Sibling] = ()
    readers: frozenset[str] = frozenset()
    open_dependencies: Sequence[str] = ()
    open_children: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ItemNow:
    """An item as the definitions see it: `values` holds its kind's fields, columns included."""

    kind: str
    values: Mapping[str, Any]
    assignee: str = ""

    def text(self, name: str) -> str:
        return str(self.values.get(name) or "")

    @property
    def fields(self) -> list[Field]:
        return fields_of(self.kind, self.text("flavour"))


def ready_checks(item: ItemNow, known: Known) -> list[Check]:
    """Return what must hold before work on the item starts."""
    checks = _filled(item, "ready") + [check for rule in _READY for check in rule(item, known)]
    names = ", ".join(f"“{title}”" for title in known.open_dependencies)
    waits = f"Not finished: {names}. It may start, and cannot end before them." if names else ""
    return [*checks, Check("dependencies", "What it waits for is finished", waits, only_warns=True)]


def done_checks(item: ItemNow, known: Known, outcome: str = "") -> list[Check]:
    """Return what must hold before the item ends with this outcome."""
    if outcome in GIVEN_UP:
        return []
    checks = _filled(item, "done")
    checks += [check for rule in _DONE for check in rule(item, known)]
    if item.kind == "review" and outcome != "rejected":
        checks += _gate_passed(item, known)
    names = ", ".join(f"“{title}”" for title in known.open_dependencies)
    return [
        *checks,
        Check("dependencies", "What it waits for is finished", names and f"Not finished: {names}."),
    ]


def open_reasons(checks: Iterable[Check]) -> list[str]:
    """Return why the checklist stops the move; empty when it does not."""
    return [check.reason for check in checks if check.stops]


def _filled(item: ItemNow, needed: str) -> list[Check]:
    return [
        Check(
            one.name,
            one.label,
            f"{one.label}: not filled in yet." if is_empty(item.values.get(one.name)) else "",
            one.name,
        )
        for one in item.fields
        if one.needed == needed and not _is_spared(item, one.name)
    ]


def _is_spared(item: ItemNow, name: str) -> bool:
    """The experiment that makes the baseline has nothing before it to be compared with."""
    makes_it = bool(item.values.get("makes_baseline"))
    return makes_it and name in {"baseline_run", "comparison"}


def _hypothesis_ready(item: ItemNow, known: Known) -> Iterable[Check]:
    if item.kind != "hypothesis":
        return
    dataset, criterion = item.text("dataset_ref"), item.text("criterion_key")
    if dataset:
        ok = dataset in known.released
        reason = "" if ok else f"The data gate of {dataset} is not passed."
        yield Check("dataset_released", "The dataset version is approved", reason, "dataset_ref")
    if criterion:
        ok = criterion in known.criteria
        reason = "" if ok else f"The approved scope has no criterion {criterion}."
        yield Check("criterion_linked", "A criterion of the scope is linked", reason,
                    "criterion_key")  # fmt: skip


def _experiment_ready(item: ItemNow, known: Known) -> Iterable[Check]:
    if item.kind != "experiment":
        return
    baseline = item.text("baseline_run")
    if baseline and not _is_spared(item, "baseline_run"):
        run = known.runs.get(baseline)
        reason = ""
        if run is None:
            reason = f"The project has no run {baseline}."
        elif run.status != FINISHED:
            reason = f"The baseline run {baseline} is {run.status}, not FINISHED."
        yield Check("baseline_exists", "The baseline run exists", reason, "baseline_run")
    yield from _like_siblings(item, known)


def _like_siblings(item: ItemNow, known: Known) -> Iterable[Check]:
    split, metrics = item.text("split"), frozenset(item.values.get("metrics") or ())
    other = [one for one in known.siblings if _folded(one.split) != _folded(split)]
    if split:
        text = "Same split as its siblings"
        reason = f"“{other[0].title}” splits “{other[0].split}”." if other else ""
        yield Check("same_split", text, reason, "split")
    apart = [one for one in known.siblings if one.metrics != metrics]
    if metrics:
        reason = ""
        if apart:
            listed = ", ".join(sorted(apart[0].metrics))
            reason = f"“{apart[0].title}” is compared on {listed}."
        yield Check("same_metrics", "Same metrics as its siblings", reason, "metrics")


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _story_ready(item: ItemNow, known: Known) -> Iterable[Check]:
    flavour = item.text("flavour") if item.kind == "story" else ""
    approach, access = item.text("approach"), item.text("access")
    if flavour == "model" and approach:
        ok = _folded(approach) in {_folded(one) for one in known.approaches}
        reason = "" if ok else f"The approved scope has no approach “{approach}”."
        yield Check("approach_chosen", "The approach is one of the scope's", reason, "approach")
    if flavour == "data" and access:
        reason = "" if access == "granted" else f"Access is {access}, not granted."
        yield Check("access_granted", "Access is granted", reason, "access")
    if flavour == "deployment":
        yield from _gate_passed(item, known)


def _gate_passed(item: ItemNow, known: Known) -> list[Check]:
    gate = item.text("gate")
    if not gate:
        return []
    ok = gate in known.passed_gates
    reason = "" if ok else f"The gate {gate} has no approval that stands."
    return [Check("gate_passed", "The gate is passed", reason, "gate")]


def _hypothesis_done(item: ItemNow, known: Known) -> Iterable[Check]:
    if item.kind == "hypothesis":
        yield _runs_finished(known)


def _experiment_done(item: ItemNow, known: Known) -> Iterable[Check]:
    if item.kind != "experiment":
        return
    yield _runs_finished(known)
    finished = [run for run in _own(known) if run.status == FINISHED]
    if not finished:
        return
    yield Check(
        "evidence_logged",
        "A finished run is on a dataset version that passed its gate",
        ""
        if any(run.is_eligible for run in finished)
        else "No finished run is on a dataset version that passed its gate.",
    )
    # Runs made outside a checkout have no commit; that is for the readers to weigh.
    yield Check(
        "commit_logged",
        "A finished run names its commit",
        "" if any(run.has_commit for run in finished) else "No finished run names its commit.",
        only_warns=True,
    )
    yield from _measured(item, known, finished)
    yield from _second_reader(item, known)


def _measured(item: ItemNow, known: Known, finished: Sequence[KnownRun]) -> Iterable[Check]:
    """The comparison needs the same metrics on both sides."""
    wanted = frozenset(item.values.get("metrics") or ())
    best = max(finished, key=lambda run: len(wanted & run.metrics))
    missing = sorted(wanted - best.metrics)
    reason = f"No finished run has {', '.join(missing)}." if missing else ""
    yield Check("metrics_logged", "The agreed metrics are logged", reason, "metrics")
    baseline = known.runs.get(item.text("baseline_run"))
    if baseline is not None and not _is_spared(item, "baseline_run"):
        missing = sorted(wanted - baseline.metrics)
        reason = f"The baseline run has no {', '.join(missing)}." if missing else ""
        yield Check("compared", "The baseline has the same metrics", reason, "baseline_run")


def _second_reader(item: ItemNow, known: Known) -> Iterable[Check]:
    reader = item.text("second_reader")
    if not reader:
        return
    authors = {item.assignee, *(run.launched_by for run in _own(known))}
    reason = ""
    if reader in authors:
        reason = f"{reader} did the work; the second reader is someone else."
    elif reader not in known.readers:
        reason = f"{reader} has not commented on the result yet."
    yield Check("second_reader_read", "Someone else read the result", reason, "second_reader")


def _story_done(item: ItemNow, _known: Known) -> Iterable[Check]:
    other = item.text("retrained_by") if item.kind == "story" else ""
    if other and item.text("flavour") == "model":
        reason = f"{other} did the work; another person trains it again."
        yield Check(
            "retrained_by_another",
            "Another person trained it again",
            reason if other == item.assignee else "",
            "retrained_by",
        )


def _epic_done(item: ItemNow, known: Known) -> Iterable[Check]:
    if item.kind == "epic":
        names = ", ".join(f"“{title}”" for title in known.open_children)
        yield Check("children_finished", "All its items are finished", names and f"Open: {names}.")


def _runs_finished(known: Known) -> Check:
    runs = _own(known)
    going = [run.run_id for run in runs if run.status in GOING_ON]
    reason = ""
    if going:
        reason = f"Run {going[0]} is still going on."
    elif not any(run.status == FINISHED for run in runs):
        reason = "No FINISHED run is linked."
    return Check("runs_finished", "Its runs are FINISHED", reason)


def _own(known: Known) -> list[KnownRun]:
    return [known.runs[run_id] for run_id in known.own_runs if run_id in known.runs]


Rule = Callable[[ItemNow, Known], Iterable[Check]]
_READY: Sequence[Rule] = (_hypothesis_ready, _experiment_ready, _story_ready)
_DONE: Sequence[Rule] = (_hypothesis_done, _experiment_done, _story_done, _epic_done)
