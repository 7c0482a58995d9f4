"""Fields of the scope's form that plain text boxes would make hard to fill."""

import json
import math
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth import get_user_model
from django.db.models import Field, QuerySet
from django.http import HttpRequest, JsonResponse
from django.urls import reverse

from projects.models import Stakeholder
from projects.web import actor_of

if TYPE_CHECKING:
    AnyField = Field[Any, Any]
    ChoiceOfRows = forms.ModelChoiceField[Any]
else:
    ChoiceOfRows = forms.ModelChoiceField

#: Names of `<datalist>` elements in the form's template.
METRIC_KEYS = "metric-keys"
GATE_NAMES = "gate-names"
_MOST_PEOPLE = 20


def people_with(request: HttpRequest) -> "QuerySet[Any]":
    """Return the people who are on a project together with the reader today."""
    together = Stakeholder.objects.current().visible_to(actor_of(request))
    people = get_user_model()._default_manager.filter(pk__in=together.values("user"))
    return people.order_by("username")


def people_view(request: HttpRequest) -> JsonResponse:
    """Answer what the list of people asks for while somebody types."""
    found = people_with(request)
    for word in request.GET.get("term", "").split():
        by_name = found.filter(username__icontains=word)
        by_first = found.filter(first_name__icontains=word)
        found = by_name | by_first | found.filter(last_name__icontains=word)
    results = [{"id": str(user.pk), "text": name_of(user)} for user in found[:_MOST_PEOPLE]]
    return JsonResponse({"results": results, "pagination": {"more": False}})


def name_of(user: Any) -> str:
    """Return a person's name with the user name behind it."""
    full = user.get_full_name()
    return f"{full} ({user.get_username()})" if full else str(user.get_username())


class PeopleSelect(AutocompleteSelect):
    """The admin's own search box, asking for people of the reader's projects only."""

    def get_url(self) -> str:
        return reverse("admin:projects_scopingdocument_people")


class PersonField(ChoiceOfRows):
    """One person, shown by name."""

    def label_from_instance(self, obj: Any) -> str:
        return name_of(obj)


def person_field(db_field: "AnyField", request: HttpRequest, **kwargs: Any) -> PersonField:
    """Return the form's field for a person of the reader's projects."""
    return PersonField(
        queryset=people_with(request),
        required=not db_field.blank,
        label=str(db_field.verbose_name).capitalize(),
        widget=PeopleSelect(cast("Any", db_field), admin.site),
        **{name: value for name, value in kwargs.items() if name == "initial"},
    )


class NamesField(forms.CharField):
    """A list of names, written with commas between them."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        return [name.strip() for name in (value or "").split(",") if name.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


class NumbersField(forms.CharField):
    """Numbers by name, one `name = number` a line; the same as JSON is read too."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return "\n".join(f"{name} = {number}" for name, number in value.items())
        return value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, dict):
            return value
        text = (value or "").strip()
        return _from_json(text) if text.startswith("{") else dict(map(_pair, text.splitlines()))

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except forms.ValidationError:
            return True


def _pair(line: str) -> tuple[str, float]:
    name, _, number = line.replace(":", "=").partition("=")
    return name.strip(), _number(name.strip(), number.strip())


def _from_json(text: str) -> dict[str, float]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise forms.ValidationError("Write one name = number a line.") from error
    return {name: _number(name, number) for name, number in found.items()}


def _number(name: str, number: Any) -> float:
    try:
        value = float(number)
    except (TypeError, ValueError) as error:
        raise forms.ValidationError(
            f"{number!r} is no number for {name or 'a metric'}; write one name = number a line, "
            "such as test_roc_auc = 0.55."
        ) from error
    if not math.isfinite(value):
        raise forms.ValidationError(f"The number of {name} must be finite.")
    return value
