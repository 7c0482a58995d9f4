"""What every admin of this app shares: rows by role, no deletion, refusals as messages."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms import BaseInlineFormSet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from ledger.models import LedgerEntry
from projects.errors import DomainError
from projects.web import actor_of, words_of

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    Tabular = admin.TabularInline[Any, Any]
    StackedInline = admin.StackedInline[Any, Any]
    InlineFormSet = BaseInlineFormSet[Any, Any, Any]
else:
    ModelAdmin = admin.ModelAdmin
    Tabular = admin.TabularInline
    StackedInline = admin.StackedInline
    InlineFormSet = BaseInlineFormSet

__all__ = ["GovernedAdmin", "ReadOnlyAdmin", "StackedInline", "TabularInline"]


class NamedCells(InlineFormSet):
    """Rows whose controls carry their column's name, which Django only puts above the column."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for field in form.fields.values():
            if field.label and not field.widget.is_hidden:
                # The admin wraps a choice of rows in a widget whose own attributes are not drawn.
                drawn = getattr(field.widget, "widget", field.widget)
                drawn.attrs.setdefault("aria-label", field.label)


class TabularInline(Tabular):
    """Rows as a table that can be heard as well as seen."""

    formset = NamedCells


class VisibleChoices(admin.RelatedFieldListFilter):
    """Offers to filter by what the reader may see; the names of the rest are not for strangers."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        user = cast("Any", request.user)
        if user.is_superuser:
            return super().field_choices(field, request, model_admin)
        visible = field.remote_field.model._default_manager.all().visible_to(actor_of(request))
        return field.get_choices(
            include_blank=False,
            ordering=self.field_admin_ordering(field, request, model_admin),
            limit_choices_to={"pk__in": visible.values("pk")},
        )

    @staticmethod
    def fits(field: Any) -> bool:
        """Tell whether the field leads to rows that are cut by role."""
        model = field.remote_field.model if field.remote_field else None
        return hasattr(getattr(model, "_default_manager", None), "visible_to")


# For every list of the admin, so that none can forget it.
admin.FieldListFilter.register(VisibleChoices.fits, VisibleChoices, take_priority=True)


class GovernedAdmin(ModelAdmin):
    """Rows that the reader's roles show; administrators browse all of them."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if cast("Any", request.user).is_superuser:
            return rows
        return cast("QuerySet[Any]", cast("Any", rows).visible_to(actor_of(request)))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the acts on a row from the ledger; the admin's own log knows only of forms."""
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.has_view_permission(request, row):
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {row}",
            "opts": self.opts,
            "object": row,
            "entries": LedgerEntry.objects.filter(subject=getattr(row, "ref", "")).order_by("seq"),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "projects/admin_history.html", context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Tell a refusal that comes up while saving in the form, which keeps what was typed."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as error:
            # The transaction has been rolled back; this time the form refuses by itself.
            request.refusal = words_of(error)  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001, FBT002 - as Django calls it
        **kwargs: Any,
    ) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        refusal = getattr(request, "refusal", None)
        return form if refusal is None else _refusing(form, refusal)


def _refusing(form: Any, refusal: str) -> Any:
    """Return the form's class with a refusal that it always answers."""

    def clean(self: Any) -> Any:
        form.clean(self)
        raise ValidationError(refusal, code="refused")

    return type(form.__name__, (form,), {"clean": clean})


class ReadOnlyAdmin(GovernedAdmin):
    """Rows to look at; every change is a command behind a button."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
