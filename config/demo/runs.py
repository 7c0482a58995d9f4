"""Acts around a work item and its runs that more than one chapter plays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from config.demo.play import Play
from pipeline.adapters.mlflow_client import DatasetUse, MlflowGateway, ModelToLog, RunToLog
from pipeline.adapters.source_control import COMMITTERS, source_tags


@dataclass(frozen=True)
class RunPlan:
    """Where runs belong: MLflow's experiment, the sprint's id and the dataset's row."""

    experiment: str
    sprint: int
    dataset: Any


def add_item(play: Play, sprint: int, **item: Any) -> int:
    """Put an item for Sam into a sprint and return its id."""
    body = {"project": play.project_id, "sprint": sprint, "assignee": "sam", **item}
    identifier: int = play.cast["lena"].post("/api/v1/work-items/", body)["id"]
    return identifier


def set_capacity(play: Play, sprint: int, days: Mapping[str, float]) -> None:
    """Say who has how many days for a sprint."""
    people = [{"person": who, "days": some} for who, some in days.items()]
    answer = play.cast["lena"].request(
        "PUT", f"/api/v1/sprints/{sprint}/capacity/", json={"people": people}
    )
    play.expect(answer.ok, f"No capacity was set: {answer.text[:200]}")


def begin(play: Play, item: int, details: Mapping[str, Any] | None = None) -> None:
    """Let Sam start an item, after he has filled in what was not known before."""
    sam = play.cast["sam"]
    if details:
        sam.patch(f"/api/v1/work-items/{item}/", {"details": details})
    sam.post(f"/api/v1/work-items/{item}/move/", {"to": "doing"})


def log_trained(play: Play, plan: RunPlan, name: str, trained: Any, item: int, **extra: Any) -> Any:
    """Log a run through the gateway with Sam's token, as his own code would.

    `metrics` adds to what the training measured; `with_model` logs the fitted pipeline as well.
    """
    dataset = plan.dataset
    gateway: MlflowGateway = play.memory["gateway"]
    ref = f"dataset_version:{dataset['id']}"
    run = RunToLog(
        experiment=plan.experiment,
        name=name,
        params=trained.params,
        metrics={**trained.metrics, **extra.get("metrics", {})},
        tags={**source_tags(settings.BASE_DIR), COMMITTERS: "sam"},
        ties={"sprint": f"sprint:{plan.sprint}", "work_item": f"work_item:{item}", "dataset": ref},
        datasets=(DatasetUse(dataset["name"], dataset["digest"], ref),),
        model=_model(trained) if extra.get("with_model") else None,
    )
    return gateway.log_run(run)


def read_by_mia(play: Play, item: int, finding: str) -> None:
    """Let the second reader, who did not train the model, say on the item what she read."""
    body = f"@sam I read the run and its plots: {finding}. The numbers are those of the run."
    play.cast["mia"].post(f"/api/v1/work-items/{item}/comments/", {"body": body})


def conclude(
    play: Play, item: int, outcome: str, conclusion: str, details: Mapping[str, Any]
) -> None:
    """Let Sam conclude an item."""
    body = {"outcome": outcome, "conclusion": conclusion, "details": details}
    play.cast["sam"].post(f"/api/v1/work-items/{item}/conclude/", body)


def closing_words(trained: Any, baseline: Any, what: str) -> dict[str, Any]:
    """Return what an experiment has to say when it ends; `what` names the baseline."""
    metrics = trained.metrics
    gain = metrics["test_roc_auc"] - baseline.metrics["test_roc_auc"]
    return {
        "comparison": f"{gain:+.3f} test ROC AUC to {what}",
        "error_analysis": f"ROC AUC is {metrics['validation_roc_auc']:.3f} on the validation "
        f"rows and {metrics['test_roc_auc']:.3f} on the test rows.",
        "second_reader": "mia",
    }


def _model(trained: Any) -> ModelToLog:
    rows = trained.inputs.head(5)
    output = trained.estimator.predict_proba(rows)[:, 1]
    return ModelToLog(trained.estimator, rows, output=output)
