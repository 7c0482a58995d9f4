"""The names under which MLflow finds the guard; light, since MLflow loads it while importing."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.gateway.artifacts import GovernedArtifactRepository
    from pipeline.gateway.registry_store import GovernedRegistryStore
    from pipeline.gateway.tracking_store import GovernedTrackingStore


def registry_store(store_uri: str, **_: object) -> "GovernedRegistryStore":
    """Open the governed model registry at `countersign+<database uri>`."""
    from pipeline.gateway import wiring

    wiring.ensure_django()
    from pipeline.gateway.registry_store import GovernedRegistryStore

    return GovernedRegistryStore(wiring.database_uri(store_uri))


def tracking_store(store_uri: str, artifact_uri: str | None = None) -> "GovernedTrackingStore":
    """Open the governed tracking store at `countersign+<database uri>`."""
    from pipeline.gateway import wiring

    wiring.ensure_django()
    from pipeline.gateway.tracking_store import GovernedTrackingStore

    # Clients inside the server process open the store without naming the artifact root.
    return GovernedTrackingStore(
        wiring.database_uri(store_uri), artifact_uri or "mlflow-artifacts:/"
    )


def artifact_repository(
    artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None
) -> "GovernedArtifactRepository":
    """Open the governed artifact directory at `countersign-file://<absolute path>`."""
    from pipeline.gateway import wiring

    wiring.ensure_django()
    from pipeline.gateway.artifacts import GovernedArtifactRepository

    return GovernedArtifactRepository(artifact_uri, tracking_uri, registry_uri)
