"""The scoping document as a guided form; drafts save with gaps, the rest is read-only."""

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from projects import access
from projects.admin.base import GovernedAdmin
from projects.admin.scope_rows import INLINES
from projects.models import Project, ScopingDocument
from projects.services import scoping
from projects.web import actor_of, attempt

if TYPE_CHECKING:
    ScopeModelForm = forms.ModelForm[ScopingDocument]
else:
    ScopeModelForm = forms.ModelForm

SAVE_AND_SUBMIT = "_save_and_submit"
READ_VERSION = "read_version"
CHANGED_MEANWHILE = (
    "Somebody else saved this draft while you were editing. Copy what you typed, open the draft "
    "again and merge the two."
)


class ScopeForm(ScopeModelForm):
    """The scalar fields; carries the version that was read, so that no edit overwrites another."""

    read_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = ScopingDocument
        fields = "__all__"  # the admin's fieldsets name the fields

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "read_version" in self.fields:
            self.fields["read_version"].initial = self.instance.version_lock

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        read = self.cleaned_data.get("read_version")
        if self.instance.pk and read is not None and read != self.instance.version_lock:
            raise forms.ValidationError(CHANGED_MEANWHILE, code="stale_state")
        return data


@admin.register(ScopingDocument)
class ScopingDocumentAdmin(GovernedAdmin):
    """Write, check, submit and copy scoping documents."""

    form = ScopeForm
    change_form_template = "admin/projects/scopingdocument/change_form.html"
    list_display = ("__str__", "title", "status", "created_by", "submitted_at", "read_it")
    list_filter = ("status", "project")
    list_select_related = ("project", "created_by")
    search_fields = ("title", "project__name", "project__slug")
    autocomplete_fields = ("project",)
    inlines = INLINES
    formfield_overrides: ClassVar[dict[Any, Any]] = {
        models.TextField: {"widget": forms.Textarea(attrs={"rows": 3, "cols": 100})},
    }
    readonly_fields = ("version", "status", "created_by", "submitted_by", "submitted_at")
    save_on_top = True
    fieldsets = (
        (
            None,
            {
                "fields": ("project", ("version", "status"), "title", "summary", READ_VERSION),
                "description": "The summary is for readers who know nothing of machine learning.",
            },
        ),
        (
            "Problem and use",
            {
                "fields": (
                    "problem_statement",
                    "current_process",
                    "decision_informed",
                    "action_on_output",
                    "intended_use",
                    "out_of_scope_use",
                ),
                "description": "What is wrong today, for whom, and which decision will change. An "
                "outsider should be able to follow: 200 characters are the least.",
            },
        ),
        (
            "Value",
            {
                "fields": (("false_positive_cost", "false_negative_cost"),),
                "description": "What a wrong prediction costs, each way. Objectives and baselines "
                "are listed below.",
            },
        ),
        (
            "Data and test",
            {
                "fields": (("ml_task", "target"), ("is_time_ordered", "split_strategy")),
                "description": "If the rows arrive in time and the model is used on later ones, "
                "only a split by time tests it honestly.",
            },
        ),
        (
            "Feasibility and money",
            {
                "fields": (
                    "why_ml",
                    "simplest_alternative",
                    ("annual_run_cost", "annual_benefit"),
                    "experts_interviewed",
                ),
                "description": "Why rules are not enough, what it costs to run and what it brings.",
            },
        ),
        (
            "Operation",
            {
                "fields": (
                    "deployment_mode",
                    "fallback",
                    "retraining_policy",
                ),
                "description": "What happens without the model, what is watched, who acts, and "
                "when it is trained again.",
            },
        ),
    )

    @admin.display(description="Readable")
    def read_it(self, document: ScopingDocument) -> str:
        return format_html(
            '<a href="{}">Read and check</a>', reverse("projects:scope", args=[document.pk])
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        # The project of a document never changes.
        return (*self.readonly_fields, "project") if obj else self.readonly_fields

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        first, *others = cast("Any", super().get_fieldsets(request, obj))
        if self.has_change_permission(request, obj):
            return (first, *others)
        # Django shows a read-only page by looking every field up on the row.
        shown = tuple(name for name in first[1]["fields"] if name != READ_VERSION)
        return ((first[0], {**first[1], "fields": shown}), *others)

    def has_add_permission(self, request: HttpRequest) -> bool:
        actor = actor_of(request)
        writing = Project.objects.visible_to(actor)
        return super().has_add_permission(request) and any(
            access.can(actor, "scope.write", project) for project in writing
        )

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if obj is None:
            return super().has_change_permission(request)
        document = cast("ScopingDocument", obj)
        return document.is_editable and access.can(
            actor_of(request), "scope.write", document.project
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Number a new draft, or take an old one so that no submission slips in between."""
        actor = actor_of(request)
        if not change:
            scoping.start_draft(obj, actor=actor)
            return
        stored = ScopingDocument.objects.get(pk=obj.pk)
        scoping.claim_draft(stored, actor=actor)
        obj.version_lock = stored.version_lock
        columns = {field.name for field in ScopingDocument._meta.concrete_fields}
        obj.save(update_fields=[name for name in form.changed_data if name in columns])

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        super().save_related(request, form, formsets, change)
        scoping.record_draft_saved(form.instance, actor=actor_of(request))

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._after_save(request, obj) or super().response_add(
            request, obj, post_url_continue
        )

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._after_save(request, obj) or super().response_change(request, obj)

    def _after_save(self, request: HttpRequest, document: ScopingDocument) -> HttpResponse | None:
        if SAVE_AND_SUBMIT not in request.POST:
            return None
        fresh = ScopingDocument.objects.get(pk=document.pk)
        _submit(request, fresh)
        return redirect(_change_url(fresh))

    def get_urls(self) -> list[URLPattern]:
        def named(verb: str, view: Any) -> URLPattern:
            route = f"<int:pk>/{verb}/"
            guarded = self.admin_site.admin_view(require_POST(view))
            name = f"projects_scopingdocument_{verb}"
            return cast("URLPattern", path(route, cast("Any", guarded), name=name))

        own = [
            named("submit", self.submit_view),
            named("withdraw", self.withdraw_view),
            named("copy", self.copy_view),
        ]
        return [*own, *super().get_urls()]

    def submit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Submit the draft as it was last saved, or list what stands against it."""
        document = self._document(request, pk)
        _submit(request, document)
        return redirect(_change_url(document))

    def withdraw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        document = self._document(request, pk)
        attempt(
            request,
            lambda: scoping.withdraw_scoping_document(document, actor=actor_of(request)),
            done=f"{document} was withdrawn.",
        )
        return redirect(_change_url(document))

    def copy_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Start a new draft from this version."""
        document = self._document(request, pk)
        drafts: list[ScopingDocument] = []
        attempt(
            request,
            lambda: drafts.append(scoping.start_from_version(document, actor=actor_of(request))),
            done=f"This draft begins as a copy of {document}.",
        )
        return redirect(_change_url(drafts[0] if drafts else document))

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Offer the commands that the reader may give."""
        document = kwargs.get("obj")
        if document is not None:
            actor = actor_of(request)
            may_submit = access.can(actor, "scope.submit", document.project)
            context |= {
                "may_submit": may_submit and document.is_editable,
                "may_withdraw": access.can(actor, "scope.withdraw", document.project)
                and document.status in {"draft", "submitted"},
                "may_copy": access.can(actor, "scope.write", document.project),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def _document(self, request: HttpRequest, pk: int) -> ScopingDocument:
        return cast("ScopingDocument", get_object_or_404(self.get_queryset(request), pk=pk))


def _submit(request: HttpRequest, document: ScopingDocument) -> None:
    attempt(
        request,
        lambda: scoping.submit_scoping_document(document, actor=actor_of(request)),
        done=f"{document} was submitted; its gate review can be requested now.",
    )


def _change_url(document: ScopingDocument) -> str:
    return reverse("admin:projects_scopingdocument_change", args=[document.pk])
