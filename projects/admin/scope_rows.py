"""The rows of a scoping document, edited within it: one card a row, in its section."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib.auth import get_user_model
from django.db import models
from django.http import HttpRequest

from projects.admin.base import StackedInline
from projects.admin.scope_fields import (
    METRIC_KEYS,
    NamesField,
    NumbersField,
    PersonField,
    person_field,
)
from projects.admin.scope_help import ROW_EXAMPLES
from projects.services.content import CHILDREN

if TYPE_CHECKING:
    RowModelForm = forms.ModelForm[Any]
else:
    RowModelForm = forms.ModelForm

_METRIC_NAMES = frozenset({"metric_key", "confidence_key"})
_WIDGETS: Mapping[Any, Any] = {
    models.TextField: {"widget": forms.Textarea(attrs={"rows": 2, "cols": 40})},
}

#: The lines of each list's card; a list that is not named here has one line.
LINES: Mapping[str, tuple[str | tuple[str, ...], ...]] = {
    "affected_parties": (("group", "size_order", "effect", "is_vulnerable"),),
    "constraints": (("kind", "statement"), ("limit", "criterion_key", "is_hard")),
    "assumptions": ("statement", ("how", "owner", "spike", "is_verified")),
    "objectives": (
        ("kind", "statement"),
        ("metric", "baseline_value", "target_value", "unit"),
        ("method", "horizon_days", "baseline_task"),
    ),
    "baselines": (("name", "kind"), ("metrics", "note"), ("run_id", "dataset_ref")),
    "criteria": (
        ("key", "title", "level"),
        ("metric_key", "threshold", "greater_is_better", "is_blocking"),
        ("baseline", "min_absolute_change", "min_relative_change"),
        ("max_absolute_drop", "max_relative_drop"),
        ("source", "dataset_role", "dataset_ref", "slice"),
        ("aggregate", "min_runs", "confidence_key", "test_use_limit"),
        ("gates", "by_date", "by_sprint"),
        "rationale",
    ),
    "prior_art": (
        ("reference", "kind", "year"),
        ("claim", "claim_metric", "claim_value"),
        ("dataset_similarity", "license", "is_code_available"),
        ("reproduced", "our_value", "run_id"),
        ("difficulty_delta", "delta_reason", "effort_days", "verdict"),
    ),
    "approaches": (
        ("name", "rung", "novelty", "rank"),
        ("time_box_days", "build_days", "annual_run_cost"),
        ("success_signal", "skills_needed", "why_this_rung"),
    ),
    "data_sources": (
        ("name", "owner", "location", "access"),
        ("personal_data", "lawful_basis", "license"),
        ("volume", "history", "refresh", "quality_score"),
        ("labels", "label_cost", "dataset_ref"),
        "known_gaps",
    ),
    "risks": (
        ("title", "category", "probability", "impact"),
        ("cause", "effect"),
        ("treatment", "owner", "due"),
        "mitigation",
        ("residual_probability", "residual_impact", "accepted_until"),
        "accepted_because",
    ),
    "regulations": (("framework", "applies", "part", "risk_class"), "rationale"),
    "monitoring_plan": (
        ("signal", "metric", "threshold", "window"),
        ("frequency", "owner", "action"),
    ),
    "open_questions": (("question", "owner", "due", "is_blocking"), "answer"),
}


class RowForm(RowModelForm):
    """A row; whoever it names already may stay, also after leaving the project."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keep_named_people(self)


def keep_named_people(form: Any) -> None:
    """Let a form offer the people whom its row names already."""
    for name, field in form.fields.items():
        named = getattr(form.instance, f"{name}_id", None)
        if isinstance(field, PersonField) and named is not None:
            everybody = get_user_model()._default_manager.order_by("username")
            offered = models.Q(pk__in=cast("Any", field.queryset).values("pk")) | models.Q(pk=named)
            field.queryset = everybody.filter(offered)


class RowsOfScope(StackedInline):
    """Rows as cards, with a blank one to begin with."""

    extra = 1
    form = RowForm
    list_name: str
    formfield_overrides = dict(_WIDGETS)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.related_model is get_user_model():
            return person_field(db_field, request, **kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = self._own_field(db_field)
        field = field or super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.help_text = ROW_EXAMPLES[self.list_name].get(db_field.name, "")
            if db_field.name in _METRIC_NAMES:
                field.widget.attrs["list"] = METRIC_KEYS
        return field

    def _own_field(self, db_field: Any) -> Any:
        if not isinstance(db_field, models.JSONField):
            return None
        kind = NumbersField if db_field.default is dict else NamesField
        field = kind(required=False, label=db_field.verbose_name.capitalize())
        if kind is NumbersField:
            field.widget.attrs |= {"rows": 2, "cols": 30}
        return field


def _inline(name: str, model: Any) -> type[RowsOfScope]:
    editable = [field.name for field in model._meta.fields if field.editable]
    one_line = (tuple(field for field in editable if field not in {"id", "scope"}),)
    return type(
        f"{model.__name__}Inline",
        (RowsOfScope,),
        {
            "__doc__": model.__doc__,
            "model": model,
            "list_name": name,
            "fields": LINES.get(name, one_line),
        },
    )


INLINES: tuple[type[RowsOfScope], ...] = tuple(
    _inline(name, model) for name, (model, _) in CHILDREN.items()
)
