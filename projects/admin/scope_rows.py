"""The rows of a scoping document, edited within it."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.forms import Textarea
from django.http import HttpRequest

from projects.admin.base import StackedInline, TabularInline
from projects.models import (
    Approach,
    Baseline,
    Criterion,
    DataSource,
    Estimate,
    FeatureNote,
    Objective,
    PriorArt,
    Risk,
    Stakeholder,
)
from projects.web import actor_of

WIDGETS: dict[Any, Any] = {
    models.TextField: {"widget": Textarea(attrs={"rows": 2, "cols": 40})},
    models.JSONField: {"widget": Textarea(attrs={"rows": 2, "cols": 30})},
}


class OwnersOnProjects:
    """Offers as owners the people who are on a project together with the reader."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "owner":
            together = Stakeholder.objects.current().visible_to(actor_of(request))
            people = get_user_model()._default_manager.filter(pk__in=together.values("user"))
            kwargs["queryset"] = people.order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class TableOfScope(OwnersOnProjects, TabularInline):
    """Rows as a table, with a blank one to begin with."""

    extra = 1
    formfield_overrides = WIDGETS


class CardsOfScope(OwnersOnProjects, StackedInline):
    """Rows as cards, with a blank one to begin with."""

    extra = 1
    formfield_overrides = WIDGETS


class ObjectiveInline(TableOfScope):
    """What shall be better afterwards."""

    model = Objective


class CriterionInline(CardsOfScope):
    """What the gates will check."""

    model = Criterion
    fields = (
        ("key", "title", "level"),
        ("metric_key", "greater_is_better", "threshold", "dataset_role"),
        ("baseline", "min_absolute_change", "min_relative_change"),
        ("max_absolute_drop", "max_relative_drop", "by_date"),
        ("gates", "rationale"),
    )


class BaselineInline(TableOfScope):
    """What has to be beaten."""

    model = Baseline


class PriorArtInline(CardsOfScope):
    """What others achieved."""

    model = PriorArt
    fields = (
        ("reference", "kind", "claim"),
        ("reproduced", "our_value"),
        ("difficulty_delta", "delta_reason"),
    )


class ApproachInline(TableOfScope):
    """What will be compared, each in its time box."""

    model = Approach


class DataSourceInline(CardsOfScope):
    """Where the data comes from."""

    model = DataSource
    fields = (
        ("name", "owner", "access"),
        ("personal_data", "lawful_basis", "license"),
        ("known_gaps",),
    )


class FeatureNoteInline(TableOfScope):
    """Columns whose use needs a word."""

    model = FeatureNote


class EstimateInline(TableOfScope):
    """Effort by phase, in three points."""

    model = Estimate


class RiskInline(TableOfScope):
    """What may go wrong."""

    model = Risk


INLINES = (
    ObjectiveInline,
    BaselineInline,
    CriterionInline,
    PriorArtInline,
    ApproachInline,
    DataSourceInline,
    FeatureNoteInline,
    EstimateInline,
    RiskInline,
)
