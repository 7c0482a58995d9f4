"""Reviews and all that was judged, shown and said about them."""

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.safestring import SafeString

from governance.admin.base import ReadOnlyAdmin, ReadOnlyInline, link, pretty
from governance.models import (
    CheckRun,
    Condition,
    Dossier,
    Evidence,
    Feedback,
    GateReview,
    RequirementResult,
    ReviewAssignment,
    SignOff,
)


class RequirementResultInline(ReadOnlyInline):
    """Every evaluation; the newest stands first."""

    model = RequirementResult
    fields = ["evaluation", "title", "outcome", "message", "is_blocking", "evaluated_at"]
    ordering = ["-evaluation", "pk"]


class SignOffInline(ReadOnlyInline):
    """The binding decisions."""

    model = SignOff
    fields = ["printed_name", "role", "outcome", "meaning", "signed_at", "method"]


class FeedbackInline(ReadOnlyInline):
    """The advisory opinions."""

    model = Feedback
    fields = ["author", "text", "written_at"]
    show_change_link = False


class ConditionInline(ReadOnlyInline):
    """What an approval was promised for."""

    model = Condition
    fields = ["text", "due_on", "met_at", "met_by"]
    show_change_link = False


class ReviewAssignmentInline(ReadOnlyInline):
    """Who is and was asked to sign."""

    model = ReviewAssignment
    fields = ["role", "user", "assigned_by", "note", "assigned_at", "ended_at"]
    show_change_link = False


class DossierInline(ReadOnlyInline):
    """The documents that were issued of the review."""

    model = Dossier
    fields = ["digest", "issued_by", "issued_at"]
    show_change_link = False


@admin.register(GateReview)
class GateReviewAdmin(ReadOnlyAdmin):
    """Reviews; people decide on the review's own page."""

    list_display = ["__str__", "page", "project", "status", "requested_at", "due_on"]
    list_filter = ["status", "gate", "subject_kind", "tier", "project"]
    list_select_related = ["project"]
    search_fields = ["subject_label", "subject_ref", "bindings_digest", "project__name"]
    search_help_text = "Name, reference or digest of what is judged, or the project."
    date_hierarchy = "requested_at"
    inlines = [
        SignOffInline,
        ReviewAssignmentInline,
        RequirementResultInline,
        FeedbackInline,
        DossierInline,
    ]
    fields = [
        "page",
        "project",
        "gate",
        "policy_version",
        "subject_kind",
        "subject_ref",
        "subject_label",
        "tier",
        "status",
        "status_reason",
        "requested_by",
        "requested_as",
        "requested_at",
        "due_on",
        "decided_at",
        "expires_at",
        "bindings_digest",
        "bound_parts",
        "copied_facts",
    ]
    readonly_fields = ["page", "bound_parts", "copied_facts"]

    def view_on_site(self, review: GateReview) -> str:
        return reverse("governance:review", args=[review.pk])

    @admin.display(description="review page")
    def page(self, review: GateReview) -> SafeString | str:
        return link(self.view_on_site(review), "open")

    @admin.display(description="bound parts")
    def bound_parts(self, review: GateReview) -> SafeString:
        return pretty(review.bindings)

    @admin.display(description="facts when it was bound")
    def copied_facts(self, review: GateReview) -> SafeString:
        return pretty(review.facts)


@admin.register(SignOff)
class SignOffAdmin(ReadOnlyAdmin):
    """Signatures; nobody changes or deletes one."""

    list_display = ["printed_name", "role", "outcome", "about", "signed_at", "method"]
    list_filter = ["outcome", "role", "review__gate", "review__project"]
    list_select_related = ["review"]
    search_fields = [
        "printed_name",
        "signer__username",
        "review__subject_label",
        "bindings_digest",
        "reason",
    ]
    date_hierarchy = "signed_at"
    inlines = [ConditionInline]

    def view_on_site(self, sign_off: SignOff) -> str:
        return reverse("governance:review", args=[sign_off.review_id]) + "#sign-offs"

    @admin.display(description="review", ordering="review")
    def about(self, sign_off: SignOff) -> SafeString | str:
        return link(self.view_on_site(sign_off), str(sign_off.review))


@admin.register(Evidence)
class EvidenceAdmin(ReadOnlyAdmin):
    """Material for decisions; new material is new evidence."""

    list_display = ["title", "kind", "subject_ref", "project", "produced_as", "produced_at"]
    list_filter = ["kind", "subject_kind", "project"]
    list_select_related = ["project"]
    search_fields = ["title", "subject_ref", "digest", "attachment"]
    date_hierarchy = "produced_at"
    fields = [
        "project",
        "subject_kind",
        "subject_ref",
        "kind",
        "title",
        "content",
        "file",
        "media_type",
        "attachment",
        "digest",
        "produced_by",
        "produced_as",
        "produced_at",
    ]
    readonly_fields = ["content", "file"]

    @admin.display(description="data")
    def content(self, evidence: Evidence) -> SafeString:
        return pretty(evidence.data)

    @admin.display(description="file")
    def file(self, evidence: Evidence) -> SafeString | str:
        if not evidence.attachment:
            return "none"
        return link(reverse("governance:evidence-content", args=[evidence.pk]), "Open the file")


@admin.register(RequirementResult)
class RequirementResultAdmin(ReadOnlyAdmin):
    """Outcomes across reviews: where do gates fail?"""

    list_display = ["title", "outcome", "about", "evaluation", "is_blocking", "evaluated_at"]
    list_filter = ["outcome", "check_name", "is_blocking", "review__project"]
    list_select_related = ["review"]
    search_fields = ["title", "key", "message", "review__subject_label"]
    date_hierarchy = "evaluated_at"

    @admin.display(description="review", ordering="review")
    def about(self, result: RequirementResult) -> SafeString | str:
        address = reverse("governance:review", args=[result.review_id])
        return link(address, str(result.review))

    def has_module_permission(self, request: Any) -> bool:
        # Reached through its review; on the index it would only crowd out what people look for.
        return False


@admin.register(CheckRun)
class CheckRunAdmin(ReadOnlyAdmin):
    """Checks that take work; they are started on the page of their review."""

    list_display = ["key", "about", "kind", "status", "message", "requested_at", "ended_at"]
    list_filter = ["status", "kind", "review__project"]
    list_select_related = ["review"]
    search_fields = ["key", "message", "review__subject_label", "bindings_digest"]
    date_hierarchy = "requested_at"
    exclude = ["params", "result", "version_lock"]
    readonly_fields = ["asked", "found"]

    @admin.display(description="review", ordering="review")
    def about(self, run: CheckRun) -> SafeString | str:
        return link(reverse("governance:review", args=[run.review_id]), str(run.review))

    @admin.display(description="parameters")
    def asked(self, run: CheckRun) -> SafeString:
        return pretty(run.params)

    @admin.display(description="result")
    def found(self, run: CheckRun) -> SafeString:
        return pretty(run.result)
