"""Fields and values of a scoping document in a reader's words."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models

_SIGNIFICANT = 4


def label_of(model: type[models.Model], name: str) -> str:
    """Return a field's label."""
    try:
        label = str(model._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    except FieldDoesNotExist:
        label = name.replace("_", " ")
    return label[:1].upper() + label[1:]


def said(model: type[models.Model], name: str, value: Any, names: Mapping[str, str]) -> str:
    """Return a value as a reader would write it; nothing for nothing."""
    if value is None or value == "" or value in ([], {}):
        return ""
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        return plain(value)
    if field.is_relation:
        return names.get(str(value), str(value))
    choices = dict(getattr(field, "flatchoices", ()))
    if isinstance(value, str | int) and value in choices:
        return str(choices[value])
    if isinstance(field, models.DecimalField):
        return amount(value)
    return plain(value)


def plain(value: Any) -> str:
    """Return a JSON value as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.{_SIGNIFICANT}g}"
    if isinstance(value, list):
        return ", ".join(map(plain, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {plain(item)}" for key, item in value.items())
    return str(value)


def amount(value: Any) -> str:
    """Return money with its thousands apart, without empty cents."""
    try:
        text = f"{float(value):,.2f}"
    except (TypeError, ValueError):
        return str(value)
    return text.removesuffix(".00")


def condition_of(criterion: Mapping[str, Any]) -> str:
    """Return a criterion's condition as a reader would say it."""
    parts = []
    if criterion.get("threshold") is not None:
        bound = "at least" if criterion.get("greater_is_better") else "at most"
        parts.append(f"{bound} {criterion['threshold']:g}")
    base = criterion.get("baseline") or "the baseline"
    for name, words in (
        ("min_absolute_change", "better than {} by {:g}"),
        ("min_relative_change", "better than {} by {:.0%}"),
        ("max_absolute_drop", "worse than {} by no more than {:g}"),
        ("max_relative_drop", "worse than {} by no more than {:.0%}"),
    ):
        if criterion.get(name) is not None:
            parts.append(words.format(base, criterion[name]))
    if criterion.get("by_date"):
        parts.append(f"by {criterion['by_date']}")
    if criterion.get("by_sprint"):
        parts.append(f"by sprint {criterion['by_sprint']}")
    return ", ".join(parts) or "no condition yet"
