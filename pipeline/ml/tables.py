"""Read delimited files into typed frames, and name every way in which a file may be unusable."""

import csv
import gzip
import hashlib
import io
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from pipeline.ml.problems import DataProblem

if TYPE_CHECKING:
    Column: TypeAlias = pd.Series[Any]
else:
    Column = pd.Series  # only the stubs know a series by the type of its values

SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar", " ": "a blank"}
MISSING_NUMBERS = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")
LARGEST_TABLE = 500 * 1024 * 1024
FORMAT = b"countersign-table-v1\0"
CLASSES = 2
SHOWN_VALUES = 5


@dataclass(frozen=True)
class TableSpec:
    """What a caller expects of a file: its separator, the columns that must be there, the target.

    `columns` may be empty (any columns will do); `numeric` columns must hold numbers throughout;
    `target` must hold exactly two values, of which `positive` is the one to predict.
    """

    separator: str = ","
    columns: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    target: str = ""
    positive: str = ""


def read_path(path: Path, spec: TableSpec) -> pd.DataFrame:
    """Read the file at `path`; see `read_table`."""
    return read_table(path.read_bytes(), spec)


def read_table(data: bytes, spec: TableSpec) -> pd.DataFrame:
    """Read the bytes of a delimited file, plain or gzipped, as one typed frame.

    Columns whose every present value is a number become int64 or float64, all others stay text.
    Rows keep the order of the file and are numbered from 0.

    Raises:
        DataProblem: codes `empty_file`, `unreadable_file`, `wrong_separator`, `duplicate_columns`,
            `missing_column`, `no_rows`, `ragged_row`, `non_numeric_value`, `target_not_binary`.
    """
    text = _text(data)
    header = _header(text, spec.separator)
    _require_columns(header, spec)
    raw = _parse(text, spec.separator)
    if raw.empty:
        raise DataProblem("no_rows", "The file has a header but no rows; export it with its data.")
    frame = pd.DataFrame(
        {name: _typed(raw[name], must_be_number=name in spec.numeric) for name in raw.columns}
    )
    if spec.target:
        require_binary_target(frame, spec.target, spec.positive)
    return frame


def require_binary_target(frame: pd.DataFrame, target: str, positive: str = "") -> None:
    """Refuse a target column that does not hold exactly two values, one of them `positive`."""
    values = sorted(str(value) for value in frame[target].dropna().unique())
    missing = int(frame[target].isna().sum())
    if len(values) == CLASSES and not missing and (not positive or positive in values):
        return
    shown = ", ".join(values[:SHOWN_VALUES]) + (", ..." if len(values) > SHOWN_VALUES else "")
    wanted = f", one of them {positive!r}" if positive else ""
    raise DataProblem(
        "target_not_binary",
        f"The target {target!r} must hold exactly two values{wanted}, and none missing; "
        f"it holds {len(values)} ({shown}) and {missing} missing.",
        details={"column": target, "values": values[:20], "missing": missing},
    )


def target_array(frame: pd.DataFrame, target: str, positive: str) -> np.ndarray:
    """Return the target as int64 of shape (rows,): 1 where it equals `positive`, else 0."""
    return (frame[target].astype(str) == positive).to_numpy(dtype=np.int64)


def schema_of(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Return name and type of each column in order; the type is `number` or `category`."""
    return [
        {"name": str(name), "type": "number" if is_number(frame[name]) else "category"}
        for name in frame.columns
    ]


def is_number(column: Column) -> bool:
    """Tell whether a column holds numbers; booleans are categories."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def content_digest(frame: pd.DataFrame) -> str:
    """Return SHA-256, in hex, over every cell of every row with column names, order and types.

    The digest depends on the values, not on the file: csv and gzipped csv agree. The index is
    left out. Whole numbers, other numbers, booleans and text are told apart.
    """
    digest = hashlib.sha256(FORMAT)
    digest.update(struct.pack("<QQ", len(frame), frame.shape[1]))
    for name in frame.columns:
        kind, payload = _column_bytes(frame[name])
        label = str(name).encode()
        digest.update(struct.pack("<QQ", len(label), len(payload)))
        digest.update(label + kind + payload)
    return digest.hexdigest()


def _text(data: bytes) -> str:
    if not data:
        raise DataProblem("empty_file", "The file is empty; upload a file with a header and rows.")
    plain = _gunzip(data) if data[:2] == b"\x1f\x8b" else data
    try:
        text = plain.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataProblem(
            "unreadable_file",
            f"Byte {error.start} of the file is not UTF-8 text; save the file as UTF-8.",
            details={"byte": error.start},
        ) from error
    if "\0" in text:
        raise DataProblem("unreadable_file", "The file holds zero bytes; it is not a text table.")
    if not text.strip():
        raise DataProblem("empty_file", "The file is empty; upload a file with a header and rows.")
    return text


def _gunzip(data: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(data)) as unpacked:
            plain = unpacked.read(LARGEST_TABLE + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataProblem(
            "unreadable_file", f"The gzip file is damaged ({error}); pack it again."
        ) from error
    if len(plain) > LARGEST_TABLE:
        raise DataProblem(
            "unreadable_file",
            f"The file unpacks to more than {LARGEST_TABLE // 2**20} MB; split it.",
        )
    return plain


def _header(text: str, separator: str) -> list[str]:
    if len(separator) != 1:
        raise DataProblem("wrong_separator", "The separator must be exactly one character.")
    names = _check_rows(text, separator)
    if len(names) == 1:
        _refuse_wrong_separator(text.lstrip("\r\n").splitlines()[0], separator)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataProblem(
            "duplicate_columns",
            f"These columns appear more than once: {', '.join(repeated)}; rename or drop them.",
            details={"columns": repeated},
        )
    return names


def _check_rows(text: str, separator: str) -> list[str]:
    """Return the header's names, having seen that every row has as many fields."""
    rows = csv.reader(io.StringIO(text), delimiter=separator)
    header: list[str] = []
    try:
        for row in rows:
            header = header or row
            if row and len(row) != len(header):
                raise DataProblem(
                    "ragged_row",
                    f"Line {rows.line_num} has {len(row)} fields, the header has {len(header)}. "
                    "Mend that line, or declare the separator that the file really uses.",
                    details={"line": rows.line_num, "fields": len(row), "columns": len(header)},
                )
    except csv.Error as error:
        raise DataProblem(
            "unreadable_file", f"Line {rows.line_num} cannot be read as a table: {error}."
        ) from error
    return header


def _refuse_wrong_separator(line: str, separator: str) -> None:
    likely = likely_separator(line)
    if likely is None or likely == separator:
        return
    declared = SEPARATORS.get(separator, repr(separator))
    raise DataProblem(
        "wrong_separator",
        f"Split by {declared}, the header is a single column; it looks separated by "
        f"{SEPARATORS[likely]}. Declare the separator {likely!r}.",
        details={"declared": separator, "suggested": likely},
    )


def likely_separator(line: str) -> str | None:
    """Return the separator that splits a header line into most columns, if any splits it."""
    counts = {mark: len(next(csv.reader([line], delimiter=mark))) for mark in SEPARATORS}
    best = max(counts, key=lambda mark: counts[mark])
    return best if counts[best] > 1 else None


def _require_columns(header: Sequence[str], spec: TableSpec) -> None:
    wanted = dict.fromkeys([*spec.columns, *spec.numeric, *([spec.target] if spec.target else [])])
    missing = [name for name in wanted if name not in header]
    if missing:
        noun = "column is" if len(missing) == 1 else "columns are"
        raise DataProblem(
            "missing_column",
            f"This {noun} missing: {', '.join(missing)}. The file has: {', '.join(header)}.",
            details={"columns": missing},
        )


def _parse(text: str, separator: str) -> pd.DataFrame:
    try:
        return pd.read_csv(
            io.StringIO(text),
            sep=separator,
            dtype=str,
            keep_default_na=False,
            na_values=[""],
            index_col=False,
        )
    except pd.errors.ParserError as error:
        raise DataProblem(
            "unreadable_file",
            f"The file cannot be read as a table: {error}. Look for an unclosed quotation mark.",
        ) from error


def _typed(column: Column, *, must_be_number: bool) -> Column:
    present = ~(column.isna() | column.isin(MISSING_NUMBERS))
    numbers = pd.to_numeric(column.where(present), errors="coerce").astype("float64")
    bad = present.to_numpy() & ~np.isfinite(numbers.to_numpy())
    if must_be_number and bad.any():
        _refuse_value(column, int(np.argmax(bad)), int(bad.sum()))
    if bad.any() or (not present.any() and not must_be_number):
        return column
    if present.all() and not column.str.contains(r"[.eE]").any():
        return pd.to_numeric(column).astype("int64")
    return numbers


def _refuse_value(column: Column, row: int, count: int) -> None:
    value = str(column.iloc[row])[:60]
    more = f" ({count} such values in all)" if count > 1 else ""
    raise DataProblem(
        "non_numeric_value",
        f"Column {column.name!r} must hold numbers; line {row + 2} (row {row + 1} of the data) "
        f"holds {value!r}{more}. Mend the file or declare the column a category.",
        details={"column": str(column.name), "row": row + 1, "line": row + 2, "value": value},
    )


def _column_bytes(column: Column) -> tuple[bytes, bytes]:
    if pd.api.types.is_bool_dtype(column) and not column.isna().any():
        return b"b", column.to_numpy(dtype=np.uint8).tobytes()
    if pd.api.types.is_integer_dtype(column) and not column.isna().any():
        return b"i", column.to_numpy(dtype="<i8").tobytes()
    if pd.api.types.is_numeric_dtype(column):
        numbers = column.to_numpy(dtype="<f8", na_value=np.nan).copy()
        numbers[np.isnan(numbers)] = np.nan  # one bit pattern for every missing number
        return b"f", numbers.tobytes()
    return b"t", _text_bytes(column)


def _text_bytes(column: Column) -> bytes:
    """Lay texts out as lengths and bytes, so that no two columns share a layout; -1 is missing."""
    missing = column.isna().to_numpy()
    cells = [
        b"" if gone else str(value).encode()
        for value, gone in zip(column.tolist(), missing, strict=True)
    ]
    lengths = np.array([len(cell) for cell in cells], dtype="<i8")
    lengths[missing] = -1
    return lengths.tobytes() + b"".join(cells)
