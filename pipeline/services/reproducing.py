"""Train a run again from what it recorded, and hold its metrics against the logged ones."""

import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from governance.models import CheckRun
from governance.rules.families.work import DEFAULT_TOLERANCE
from governance.services.binding import SubjectNow
from governance.services.check_runs import Answer
from governance.subjects import primary_key
from pipeline.models import DatasetVersion, ModelVersion, Run
from pipeline.services import data, envelopes, frames
from pipeline.services.retraining import RETRAINING
from projects.errors import RuleViolated

if TYPE_CHECKING:
    from pipeline.ml.splits import Blocks
    from pipeline.ml.training import TrainingPlan

#: Times differ from run to run whatever the model.
_NOT_COMPARED = ("latency_",)
_MONTHS = re.compile(r"(\d{4}-\d{2})(?: to (\d{4}-\d{2}))?")
#: Parameters that say how the run was made and are no hyperparameters of its estimator.
_RECIPE = frozenset(
    {"approach", "split", "train_months", "validation_months", "test_months", "features",
     "context", "seed"}
)  # fmt: skip
_FOREIGN = (
    "Countersign did not train this run and cannot do it again. Let somebody who did not launch it "
    "do so, and record evidence of the kind reproduction that says passed: true."
)


def reproduce(run: CheckRun, subject: SubjectNow, report: Callable[[int, str], None]) -> Answer:
    """Train the run behind the review's subject again; answer whether its metrics come out.

    Raises:
        RuleViolated: code `recipe_incomplete`.
        DataProblem: what splitting, fitting or judging the rows refuses.
    """
    from pipeline.ml.training import train

    version = _version_of(run)
    made = version.run
    if made is None or made.launched_as != RETRAINING.ref or made.dataset is None:
        return Answer("missing", _FOREIGN)
    plan = recipe_of(version, made, made.dataset)
    report(10, f"Reading {made.dataset}.")
    rows = data.read_dataset(made.dataset)
    trained = train(
        rows,
        plan,
        str(made.params["approach"]),
        lambda percent, words: report(10 + percent * 85 // 100, words),
    )
    tolerance = float(run.params.get("tolerance", DEFAULT_TOLERANCE))
    return compare(subject.facts.metrics, trained.metrics, tolerance)


def compare(logged: Mapping[str, float], again: Mapping[str, float], tolerance: float) -> Answer:
    """Return whether every metric that came out again is within the tolerance of the logged one."""
    shared = sorted(name for name in set(logged) & set(again) if not name.startswith(_NOT_COMPARED))
    if not shared:
        return Answer("missing", "No logged metric came out of training again.")
    apart = {name: _apart(logged[name], again[name]) for name in shared}
    worst = max(shared, key=lambda name: apart[name])
    values: dict[str, Any] = {
        "metrics": len(shared),
        "worst": worst,
        "logged": _finite(logged[worst]),
        "again": _finite(again[worst]),
        "difference": _finite(apart[worst]),
        "tolerance": tolerance,
    }
    words = f"Trained again; of {len(shared)} metrics {worst} differs most, by {apart[worst]:.3g}"
    if apart[worst] <= tolerance:
        return Answer("pass", f"{words}, within the tolerance of {tolerance:g}.", values)
    return Answer("fail", f"{words}; the tolerance is {tolerance:g}.", values)


def recipe_of(version: ModelVersion, run: Run, dataset: DatasetVersion) -> "TrainingPlan":
    """Return the plan that a run of this service's own was trained by, from what it recorded."""
    from pipeline.ml.features import FeatureSet
    from pipeline.ml.training import APPROACHES, TrainingPlan

    made = run.params
    if made.get("approach") not in APPROACHES or not str(made.get("seed", "")).isdecimal():
        raise RuleViolated(
            "The run records no approach or no seed, so it cannot be done again.",
            code="recipe_incomplete",
        )
    features = envelopes.features_of(version, str(made.get("context", "")))
    return TrainingPlan(
        features=FeatureSet.from_dict(features),
        target=dataset.target,
        positive=dataset.positive,
        blocks=_blocks(made),
        period=frames.PERIOD,
        seed=int(made["seed"]),
        params={name: _number(text) for name, text in made.items() if name not in _RECIPE},
        # What tuning found is recorded as parameters; nothing is tuned again.
        grid={},
        is_unordered=made.get("split") == "holdout",
    )


def _version_of(run: CheckRun) -> ModelVersion:
    versions = ModelVersion.objects.select_related("run__dataset", "model")
    return versions.get(pk=primary_key(run.review.subject_ref, "model_version"))


def _blocks(made: Mapping[str, Any]) -> "Blocks | None":
    from pipeline.ml.splits import Block, Blocks

    if made.get("split") != "temporal":
        return None
    found = {}
    for part in ("train", "validation", "test"):
        match = _MONTHS.fullmatch(str(made.get(f"{part}_months", "")))
        if match:
            found[part] = Block(match[1], match[2] or match[1])
    if not {"train", "test"} <= set(found):
        raise RuleViolated(
            "The run does not say which months it learned from and was tested on.",
            code="recipe_incomplete",
        )
    return Blocks(found["train"], found["test"], found.get("validation"))


def _number(text: Any) -> Any:
    """Return a recorded parameter as it was given: MLflow keeps text only."""
    for kind in (int, float):
        try:
            return kind(str(text))
        except ValueError:
            continue
    return {"True": True, "False": False, "None": None}.get(str(text), text)


def _apart(one: float, other: float) -> float:
    if math.isnan(one) and math.isnan(other):
        return 0.0
    difference = abs(one - other)
    return difference if math.isfinite(difference) else math.inf


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
