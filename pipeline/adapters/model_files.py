"""What a model's files say and whether they may be loaded; reading them never runs their code."""

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_MAX_YAML = 5 * 1024 * 1024
#: A model of ours weighs a few megabytes; what swells beyond this is a mistake or an attack.
MAX_UNPACKED = 1024 * 1024 * 1024
_MAX_RATIO = 500


@dataclass(frozen=True, slots=True)
class Report:
    """What was found: MLflow's signature, and why the files may not be loaded, if so."""

    signature: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


def inspect(directory: Path) -> Report:
    """Return the signature and the format problem of the model in `directory`."""
    described = _description(directory)
    if isinstance(described, str):
        return Report(problem=described)
    return Report(_signature(described), _format_problem(directory, described))


def _description(directory: Path) -> dict[str, Any] | str:
    """Return the content of the MLmodel file, or why there is none to go by."""
    path = directory / "MLmodel"
    try:
        if path.stat().st_size > _MAX_YAML:
            return "The MLmodel file is too large to be one."
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "There is no MLmodel file: log the model with MLflow, not as plain files."
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return f"The MLmodel file cannot be read: {error}."
    if not isinstance(content, dict) or not isinstance(content.get("flavors"), dict):
        return "The MLmodel file names no flavours."
    return content


def _signature(described: dict[str, Any]) -> dict[str, Any]:
    """Return MLflow's signature with its columns as lists."""
    given = described.get("signature")
    if not isinstance(given, dict):
        return {}
    return {name: _columns(value) for name, value in given.items() if value}


def _columns(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return []


def _format_problem(directory: Path, described: dict[str, Any]) -> str:
    flavor = described["flavors"].get("sklearn")
    if not isinstance(flavor, dict):
        found = ", ".join(sorted(described["flavors"])) or "none"
        return f"Only the scikit-learn flavour can be loaded safely; this model has: {found}."
    form = flavor.get("serialization_format") or "pickle"
    if form != "skops":
        return (
            f"The model is stored as {form}, which runs code when it is read. Log it again with "
            "serialization_format='skops'."
        )
    name = str(flavor.get("pickled_model", ""))
    path = directory / name
    if not name or Path(name).name != name or path.is_symlink() or not path.is_file():
        return "The MLmodel file names a model file that is not there."
    return archive_problem(path) or _untrusted_types(path)


def archive_problem(path: Path) -> str:
    """Return why a skops archive must not even be opened; empty if it may."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (OSError, zipfile.BadZipFile) as error:
        return f"The model file is no skops archive: {error}."
    unpacked = sum(member.file_size for member in members)
    packed = max(sum(member.compress_size for member in members), 1)
    if unpacked > MAX_UNPACKED or unpacked > packed * _MAX_RATIO:
        return f"The model file unpacks to {unpacked:,} bytes, which is more than is read here."
    return ""


def _untrusted_types(path: Path) -> str:
    import skops.io

    from pipeline.ml.store import TRUSTED_TYPES

    try:
        found = set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED_TYPES)
    except Exception as error:  # noqa: BLE001 - skops raises whatever a broken archive makes it
        return f"The model file cannot be read as skops: {type(error).__name__}: {error}."
    if not found:
        return ""
    return f"The model holds types that are not on the trusted list: {', '.join(sorted(found))}."
