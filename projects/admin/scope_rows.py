"""The rows of a scoping document, edited within it."""

from typing import Any

from django.contrib.auth import get_user_model
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


class RowOfScope:
    """One blank row to begin with; owners are people who are on some project with the reader."""

    extra = 1

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "owner":
            on_projects = Stakeholder.objects.current().values("user")
            people = get_user_model()._default_manager.filter(pk__in=on_projects)
            kwargs["queryset"] = people.order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class ObjectiveInline(RowOfScope, TabularInline):
    """What shall be better afterwards."""

    model = Objective


class CriterionInline(RowOfScope, StackedInline):
    """What the gates will check."""

    model = Criterion
    fields = (
        ("key", "title", "level"),
        ("metric_key", "greater_is_better", "threshold", "dataset_role"),
        ("baseline", "min_absolute_change", "min_relative_change"),
        ("max_absolute_drop", "max_relative_drop", "by_date"),
        ("gates", "rationale"),
    )


class BaselineInline(RowOfScope, TabularInline):
    """What has to be beaten."""

    model = Baseline


class PriorArtInline(RowOfScope, StackedInline):
    """What others achieved."""

    model = PriorArt
    fields = (
        ("reference", "kind", "claim"),
        ("reproduced", "our_value"),
        ("difficulty_delta", "delta_reason"),
    )


class ApproachInline(RowOfScope, TabularInline):
    """What will be compared, each in its time box."""

    model = Approach


class DataSourceInline(RowOfScope, StackedInline):
    """Where the data comes from."""

    model = DataSource
    fields = (
        ("name", "owner", "access"),
        ("personal_data", "lawful_basis", "license"),
        ("known_gaps",),
    )


class FeatureNoteInline(RowOfScope, TabularInline):
    """Columns whose use needs a word."""

    model = FeatureNote


class EstimateInline(RowOfScope, TabularInline):
    """Effort by phase, in three points."""

    model = Estimate


class RiskInline(RowOfScope, TabularInline):
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
