"""Every route that there is, read from Django, and the table that has a row for each of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, get_resolver

TABLE = Path(__file__).with_name("table.txt")
#: MLflow's own routes meet the guard inside its stores; the admin's are listed by model.
NOT_WALKED = ("/mlflow/", "/admin/")


@dataclass(frozen=True)
class Row:
    """One line: the route, who may, on which thing, in which of its states, and who else may."""

    method: str
    name: str
    action: str
    thing: str = "-"
    states: str = "*"
    also: str = "-"

    @property
    def route(self) -> tuple[str, str]:
        return self.method, self.name

    @property
    def open_states(self) -> frozenset[str]:
        return frozenset(self.states.split(","))


def table() -> list[Row]:
    """Return the rows of the table; blank lines and comments say nothing."""
    lines = (line.partition("#")[0].split() for line in TABLE.read_text().splitlines())
    return [Row(*cells) for cells in lines if cells]


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
