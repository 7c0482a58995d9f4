"""The one error that the data science code raises about what it was given."""

from collections.abc import Mapping
from typing import Any


class DataProblem(Exception):
    """Data that cannot be used as asked; `code` is stable, `message` says what to do.

    `details` holds the facts of the message for programs: column, line, value, suggestion.
    """

    def __init__(
        self, code: str, message: str, *, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details: dict[str, Any] = dict(details or {})
