"""Where files of runs and models lie: paths relative to the artifact root, never outside it."""

from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from django.conf import settings

from pipeline.gateway.wiring import ARTIFACT_SCHEME
from projects.errors import InvalidInput

_PROXY_ROUTE = "/api/2.0/mlflow-artifacts/artifacts/"


def root() -> Path:
    """Return the directory below which every governed file lies."""
    return Path(settings.ARTIFACT_ROOT).resolve()


def relative(uri: str) -> str:
    """Return the path that an artifact address means, relative to the artifact root.

    Raises:
        InvalidInput: code `foreign_source`, the address leads anywhere else.
    """
    parts = urlsplit(uri)
    path = unquote(parts.path)
    if parts.scheme == "mlflow-artifacts":
        return clean(path)
    if parts.scheme in {"http", "https"} and _PROXY_ROUTE in path:
        return clean(path.split(_PROXY_ROUTE, 1)[1])
    if parts.scheme in {ARTIFACT_SCHEME, "file"} and Path(path).resolve().is_relative_to(root()):
        return clean(str(Path(path).resolve().relative_to(root())))
    raise InvalidInput(
        f"The source {uri!r} does not lie in this service's artifact store, so nobody could check "
        "what is signed. Log the model through this tracking server first.",
        code="foreign_source",
    )


def clean(path: str) -> str:
    """Return a relative path without empty, dot or dot-dot parts; refuse what climbs out."""
    parts = [part for part in PurePosixPath(path.lstrip("/")).parts if part != "."]
    if ".." in parts or "\\" in path or "\0" in path:
        raise InvalidInput(f"The path {path!r} leads out of the artifact store.", code="bad_path")
    return "/".join(parts)


def on_disk(relative_path: str) -> Path:
    """Return the file or directory of a relative path; links that lead outside are refused."""
    path = (root() / clean(relative_path)).resolve()
    if not path.is_relative_to(root()):
        raise InvalidInput(f"{relative_path!r} leads out of the artifact store.", code="bad_path")
    return path
