"""Training runs asked for through the service itself."""

from collections.abc import Mapping
from typing import Any

from pipeline.models import Job
from projects.actors import Actor
from projects.errors import RuleViolated


def run_training(job: Job, actor: Actor) -> Mapping[str, Any]:
    """Refuse: training by hand is done with the MLflow client, through the gateway."""
    raise RuleViolated(
        "Train with the MLflow client through /mlflow; only retraining runs as a job.",
        code="not_supported",
    )
