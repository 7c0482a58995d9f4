"""A scoping document as plain data: read it in, write it out, hash it.

The field lists come from the models, so that a new field cannot be forgotten in the hash.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models

from projects.errors import InvalidInput
from projects.models import (
    AffectedParty,
    Approach,
    Assumption,
    Baseline,
    Constraint,
    Criterion,
    DataSource,
    DecisionScore,
    DecisionWeight,
    Estimate,
    FeasibilityRating,
    FeatureNote,
    Milestone,
    MonitoringSignal,
    Objective,
    OpenQuestion,
    PlannedSprint,
    PriorArt,
    Regulation,
    Responsibility,
    Risk,
    ScopingDocument,
)
from projects.models.scope import CONTENT_SCHEMA
from projects.models.scope_rows import ScopeRow

if TYPE_CHECKING:
    AnyField = models.Field[Any, Any]

#: Child lists in the order of the document, each with the field that names a row.
CHILDREN: Mapping[str, tuple[type[ScopeRow], str]] = {
    "affected_parties": (AffectedParty, "group"),
    "constraints": (Constraint, "statement"),
    "assumptions": (Assumption, "statement"),
    "objectives": (Objective, "statement"),
    "criteria": (Criterion, "key"),
    "baselines": (Baseline, "name"),
    "prior_art": (PriorArt, "reference"),
    "approaches": (Approach, "name"),
    "decision_weights": (DecisionWeight, "criterion"),
    "decision_scores": (DecisionScore, "criterion"),
    "data_sources": (DataSource, "name"),
    "feature_notes": (FeatureNote, "column"),
    "feasibility": (FeasibilityRating, "dimension"),
    "estimates": (Estimate, "phase"),
    "risks": (Risk, "title"),
    "regulations": (Regulation, "framework"),
    "responsibilities": (Responsibility, "activity"),
    "monitoring_plan": (MonitoringSignal, "signal"),
    "sprint_plan": (PlannedSprint, "goal"),
    "milestones": (Milestone, "kind"),
    "open_questions": (OpenQuestion, "question"),
}
_BOOKKEEPING = {"id", "project", "version", "parent", "version_lock", "snapshot", "scope"}
_HASH_DOMAIN = b"countersign-scope-v1\0"

Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong field: where it is and what is wrong with it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class ParsedScope:
    """Content that passed validation: field values and unsaved child rows."""

    scalars: Content
    children: Mapping[str, list[ScopeRow]]


def fields_of(model: type[models.Model]) -> "list[AnyField]":
    """Return the fields of a model that people write."""
    return [
        field
        for field in model._meta.concrete_fields
        if field.editable and field.name not in _BOOKKEEPING
    ]


def content_of(document: ScopingDocument) -> Content:
    """Return the document's present content as JSON-ready data, rows sorted by their names.

    A version submitted under an earlier schema is what its snapshot says; it is never rewritten.
    """
    if document.schema_version != CONTENT_SCHEMA and document.snapshot is not None:
        return dict(document.snapshot)
    content = plain_row(document)
    for name, (model, key) in CHILDREN.items():
        columns = _columns(model)
        # Neither instances nor the models' own order: a review reads the whole content many times.
        rows = model._default_manager.filter(scope=document).order_by()
        found = rows.values_list("pk", *columns.values())
        plain = [(pk, dict(zip(columns, map(_plain, row), strict=True))) for pk, *row in found]
        content[name] = [
            row for _, row in sorted(plain, key=lambda one: (str(one[1][key]), one[0]))
        ]
    return content


def _by_name(rows: Mapping[Any, Content], key: str) -> Callable[[Any], tuple[str, Any]]:
    return lambda pk: (str(rows[pk][key]), pk)


@cache
def _columns(model: type[models.Model]) -> dict[str, str]:
    """Return each field that people write with the column that says it; of a person, the name."""
    username = get_user_model().USERNAME_FIELD
    return {
        field.name: f"{field.name}__{username}" if field.is_relation else field.name
        for field in fields_of(model)
    }


def content_hash(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 over the content's canonical JSON.

    Neither the order of rows and keys nor the spelling of a number changes it.
    """
    ordered = _normal(ScopingDocument, content)
    for name, (model, key) in CHILDREN.items():
        rows = [_normal(model, row) for row in ordered.get(name) or []]
        ordered[name] = sorted(rows, key=lambda row: (str(row.get(key)), _canonical(row)))
    return hashlib.sha256(_HASH_DOMAIN + _canonical(ordered)).hexdigest()


def parse(content: Mapping[str, Any]) -> ParsedScope:
    """Read plain data into field values and unsaved rows.

    Raises:
        InvalidInput: code `invalid_scope`; lists every wrong field in one go.
    """
    reader = _Reader(_people_named_in(content))
    unknown = set(content) - {field.name for field in fields_of(ScopingDocument)} - set(CHILDREN)
    for name in sorted(unknown):
        reader.complain(name, "There is no such field.")
    scalars = reader.values(ScopingDocument, content, "")
    reader.check(ScopingDocument(**scalars), "", {"project", "version", "created_by"})
    children = {
        name: reader.rows(model, key, name, content.get(name))
        for name, (model, key) in CHILDREN.items()
    }
    if reader.problems:
        raise _invalid(reader.problems)
    return ParsedScope(scalars, children)


class _Reader:
    """Collects every problem while values are read, so that one answer lists them all."""

    def __init__(self, people: Mapping[str, Any]) -> None:
        self.people = people
        self.problems: list[Problem] = []

    def complain(self, path: str, message: str) -> None:
        self.problems.append(Problem(path, message))

    def values(self, model: type[models.Model], data: Mapping[str, Any], prefix: str) -> Content:
        found: Content = {}
        for field in fields_of(model):
            value = data.get(field.name)
            if value is None:
                continue
            try:
                found[field.name] = self._read(field, value)
            except (TypeError, ValueError) as error:
                self.complain(prefix + field.name, str(error))
        return found

    def rows(self, model: type[ScopeRow], key: str, name: str, data: object) -> list[ScopeRow]:
        if data is None:
            return []
        if not isinstance(data, list):
            self.complain(name, "This must be a list.")
            return []
        rows = [self._row(model, f"{name}[{index}]", row) for index, row in enumerate(data)]
        self._check_names(name, key, [row for row in rows if row is not None])
        return [row for row in rows if row is not None]

    def check(self, row: models.Model, prefix: str, exclude: set[str]) -> None:
        """Let the model judge what the types could not: choices, lengths, limits, constraints."""
        seen = {problem.field for problem in self.problems}
        broken = {name for name in _names(row) if prefix + name in seen}
        try:
            row.clean_fields(exclude=exclude | broken)
            if not broken:
                row.validate_constraints(exclude=exclude)
        except ValidationError as error:
            for name, texts in error.message_dict.items():
                path = prefix.rstrip(".") if name == "__all__" else prefix + name
                self.complain(path or "document", " ".join(texts))

    def _row(self, model: type[ScopeRow], path: str, data: object) -> ScopeRow | None:
        if not isinstance(data, Mapping):
            self.complain(path, "This must be an object with named fields.")
            return None
        known = {field.name for field in fields_of(model)}
        for name in sorted(set(data) - known):
            self.complain(f"{path}.{name}", "There is no such field.")
        row = model(**self.values(model, data, f"{path}."))
        self.check(row, f"{path}.", {"scope"})
        return row

    def _check_names(self, name: str, key: str, rows: Iterable[ScopeRow]) -> None:
        if name not in {"criteria", "baselines", "feature_notes"}:
            return
        seen: set[object] = set()
        for row in rows:
            value = getattr(row, key)
            if value in seen:
                self.complain(f"{name}.{key}", f"{value!r} is used twice.")
            seen.add(value)

    def _read(self, field: "AnyField", value: object) -> object:
        if field.is_relation:
            return self._person(value)
        if field.name == "custom_fields":
            return _own_fields(value)
        for kind, read in _READERS:
            if isinstance(field, kind):
                return read(value)
        raise TypeError(f"Fields of the type {type(field).__name__} cannot be read.")

    def _person(self, value: object) -> object:
        if value == "":
            return None
        if value not in self.people:
            raise ValueError(f"There is no user named {value!r}.")
        return self.people[str(value)]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("This must be a text.")
    return value.strip()


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("This must be true or false.")
    return value


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("This must be a whole number.")
    return value


def _real(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("This must be a number.")
    if not math.isfinite(value):
        raise ValueError("This must be a finite number, not NaN or infinity.")
    return float(value)


def _money(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise TypeError("This must be a number.")
    try:
        amount = Decimal(str(value))
    except ArithmeticError as error:
        raise ValueError("This must be a number such as 120 or 120.50.") from error
    if not amount.is_finite():
        raise ValueError("This must be a finite number, not NaN or infinity.")
    return amount


def _day(value: object) -> date:
    if type(value) is date:
        return value
    if not isinstance(value, str):
        raise TypeError("This must be a date such as 2026-03-31.")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError("This must be a date such as 2026-03-31.") from error


def _json(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _real(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_text(item) for item in value]
    raise TypeError("This must be a list of names or an object of numbers.")


def _own_fields(value: object) -> object:
    if not isinstance(value, Mapping):
        raise TypeError("This must be an object with named fields.")
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError("This must hold plain JSON, without NaN or infinity.") from error
    return dict(value)


#: The first fitting one reads; subclasses stand before their parents.
_READERS: "tuple[tuple[type[AnyField], Any], ...]" = (
    (models.BooleanField, _flag),
    (models.FloatField, _real),
    (models.DecimalField, _money),
    (models.IntegerField, _whole),
    (models.DateField, _day),
    (models.JSONField, _json),
    (models.CharField, _text),
    (models.TextField, _text),
)


def plain_row(row: models.Model) -> Content:
    """Return one row, or the document without its rows, as JSON-ready data."""
    return {field.name: _plain_value(row, field) for field in fields_of(type(row))}


def _plain_value(row: models.Model, field: "AnyField") -> Any:
    value = getattr(row, field.name)
    if field.is_relation and value is not None:
        return value.get_username()
    if isinstance(field, models.FloatField) and value is not None:
        return float(value)
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value.quantize(Decimal("0.01")))
    if isinstance(value, date):
        return value.isoformat()
    return value


def _normal(model: type[models.Model], row: Mapping[str, Any]) -> Content:
    """Return a row with its numbers spelt as the database gives them: 1 and 1.0 are one number."""
    normal = dict(row)
    for field in fields_of(model):
        value = normal.get(field.name)
        if value is None or isinstance(value, bool):
            continue
        if isinstance(field, models.JSONField):
            normal[field.name] = _floats(value)
        elif isinstance(field, models.DecimalField):
            normal[field.name] = str(_money(value).quantize(Decimal("0.01")))
        elif isinstance(field, models.FloatField):
            normal[field.name] = float(value)
        elif isinstance(field, models.IntegerField) and int(value) == value:
            normal[field.name] = int(value)
    return normal


def _floats(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _floats(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_floats(value) for value in data]
    is_number = isinstance(data, int | float) and not isinstance(data, bool)
    return float(data) if is_number else data


def _canonical(data: object) -> bytes:
    return json.dumps(
        data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _names(row: models.Model) -> list[str]:
    return [field.name for field in fields_of(type(row))]


def _people_named_in(content: Mapping[str, Any]) -> dict[str, Any]:
    names = _people_in([content], ScopingDocument)
    for name, (model, _) in CHILDREN.items():
        names |= _people_in(content.get(name), model)
    people = get_user_model()
    found = people._default_manager.filter(**{f"{people.USERNAME_FIELD}__in": names})
    return {user.get_username(): user for user in found}


def _people_in(rows: object, model: type[models.Model]) -> set[str]:
    fields = [field.name for field in fields_of(model) if field.is_relation]
    if not fields or not isinstance(rows, list):
        return set()
    named = (row.get(field) for row in rows if isinstance(row, Mapping) for field in fields)
    return {person for person in named if isinstance(person, str)}


def _invalid(problems: list[Problem]) -> InvalidInput:
    listed = " ".join(f"{problem.field}: {problem.message}" for problem in problems)
    return InvalidInput(
        f"{len(problems)} fields cannot be read. {listed}"
        if len(problems) > 1
        else f"One field cannot be read. {listed}",
        code="invalid_scope",
        details={
            "errors": [{"field": item.field, "message": item.message} for item in problems],
        },
    )
