"""Findings, waivers, delegations and promises."""

from django.contrib import admin
from django.urls import reverse
from django.utils.safestring import SafeString

from governance.admin.base import ReadOnlyAdmin, link, pretty
from governance.models import Condition, Delegation, Finding, Waiver


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    """Defects; they are resolved and closed on their own page."""

    list_display = ["title", "severity", "status", "project", "owner", "due_on", "opened_at"]
    list_filter = ["status", "severity", "subject_kind", "project"]
    list_select_related = ["project", "owner"]
    search_fields = ["title", "description", "subject_ref", "source"]
    date_hierarchy = "opened_at"
    exclude = ["data", "version_lock"]
    readonly_fields = ["details"]

    def view_on_site(self, finding: Finding) -> str:
        return reverse("governance:finding", args=[finding.pk])

    @admin.display(description="data")
    def details(self, finding: Finding) -> SafeString:
        return pretty(finding.data)


@admin.register(Waiver)
class WaiverAdmin(ReadOnlyAdmin):
    """Permitted deviations with their ends."""

    list_display = [
        "requirement_key",
        "about",
        "granted_by",
        "granted_role",
        "granted_at",
        "expires_at",
        "revoked_at",
    ]
    list_filter = ["granted_role", "review__project"]
    list_select_related = ["review", "granted_by"]
    search_fields = ["requirement_key", "reason", "review__subject_label"]
    date_hierarchy = "granted_at"

    @admin.display(description="review", ordering="review")
    def about(self, waiver: Waiver) -> SafeString | str:
        return link(reverse("governance:review", args=[waiver.review_id]), str(waiver.review))


@admin.register(Delegation)
class DelegationAdmin(ReadOnlyAdmin):
    """Rights to decide that were passed on."""

    list_display = [
        "role", "project", "gate", "holder", "delegate", "valid_from", "valid_to", "revoked_at",
    ]  # fmt: skip
    list_filter = ["role", "gate", "project"]
    list_select_related = ["project", "holder", "delegate"]
    search_fields = ["holder__username", "delegate__username", "reason"]
    date_hierarchy = "valid_from"


@admin.register(Condition)
class ConditionAdmin(ReadOnlyAdmin):
    """Promises on which approvals rest."""

    list_display = ["text", "due_on", "met_at", "met_by"]
    list_filter = [("met_at", admin.EmptyFieldListFilter), "due_on"]
    list_select_related = ["met_by"]
    search_fields = ["text", "sign_off__printed_name"]
    date_hierarchy = "due_on"
