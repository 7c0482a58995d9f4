"""App configuration of projects."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ProjectsConfig(AppConfig):
    """Registers the ledger events, the append-only tables, and who may open the admin."""

    name = "projects"

    def ready(self) -> None:
        from ledger.triggers import keep_append_only
        from projects import (
            events,  # noqa: F401
            permissions,
        )
        from projects.models import SprintSnapshot, TierAssessment, TierDecision, WorkItemEvent

        for model in (WorkItemEvent, SprintSnapshot, TierAssessment, TierDecision):
            keep_append_only(model)

        # After Django's own receiver, which creates the permissions and was connected first.
        post_migrate.connect(permissions.fill_group, dispatch_uid="projects.stakeholders_group")
