"""Models of the projects app."""

from projects.models.project import Project, Stakeholder
from projects.models.scope import (
    Approach,
    Baseline,
    Criterion,
    DataSource,
    Estimate,
    FeatureNote,
    Objective,
    PriorArt,
    Risk,
    ScopingDocument,
)
from projects.models.sprint import Sprint, WorkItem, WorkItemEvent

__all__ = [
    "Approach",
    "Baseline",
    "Criterion",
    "DataSource",
    "Estimate",
    "FeatureNote",
    "Objective",
    "PriorArt",
    "Project",
    "Risk",
    "ScopingDocument",
    "Sprint",
    "Stakeholder",
    "WorkItem",
    "WorkItemEvent",
]
