"""App configuration of projects."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    """Registers the ledger events of this app when Django starts."""

    name = "projects"

    def ready(self) -> None:
        from projects import events  # noqa: F401
