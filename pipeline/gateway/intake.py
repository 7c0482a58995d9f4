"""A new model version: where its files lie, what they hash to, and whether they may be loaded."""

from dataclasses import dataclass
from typing import Any

from mlflow.store.artifact.utils.models import _parse_model_uri

from pipeline.adapters import model_files
from pipeline.gateway import access, paths
from pipeline.gateway.digest import tree_digest, tree_files
from pipeline.models import RegisteredModel, Run
from pipeline.services.mirror import VersionFacts
from projects import content_store
from projects.errors import InvalidInput, NotPermitted

#: Larger files are bound by digest alone; reading them whole would press the web process.
_COPY_LIMIT = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a version comes from, on the server's own word."""

    path: str
    run_id: str | None
    project_id: int | None


def locate(store: Any, source: str, run_id: str | None, model_id: str | None) -> Origin:
    """Return where a version's files lie and which run made them.

    A run named by the client counts only if the files lie in that run or in a model that it made.
    """
    location, made_by = _resolve(store, source)
    path = paths.relative(location)
    experiment, _, rest = path.partition("/")
    owner = rest.partition("/")[0]
    run = Run.objects.filter(run_id=made_by or owner).first()
    if run is None and model_id:
        run = Run.objects.filter(run_id=_logged_model(store, model_id).source_run_id).first()
    if run_id and run is not None and run.run_id != run_id:
        raise InvalidInput(
            f"The files of this version were made by run {run.run_id}, not by {run_id}.",
            code="other_run",
        )
    mirrored = access.experiment(experiment)
    return Origin(path, run.run_id if run else None, mirrored.project_id if mirrored else None)


def require_same_project(origin: Origin, model: RegisteredModel) -> None:
    """Refuse files of one project under the governed name of another."""
    if origin.project_id != model.project_id:
        raise NotPermitted(
            f"These files do not belong to {model.project.name}, whose model {model.name} is.",
            code="other_project",
        )


def inspect(name: str, number: int, source: str, origin: Origin) -> VersionFacts:
    """Hash, read and copy the files of a version, on the server, from the bytes."""
    directory = paths.on_disk(origin.path)
    has_files = directory.exists() and bool(tree_files(directory))
    report = model_files.inspect(directory)
    return VersionFacts(
        model_name=name,
        number=number,
        source=source,
        run_id=origin.run_id,
        artifact_path=origin.path,
        files_digest=tree_digest(directory) if has_files else "",
        signature=report.signature,
        format_problem=report.problem,
        copied_files=_copy(directory) if has_files else {},
    )


def _resolve(store: Any, source: str) -> tuple[str, str | None]:
    """Return the address of the files and the run that made them, where MLflow knows it."""
    if source.startswith("models:"):
        parsed = _parse_model_uri(source)
        if parsed.model_id is not None:
            model = _logged_model(store, parsed.model_id)
            return model.artifact_location, model.source_run_id
        version = store.get_model_version(parsed.name, parsed.version)
        location = store.get_model_version_download_uri(parsed.name, parsed.version)
        return location, version.run_id
    if source.startswith("runs:/"):
        run_id, _, path = source.removeprefix("runs:/").partition("/")
        run = store.tracking.get_run(run_id)
        return f"{run.info.artifact_uri}/{path}", run_id
    return source, None


def _logged_model(store: Any, model_id: str) -> Any:
    return store.tracking.get_logged_model(model_id)


def _copy(directory: Any) -> dict[str, str]:
    """Put the files into the content store, so that what was signed can always be shown."""
    small = [(n, f) for n, f in tree_files(directory) if f.stat().st_size <= _COPY_LIMIT]
    return {name: content_store.put(file.read_bytes()) for name, file in small}
