"""Read a scoring request in MLflow's protocol and hold it against the agreed columns."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from projects.errors import InvalidInput

Family = Literal["number", "category", "boolean"]

#: MLflow's column types and our dataset types, as the three families that callers can tell apart.
FAMILIES: Mapping[str, Family] = {
    "integer": "number",
    "long": "number",
    "float": "number",
    "double": "number",
    "number": "number",
    "string": "category",
    "category": "category",
    "boolean": "boolean",
}
LAYOUTS = ("dataframe_split", "dataframe_records", "instances", "inputs")
MAX_ROWS = 50_000
MAX_ID_LENGTH = 64
_INTEGERS = frozenset({"integer", "long"})
_MAX_INTEGER = 2**63


@dataclass(frozen=True, slots=True)
class Column:
    """One column that a model needs or a caller sends; `type` is MLflow's word."""

    name: str
    type: str
    required: bool = True

    @property
    def family(self) -> Family | None:
        return FAMILIES.get(self.type)

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "type": self.type, "required": self.required}


@dataclass(frozen=True, slots=True)
class ScoringRequest:
    """The rows by column, and what the caller said about them."""

    columns: Mapping[str, Sequence[Any]]
    row_count: int
    event_times: Sequence[datetime] | None = None
    prediction_ids: Sequence[str] | None = None


def read_columns(declared: Iterable[Mapping[str, Any]]) -> tuple[Column, ...]:
    """Return the columns that a signature or an input schema declares."""
    return tuple(
        Column(str(item.get("name", "")), str(item["type"]), bool(item.get("required", True)))
        for item in declared
    )


def signature_columns(signature: Mapping[str, Any]) -> tuple[Column, ...]:
    """Return the input columns of an MLflow signature, whether its lists are JSON text or lists."""
    inputs = signature.get("inputs") or []
    if isinstance(inputs, str):
        inputs = json.loads(inputs)
    if any(item.get("type") == "tensor" for item in inputs):
        return ()
    return read_columns(inputs)


def misfits(needed: Sequence[Column], sent: Sequence[Column]) -> list[str]:
    """Say why a model that needs the one set of columns cannot serve callers who send the other."""
    by_name = {column.name: column for column in sent}
    reasons = []
    for column in needed:
        offered = by_name.get(column.name)
        if offered is None:
            if column.required:
                reasons.append(f"The model needs column {column.name}, which callers do not send.")
        elif offered.family != column.family:
            reasons.append(
                f"Column {column.name} is sent as {offered.type}, the model needs {column.type}."
            )
    return reasons


def parse_body(body: bytes) -> Mapping[str, Any]:
    """Return the request's JSON object."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            f"The request is not JSON: {error}. Send one JSON object.", code="invalid_json"
        ) from error
    if not isinstance(payload, dict):
        raise InvalidInput("The request must be one JSON object.", code="invalid_json")
    return payload


def read_request(payload: Mapping[str, Any], schema: Sequence[Column]) -> ScoringRequest:
    """Read and check a scoring request.

    Raises:
        InvalidInput: with codes `unknown_format`, `empty_request`, `too_many_rows`,
            `unknown_column`, `missing_column`, `wrong_type`, `missing_value`, `not_finite`,
            `wrong_event_time` or `wrong_prediction_id`.
    """
    columns = _read_layout(payload, schema)
    count = len(next(iter(columns.values()), ()))
    if count == 0:
        raise InvalidInput("The request holds no rows.", code="empty_request")
    if count > MAX_ROWS:
        raise InvalidInput(
            f"The request holds {count} rows; send at most {MAX_ROWS} at a time.",
            code="too_many_rows",
        )
    checked = check_columns(columns, schema)
    params = payload.get("params", {})
    if not isinstance(params, Mapping):
        raise InvalidInput("params must be an object.", code="wrong_params")
    return ScoringRequest(
        columns=checked,
        row_count=count,
        event_times=_read_event_times(params.get("event_time"), count),
        prediction_ids=_read_prediction_ids(params.get("prediction_ids"), count),
    )


def _read_layout(
    payload: Mapping[str, Any], schema: Sequence[Column]
) -> Mapping[str, Sequence[Any]]:
    found = [layout for layout in LAYOUTS if layout in payload]
    if len(found) != 1:
        raise InvalidInput(
            f"Send the rows under exactly one of {', '.join(LAYOUTS)}.", code="unknown_format"
        )
    unknown = sorted(set(payload) - {found[0], "params"})
    if unknown:
        raise InvalidInput(
            f"The request holds {', '.join(unknown)}, which the protocol does not know.",
            code="unknown_format",
        )
    rows = payload[found[0]]
    if found[0] == "dataframe_split":
        return _from_split(rows)
    if isinstance(rows, Mapping):
        return _from_columns(rows)
    if isinstance(rows, list) and (not rows or isinstance(rows[0], Mapping)):
        return _from_records(rows)
    if isinstance(rows, list):
        return _from_table([column.name for column in schema], rows)
    raise InvalidInput(f"{found[0]} must be a list of rows.", code="unknown_format")


def _from_split(rows: Any) -> Mapping[str, Sequence[Any]]:
    if not isinstance(rows, Mapping) or not isinstance(rows.get("data"), list):
        raise InvalidInput(
            'dataframe_split must be {"columns": [...], "data": [[...], ...]}.',
            code="unknown_format",
        )
    names = rows.get("columns")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidInput(
            "dataframe_split.columns must be a list of names.", code="unknown_format"
        )
    return _from_table(names, rows["data"])


def _from_table(names: Sequence[str], rows: Sequence[Any]) -> Mapping[str, Sequence[Any]]:
    if len(set(names)) != len(names):
        raise InvalidInput("A column is named twice.", code="unknown_format")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(names):
            raise InvalidInput(
                f"Row {number} does not hold one value for each of the {len(names)} columns.",
                code="unknown_format",
                details={"row": number},
            )
    if not rows:
        return dict.fromkeys(names, ())
    return dict(zip(names, zip(*rows, strict=True), strict=True))


def _from_columns(columns: Mapping[str, Any]) -> Mapping[str, Sequence[Any]]:
    lengths = set()
    for name, values in columns.items():
        if not isinstance(values, list):
            raise InvalidInput(f"Column {name} must be a list of values.", code="unknown_format")
        lengths.add(len(values))
    if len(lengths) > 1:
        raise InvalidInput("The columns are of different lengths.", code="unknown_format")
    return columns


def _from_records(rows: Sequence[Any]) -> Mapping[str, Sequence[Any]]:
    names: dict[str, None] = {}
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            raise InvalidInput(
                f"Row {number} is not an object like the others.",
                code="unknown_format",
                details={"row": number},
            )
        names.update(dict.fromkeys(row))
    return {name: [_value_of(row, name, at) for at, row in enumerate(rows, 1)] for name in names}


def _value_of(row: Mapping[str, Any], name: str, number: int) -> Any:
    if name not in row:
        raise InvalidInput(
            f"Row {number} lacks column {name}, which other rows have.",
            code="missing_column",
            details={"column": name, "row": number},
        )
    return row[name]


def check_columns(
    columns: Mapping[str, Sequence[Any]], schema: Sequence[Column]
) -> Mapping[str, Sequence[Any]]:
    """Hold the columns against the schema and return them in its order."""
    known = {column.name for column in schema}
    unknown = [name for name in columns if name not in known]
    if unknown:
        raise InvalidInput(
            f"Unknown column {', '.join(sorted(unknown))}. The deployment takes "
            f"{', '.join(column.name for column in schema)}.",
            code="unknown_column",
            details={"columns": sorted(unknown)},
        )
    missing = [column.name for column in schema if column.required and column.name not in columns]
    if missing:
        raise InvalidInput(
            f"Missing column {', '.join(missing)}.",
            code="missing_column",
            details={"columns": missing},
        )
    present = [column for column in schema if column.name in columns]
    return {column.name: _check_values(column, columns[column.name]) for column in present}


def _check_values(column: Column, values: Sequence[Any]) -> Sequence[Any]:
    for number, value in enumerate(values, start=1):
        if value is None:
            if column.required:
                _refuse(column, number, value, "missing_value", "is empty")
            continue
        problem = _problem_of(column, value)
        if problem:
            _refuse(column, number, value, *problem)
    return values


def _problem_of(column: Column, value: Any) -> tuple[str, str] | None:
    if column.family == "category":
        return None if isinstance(value, str) else ("wrong_type", "must be text")
    if column.family == "boolean":
        return None if isinstance(value, bool) else ("wrong_type", "must be true or false")
    return _number_problem(column, value)


def _number_problem(column: Column, value: Any) -> tuple[str, str] | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ("wrong_type", "must be a number")
    if isinstance(value, int):
        return None if abs(value) < _MAX_INTEGER else ("not_finite", "must be below 2^63")
    if not math.isfinite(value):
        return ("not_finite", "must be a finite number")
    if column.type in _INTEGERS and not value.is_integer():
        return ("wrong_type", "must be a whole number")
    return None


def _refuse(column: Column, row: int, value: Any, code: str, problem: str) -> None:
    shown = repr(value)[:80]
    raise InvalidInput(
        f"Column {column.name} {problem}, but row {row} holds {shown}.",
        code=code,
        details={"column": column.name, "row": row, "value": shown},
    )


def _read_event_times(value: Any, count: int) -> Sequence[datetime] | None:
    if value is None:
        return None
    if isinstance(value, str):
        return [_read_time(value)] * count
    if not isinstance(value, list) or len(value) != count:
        raise InvalidInput(
            f"params.event_time must be one time, or a list of {count}.", code="wrong_event_time"
        )
    return [_read_time(item) for item in value]


def _read_time(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"{text!r} is not a time such as 2026-05-04T10:00:00Z.", code="wrong_event_time"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_prediction_ids(value: Any, count: int) -> Sequence[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != count:
        raise InvalidInput(
            f"params.prediction_ids must be a list of {count} texts.", code="wrong_prediction_id"
        )
    for item in value:
        if not isinstance(item, str) or not 0 < len(item) <= MAX_ID_LENGTH:
            raise InvalidInput(
                f"A prediction id is a text of 1 to {MAX_ID_LENGTH} characters; "
                f"got {repr(item)[:80]}.",
                code="wrong_prediction_id",
            )
    if len(set(value)) != count:
        raise InvalidInput("A prediction id occurs twice.", code="wrong_prediction_id")
    return value
