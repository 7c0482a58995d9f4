"""App configuration of pipeline."""

from django.apps import AppConfig


class PipelineConfig(AppConfig):
    """Registers the ledger events of this app when Django starts."""

    name = "pipeline"

    def ready(self) -> None:
        from pipeline import events  # noqa: F401
