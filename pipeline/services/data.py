"""Dataset versions: bytes by digest, with schema, profile and datasheet."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from ledger import services as ledger
from pipeline import access
from pipeline.ml.problems import DataProblem
from pipeline.models import DatasetVersion
from pipeline.services import graph
from projects import content_store
from projects.actors import Actor
from projects.errors import InvalidInput
from projects.models import Project

if TYPE_CHECKING:
    import pandas as pd

#: Words for the outcome that is to be predicted, where nobody names it.
USUAL_POSITIVES = ("yes", "1", "true", "True", "y", "Y", "positive")


@dataclass(frozen=True, slots=True)
class Expected:
    """What the uploader says the file holds; the upload is refused where it does not."""

    separator: str = ","
    positive: str = ""
    columns: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetUpload:
    """A delimited file, plain or gzipped, as bytes or as a path, and what is said about it."""

    project: Project
    name: str
    content: bytes | Path
    target: str
    expected: Expected = Expected()
    origin: str = ""
    datasheet: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Described:
    """What reading the file showed."""

    row_count: int
    columns: list[dict[str, str]]
    profile: dict[str, Any]
    content_digest: str
    positive: str


def register_dataset_version(upload: DatasetUpload, *, actor: Actor) -> DatasetVersion:
    """Read the file, keep its bytes under their digest, and record the next version.

    Raises:
        InvalidInput: the file cannot be used; the code is that of the problem found in it, or
            `dataset_already_registered` where these bytes are a version already, or
            `wrong_datasheet` where its notes on columns cannot be read.
    """
    access.require(actor, "dataset.register", upload.project)
    _require_readable_notes(upload.datasheet)
    data = _bytes_of(upload.content)
    described = _describe(data, upload)
    digest = content_store.put(data)
    try:
        with transaction.atomic():
            return _record(upload, described, digest, data, actor=actor)
    except IntegrityError:
        _refuse_known(upload, digest)
        raise


def _require_readable_notes(datasheet: Mapping[str, Any]) -> None:
    """Refuse notes on columns that no gate could read; they are kept for good once registered."""
    columns = datasheet.get("columns") or {}
    if isinstance(columns, Mapping):
        is_readable = all(isinstance(note, Mapping) for note in columns.values())
    else:
        is_readable = isinstance(columns, list) and all(
            isinstance(note, Mapping) and isinstance(note.get("name"), str) for note in columns
        )
    if not is_readable:
        raise InvalidInput(
            "The datasheet's `columns` must be an object of column names, each with an object of "
            "notes, or a list of such objects with their `name`.",
            code="wrong_datasheet",
        )


def _bytes_of(source: bytes | Path) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        return source.read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"The file {source.name} cannot be read: {error.strerror}.", code="unreadable_file"
        ) from error


def _describe(data: bytes, upload: DatasetUpload) -> Described:
    from pipeline.ml import profile, tables

    try:
        frame = tables.read_table(data, _spec(upload.target, upload.expected))
        target = frame[upload.target].astype(str)
        return Described(
            row_count=len(frame),
            columns=tables.schema_of(frame),
            profile=profile.profile_table(frame),
            content_digest=tables.content_digest(frame),
            positive=upload.expected.positive or _likely_positive(target),
        )
    except DataProblem as problem:
        raise InvalidInput(problem.message, code=problem.code, details=problem.details) from problem


def _spec(target: str, expected: Expected) -> Any:
    from pipeline.ml.tables import TableSpec

    return TableSpec(
        separator=expected.separator,
        columns=expected.columns,
        numeric=expected.numeric,
        target=target,
        positive=expected.positive,
    )


def _likely_positive(target: "pd.Series[str]") -> str:
    """Return the value to predict: a usual word for it, else the rarer of the two."""
    counts = target.value_counts()
    return next((word for word in USUAL_POSITIVES if word in counts.index), str(counts.idxmin()))


def _record(
    upload: DatasetUpload, described: Described, digest: str, data: bytes, *, actor: Actor
) -> DatasetVersion:
    _refuse_known(upload, digest)
    known = DatasetVersion.objects.filter(project=upload.project, name=upload.name)
    dataset = DatasetVersion.objects.create(
        project=upload.project,
        name=upload.name,
        number=(known.aggregate(last=Max("number"))["last"] or 0) + 1,
        digest=digest,
        content_digest=described.content_digest,
        media_type="application/gzip" if data[:2] == b"\x1f\x8b" else "text/csv",
        separator=upload.expected.separator,
        target=upload.target,
        positive=described.positive,
        origin=upload.origin,
        row_count=described.row_count,
        columns=described.columns,
        profile=described.profile,
        datasheet=dict(upload.datasheet),
        registered_by=actor.user,
    )
    ledger.append(
        "dataset.registered",
        subject=dataset.ref,
        actor=actor,
        data={
            "name": dataset.name,
            "number": dataset.number,
            "digest": digest,
            "content_digest": described.content_digest,
            "rows": described.row_count,
        },
    )
    graph.dataset_node(dataset)
    return dataset


def _refuse_known(upload: DatasetUpload, digest: str) -> None:
    same = DatasetVersion.objects.filter(
        project=upload.project, name=upload.name, digest=digest
    ).first()
    if same is not None:
        raise InvalidInput(
            f"These very bytes are registered as {same}; use that version.",
            code="dataset_already_registered",
            details={"dataset": same.ref},
        )


def read_dataset(dataset: DatasetVersion) -> "pd.DataFrame":
    """Return the rows of a registered version, typed as they were when it was registered."""
    from pipeline.ml import tables

    data = content_store.read(dataset.digest)
    numeric = tuple(
        column["name"]
        for column in dataset.columns
        if column["type"] == "number" and column["name"] != dataset.target
    )
    spec = tables.TableSpec(separator=dataset.separator, target=dataset.target, numeric=numeric)
    return tables.read_table(data, spec)


def write_table(frame: "pd.DataFrame", separator: str) -> bytes:
    """Return the rows as a gzipped delimited file, the same bytes for the same rows."""
    text = frame.to_csv(index=False, sep=separator, lineterminator="\n")
    return gzip.compress(text.encode(), mtime=0)


def unknown_at_prediction(dataset: DatasetVersion) -> list[str]:
    """Return the columns that the datasheet marks as unknown when a prediction is made."""
    columns = dataset.datasheet.get("columns") or {}
    return [
        name
        for name, about in columns.items()
        if isinstance(about, Mapping) and about.get("is_known_at_prediction") is False
    ]
