"""What the project itself has to say before a sprint may start; see `settings.SPRINT_GUARDS`."""

from projects.models import Sprint
from projects.rules import sprint_kinds
from projects.services.readiness import readiness_policy
from projects.services.sprint_facts import facts_of


def require_kind(sprint: Sprint) -> list[str]:
    """Return what the sprint's kind asks of the project and is missing; gates aside."""
    return sprint_kinds.objections(facts_of(sprint), readiness_policy().limits)
