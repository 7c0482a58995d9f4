"""MLflow's artifact directory with the guard inside: by project, and frozen under review."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from pipeline.gateway import access, frozen, paths, stores, wiring
from pipeline.gateway.errors import governed
from pipeline.gateway.identity import acting_as, current_actor
from pipeline.models import Run
from projects.actors import system


class GovernedArtifactRepository(LocalArtifactRepository):  # type: ignore[misc]
    """Files under the artifact root: `<experiment>/<run>/artifacts` and `<experiment>/models`."""

    def __init__(
        self,
        artifact_uri: str,
        tracking_uri: str | None = None,
        registry_uri: str | None = None,
    ) -> None:
        directory = urlsplit(artifact_uri).path
        super().__init__(f"file://{directory}", tracking_uri, registry_uri)
        with governed():
            self._base = paths.relative(f"{wiring.ARTIFACT_SCHEME}://{directory}")

    # --- Reading ---------------------------------------------------------------------------------

    def get_local_path(self, artifact_path: str) -> str:
        self._require_visible(artifact_path)
        return str(super().get_local_path(artifact_path))

    def list_artifacts(self, path: str | None = None) -> Any:
        self._require_visible(path)
        return super().list_artifacts(path)

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        self._require_visible(remote_file_path)
        super()._download_file(remote_file_path, local_path)

    # --- Writing: everything that lands on disk passes one of these ------------------------------

    def _write_to_destination_path(
        self,
        artifact_file_name: str,
        writer: Callable[[BinaryIO], None],
        artifact_path: str | None = None,
        finalize_temp_path: Callable[[str], None] | None = None,
    ) -> None:
        target = f"{artifact_path or ''}/{artifact_file_name.rpartition('/')[2]}"
        self._require_writable(target)
        super()._write_to_destination_path(
            artifact_file_name, writer, artifact_path, finalize_temp_path
        )

    async def log_artifact_from_async_stream(
        self, chunks: Any, artifact_file_name: str, artifact_path: str | None = None
    ) -> None:
        """Check on a thread, as Django's ORM must, then write as MLflow does."""
        from asgiref.sync import sync_to_async

        target = f"{artifact_path or ''}/{artifact_file_name.rpartition('/')[2]}"
        await sync_to_async(self._require_writable)(target)
        await super().log_artifact_from_async_stream(chunks, artifact_file_name, artifact_path)

    def _publish_staged_artifact(
        self,
        temp_file_path: str,
        destination_file_path: str,
        finalize_temp_path: Callable[[str], None] | None = None,
    ) -> None:
        """Look once more before the file appears: a review may have opened during the upload."""
        with governed():
            frozen.require_writable(
                paths.relative(f"{wiring.ARTIFACT_SCHEME}://{destination_file_path}")
            )
        super()._publish_staged_artifact(temp_file_path, destination_file_path, finalize_temp_path)

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        self._require_writable(artifact_path)
        super().log_artifacts(local_dir, artifact_path)

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        self._require_writable(artifact_path)
        with governed():
            paths.on_disk(self._relative(artifact_path))
        super().delete_artifacts(artifact_path)

    # --- Deciding --------------------------------------------------------------------------------

    def _relative(self, path: str | None) -> str:
        return paths.clean(f"{self._base}/{path or ''}")

    def _require_visible(self, path: str | None) -> None:
        with governed():
            experiment = self._relative(path).partition("/")[0]
            if _identity_is_unknowable():
                return
            visible = access.visible_experiment_ids()
        if visible is not None and experiment not in {str(number) for number in visible}:
            raise MlflowException(f"No such artifact: '{path or ''}'", RESOURCE_DOES_NOT_EXIST)

    def _require_writable(self, path: str | None) -> None:
        with governed():
            relative = self._relative(path)
            if not _identity_is_unknowable():
                _require_author(relative)
            frozen.require_writable(relative)


def _require_author(path: str) -> None:
    """Refuse everyone but the launcher of the run whose files these are."""
    experiment, owner, model_id = [*path.split("/"), "", "", ""][:3]
    run_id = _source_run(model_id) if owner == "models" and model_id else owner
    if run_id and Run.objects.filter(run_id=run_id).exists():
        access.require_run_writer(run_id, experiment)
    else:
        access.require_experiment_writer(experiment)


@lru_cache(maxsize=1024)
def _source_run(model_id: str) -> str:
    """Return the run that a logged model came from; it is set once, when the model is created."""
    with acting_as(system("gateway")):
        return str(stores.tracking_store().get_logged_model(model_id).source_run_id or "")


def _identity_is_unknowable() -> bool:
    """Tell whether a stand-alone server calls us where it keeps no request, as on uploads.

    Its own authentication decides who may upload there; frozen files stay frozen all the same.
    """
    return wiring.is_stand_alone() and current_actor() is None
