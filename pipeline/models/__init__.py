"""Models of the pipeline app."""

from pipeline.models.dataset import DatasetVersion
from pipeline.models.deployment import Deployment, Prediction
from pipeline.models.job import Job
from pipeline.models.monitoring import DriftReport, Monitor, RetrainingPolicy
from pipeline.models.run import Experiment, ModelVersion, RegisteredModel, Run

__all__ = [
    "DatasetVersion",
    "Deployment",
    "DriftReport",
    "Experiment",
    "Job",
    "ModelVersion",
    "Monitor",
    "Prediction",
    "RegisteredModel",
    "RetrainingPolicy",
    "Run",
]
