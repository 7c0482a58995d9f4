"""What may no longer change: files and runs below versions that are under review or approved."""

from django.db.models import Q, QuerySet

from governance.services import enforcement
from pipeline.gateway.identity import require_actor
from pipeline.models import ModelVersion, Run
from projects.errors import NotPermitted


def require_writable(path: str) -> None:
    """Refuse a write or delete at `path` if it touches the files of a frozen version."""
    for version in versions_at(path):
        enforcement.require_registry_change(
            actor=require_actor(),
            action="write_artifact",
            model_name=version.model.name,
            version=version.number,
            detail=path,
        )


def versions_at(path: str) -> list[ModelVersion]:
    """Return the versions whose files lie at, above or below `path`."""
    parts = path.split("/") if path else []
    above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    below = Q(artifact_path__startswith=f"{path}/") if path else ~Q(artifact_path="")
    found = ModelVersion.objects.filter(Q(artifact_path__in=above) | below)
    return list(found.select_related("model").order_by("pk"))


def require_no_versions(runs: QuerySet[Run]) -> None:
    """Refuse to delete runs that model versions came from: they are evidence."""
    version = ModelVersion.objects.filter(run__in=runs).select_related("model").first()
    if version is not None:
        raise NotPermitted(
            f"Version {version.number} of {version.model.name} came from here, so the run is kept "
            "as evidence.",
            code="run_is_evidence",
        )
