"""Models of the governance app."""

from governance.models.finding import Condition, Delegation, Finding, Waiver
from governance.models.lineage import LineageEdge, LineageNode
from governance.models.policy import Environment, Policy, PolicyVersion
from governance.models.promotion import DeniedAttempt, Promotion
from governance.models.review import (
    Evidence,
    Feedback,
    GateReview,
    RequirementResult,
    SigningCounter,
    SignOff,
)

__all__ = [
    "Condition",
    "Delegation",
    "DeniedAttempt",
    "Environment",
    "Evidence",
    "Feedback",
    "Finding",
    "GateReview",
    "LineageEdge",
    "LineageNode",
    "Policy",
    "PolicyVersion",
    "Promotion",
    "RequirementResult",
    "SignOff",
    "SigningCounter",
    "Waiver",
]
