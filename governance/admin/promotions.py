"""Promotions and what was refused."""

from django.contrib import admin
from django.urls import reverse
from django.utils.safestring import SafeString

from governance.admin.base import ReadOnlyAdmin, link
from governance.models import DeniedAttempt, Override, Promotion


@admin.register(Promotion)
class PromotionAdmin(ReadOnlyAdmin):
    """Moves of model versions to environments; each is decided by its review."""

    list_display = [
        "__str__",
        "project",
        "status",
        "requested_at",
        "applied_at",
        "attempts",
        "about",
    ]
    list_filter = ["status", "environment", "project"]
    list_select_related = ["project", "environment", "review"]
    search_fields = ["model_name", "subject_ref", "files_digest", "project__name"]
    date_hierarchy = "requested_at"

    def view_on_site(self, promotion: Promotion) -> str:
        return reverse("governance:review", args=[promotion.review_id])

    @admin.display(description="review", ordering="review")
    def about(self, promotion: Promotion) -> SafeString | str:
        return link(self.view_on_site(promotion), promotion.review.status)


@admin.register(Override)
class OverrideAdmin(ReadOnlyAdmin):
    """Break-glass, as it was asked for, confirmed and ended."""

    list_display = [
        "incident",
        "promotion",
        "status",
        "requested_by",
        "confirmed_by",
        "confirmed_at",
        "expires_at",
        "ended_at",
    ]
    list_filter = ["status", "promotion__project"]
    list_select_related = ["promotion__environment", "requested_by", "confirmed_by"]
    search_fields = ["incident", "reason", "promotion__model_name"]
    date_hierarchy = "requested_at"
    exclude = ["version_lock"]

    def view_on_site(self, override: Override) -> str:
        return reverse("governance:review", args=[override.promotion.review_id])


@admin.register(DeniedAttempt)
class DeniedAttemptAdmin(ReadOnlyAdmin):
    """Refusals, as they were told."""

    list_display = ["at", "actor_name", "action", "target", "code", "project"]
    list_filter = ["action", "code", "project"]
    list_select_related = ["project"]
    search_fields = ["actor", "actor_name", "target", "message", "code"]
    date_hierarchy = "at"
