"""Every route that there is, read from Django, and the table that has a row for each of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, get_resolver

TABLE = Path(__file__).with_name("table.txt")
#: MLflow's own routes meet the guard inside its stores; the admin's are listed by model.
NOT_WALKED = ("/mlflow/", "/admin/")
#: What a row may say of persons and of the ledger; see the head of the table.
MARKS = {"also", "not", "only", "held", "else", "quiet"}


@dataclass(frozen=True)
class Row:
    """One line: the route, who may, on which thing, in which of its states, and what is special.

    `name` may carry a variant in brackets, for a route that takes several commands.
    """

    method: str
    name: str
    action: str
    thing: str = "-"
    states: str = "*"
    marks: tuple[str, ...] = ()

    @property
    def route(self) -> tuple[str, str]:
        return self.method, self.name.partition("[")[0]

    @property
    def variant(self) -> str:
        return self.name.partition("[")[2].rstrip("]")

    @property
    def command(self) -> str:
        """Return the action that it takes to post; a page may be read by every member besides."""
        return self.action.removeprefix("project+")

    @property
    def is_quiet(self) -> bool:
        return "quiet" in self.marks

    @property
    def otherwise(self) -> int:
        """Return what is answered in a state that the row does not name."""
        return next((int(one[5:]) for one in self.marks if one.startswith("else:")), 409)

    def people(self, mark: str) -> frozenset[str]:
        """Return who is named by a mark such as `held:mia,lena`."""
        told = [one.partition(":") for one in self.marks]
        return frozenset(
            name for kind, _, names in told if kind == mark for name in names.split(",") if names
        )

    def is_open(self, state: str) -> bool:
        return self.states == "*" or state in self.states.split(",")


def table() -> list[Row]:
    """Return the rows of the table; blank lines and comments say nothing."""
    lines = (line.partition("#")[0].split() for line in TABLE.read_text().splitlines())
    return [Row(*cells[:5], marks=tuple(cells[5:])) for cells in lines if cells]


def routes() -> set[tuple[str, str]]:
    """Return every route as method and name; a page has one row for reading and posting."""
    return {*_walk(get_resolver(), "/", ""), *_admins()}


def _walk(resolver: Any, prefix: str, space: str) -> Iterator[tuple[str, str]]:
    for entry in resolver.url_patterns:
        place = prefix + str(entry.pattern).lstrip("^")
        if place.startswith(NOT_WALKED) or "format" in place:
            continue
        if not isinstance(entry, URLPattern):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from _walk(entry, place, inner)
            continue
        actions = getattr(entry.callback, "actions", None) or {"page": ""}
        # The framework adds `head` to a route when it first answers one.
        for method in actions.keys() - {"head"}:
            yield method.upper(), f"{space}{entry.name}"


def _admins() -> Iterator[tuple[str, str]]:
    for model in admin.site._registry:
        if not model.__module__.startswith(("django", "knox", "axes")):
            yield "ADMIN", model._meta.label_lower


@cache
def addresses() -> dict[str, str]:
    """Return the pattern of every route by its name."""
    return dict(_patterns(get_resolver(), "/", ""))


def _patterns(resolver: Any, prefix: str, space: str) -> Iterator[tuple[str, str]]:
    for entry in resolver.url_patterns:
        place = prefix + str(entry.pattern).lstrip("^").removesuffix("$").removesuffix("\\Z")
        if hasattr(entry, "url_patterns"):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from _patterns(entry, place, inner)
        elif "format" not in place:
            yield f"{space}{entry.name}", place
