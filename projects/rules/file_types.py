"""Which files may be attached: the ending decides, and the bytes must agree with it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileType:
    """A kind of file: its media type, and whether bytes look like it."""

    media_type: str
    fits: Callable[[bytes], bool]


class WrongFile(ValueError):
    """The file may not be attached; `code` says why in one word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def type_of(name: str, data: bytes) -> str:
    """Return the media type of a file that may be attached.

    Raises:
        WrongFile: code `file_type_not_allowed`, or `file_is_not_what_it_says`.
    """
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    known = TYPES.get(ending)
    if known is None:
        hint = " An SVG may hold scripts; attach it as PNG." if ending in {"svg", "svgz"} else ""
        raise WrongFile(
            "file_type_not_allowed",
            f"Files of this type are not attached. Allowed: {', '.join(TYPES)}.{hint}",
        )
    if not known.fits(data):
        raise WrongFile(
            "file_is_not_what_it_says", f"The content of {name} is not that of a .{ending} file."
        )
    return known.media_type


def _starts(*beginnings: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(beginnings)


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return "\x00" not in text


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return True


def _is_notebook(data: bytes) -> bool:
    return _is_json(data) and isinstance(json.loads(data.decode("utf-8-sig")), dict)


def _office(part: bytes) -> Callable[[bytes], bool]:
    # An Office file is a zip archive whose parts lie below a folder of their own; a name of a part
    # stands uncompressed in the archive.
    return lambda data: (
        data.startswith(b"PK\x03\x04") and b"[Content_Types].xml" in data and part in data
    )


_OFFICE = "application/vnd.openxmlformats-officedocument"
TYPES: Mapping[str, FileType] = {
    "pdf": FileType("application/pdf", _starts(b"%PDF-")),
    "png": FileType("image/png", _starts(b"\x89PNG\r\n\x1a\n")),
    "jpg": FileType("image/jpeg", _starts(b"\xff\xd8\xff")),
    "jpeg": FileType("image/jpeg", _starts(b"\xff\xd8\xff")),
    "csv": FileType("text/csv", _is_text),
    "txt": FileType("text/plain", _is_text),
    "md": FileType("text/markdown", _is_text),
    "json": FileType("application/json", _is_json),
    "ipynb": FileType("application/x-ipynb+json", _is_notebook),
    "docx": FileType(f"{_OFFICE}.wordprocessingml.document", _office(b"word/")),
    "xlsx": FileType(f"{_OFFICE}.spreadsheetml.sheet", _office(b"xl/")),
}
