"""App configuration of projects."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ProjectsConfig(AppConfig):
    """Registers the ledger events of this app, and who may open the admin."""

    name = "projects"

    def ready(self) -> None:
        from projects import (
            events,  # noqa: F401
            permissions,
        )

        # After Django's own receiver, which creates the permissions and was connected first.
        post_migrate.connect(permissions.fill_group, dispatch_uid="projects.stakeholders_group")
