"""Models of the projects app."""

from projects.models.ceremony import (
    Ceremony,
    FeedbackItem,
    RetrospectiveAction,
    RetrospectiveNote,
)
from projects.models.deviation import Deviation
from projects.models.project import Project, Stakeholder
from projects.models.scope import ScopingDocument
from projects.models.scope_plan import (
    AffectedParty,
    Assumption,
    Constraint,
    DataSource,
    Estimate,
    FeasibilityRating,
    FeatureNote,
    Milestone,
    MonitoringSignal,
    OpenQuestion,
    PlannedSprint,
    Regulation,
    Responsibility,
    Risk,
)
from projects.models.scope_rows import (
    Approach,
    Baseline,
    Criterion,
    DecisionScore,
    DecisionWeight,
    Objective,
    PriorArt,
)
from projects.models.sprint import Sprint, SprintCapacity, SprintSnapshot
from projects.models.tier import TierAssessment, TierDecision
from projects.models.work import (
    Attachment,
    Comment,
    Notice,
    WipLimit,
    WorkItem,
    WorkItemEvent,
)

__all__ = [
    "AffectedParty",
    "Approach",
    "Assumption",
    "Attachment",
    "Baseline",
    "Ceremony",
    "Comment",
    "Constraint",
    "Criterion",
    "DataSource",
    "DecisionScore",
    "DecisionWeight",
    "Deviation",
    "Estimate",
    "FeasibilityRating",
    "FeatureNote",
    "FeedbackItem",
    "Milestone",
    "MonitoringSignal",
    "Notice",
    "Objective",
    "OpenQuestion",
    "PlannedSprint",
    "PriorArt",
    "Project",
    "Regulation",
    "Responsibility",
    "RetrospectiveAction",
    "RetrospectiveNote",
    "Risk",
    "ScopingDocument",
    "Sprint",
    "SprintCapacity",
    "SprintSnapshot",
    "Stakeholder",
    "TierAssessment",
    "TierDecision",
    "WipLimit",
    "WorkItem",
    "WorkItemEvent",
]
