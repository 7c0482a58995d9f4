"""Models of the governance app."""

from governance.models.finding import Condition, Delegation, Finding, Waiver
from governance.models.lineage import LineageEdge, LineageNode
from governance.models.notice import NoticePreference, ReviewNotice
from governance.models.policy import Environment, Policy, PolicyVersion
from governance.models.promotion import DeniedAttempt, Override, Promotion
from governance.models.review import (
    Evidence,
    Feedback,
    GateReview,
    RequirementResult,
    SigningCounter,
    SignOff,
)
from governance.models.review_work import CheckRun, Dossier, ReviewAssignment

__all__ = [
    "CheckRun",
    "Condition",
    "Delegation",
    "DeniedAttempt",
    "Dossier",
    "Environment",
    "Evidence",
    "Feedback",
    "Finding",
    "GateReview",
    "LineageEdge",
    "LineageNode",
    "NoticePreference",
    "Override",
    "Policy",
    "PolicyVersion",
    "Promotion",
    "RequirementResult",
    "ReviewAssignment",
    "ReviewNotice",
    "SignOff",
    "SigningCounter",
    "Waiver",
]
