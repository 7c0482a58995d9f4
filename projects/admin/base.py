"""What every admin of this app shares: rows by role, no deletion, refusals as messages."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect

from projects.errors import DomainError
from projects.web import actor_of, words_of

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
    StackedInline = admin.StackedInline[Any, Any]
else:
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline
    StackedInline = admin.StackedInline

__all__ = ["GovernedAdmin", "ReadOnlyAdmin", "StackedInline", "TabularInline"]


class GovernedAdmin(ModelAdmin):
    """Rows that the reader's roles show; administrators browse all of them."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if cast("Any", request.user).is_superuser:
            return rows
        return cast("QuerySet[Any]", cast("Any", rows).visible_to(actor_of(request)))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Tell a refusal that comes up while saving; the transaction has been rolled back."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as error:
            messages.error(request, words_of(error))
            return redirect(request.get_full_path())


class ReadOnlyAdmin(GovernedAdmin):
    """Rows to look at; every change is a command behind a button."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
