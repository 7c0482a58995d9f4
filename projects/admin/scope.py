"""The scoping document as a guided form; drafts save with gaps, the rest is read-only."""

from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from projects import access
from projects.admin import scope_start
from projects.admin.base import GovernedAdmin
from projects.admin.scope_fields import people_view, person_field
from projects.admin.scope_form import READ_VERSION, CheckedForm, ScopeForm
from projects.admin.scope_help import EXAMPLES
from projects.admin.scope_page import form_page, panel_of
from projects.admin.scope_rows import INLINES
from projects.models import ScopingDocument
from projects.rules.scope_layout import field_groups
from projects.services import scoping
from projects.web import actor_of, attempt

SAVE_AND_SUBMIT = "_save_and_submit"
CHECK = "_check"


@admin.register(ScopingDocument)
class ScopingDocumentAdmin(GovernedAdmin):
    """Write, check, submit and copy scoping documents."""

    form = ScopeForm
    change_form_template = "admin/projects/scopingdocument/change_form.html"
    change_list_template = "admin/projects/scopingdocument/change_list.html"
    list_display = ("__str__", "title", "status", "created_by", "submitted_at", "read_it")
    list_filter = ("status", "project")
    list_select_related = ("project", "created_by")
    search_fields = ("title", "project__name", "project__slug")
    autocomplete_fields = ("project",)
    inlines = INLINES
    formfield_overrides: ClassVar[dict[Any, Any]] = {
        models.TextField: {"widget": forms.Textarea(attrs={"rows": 3, "cols": 60})},
    }
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("project", READ_VERSION)}),
        *((group.title, {"fields": group.lines}) for group in field_groups()),
    )

    @admin.display(description="Readable")
    def read_it(self, document: ScopingDocument) -> str:
        return format_html(
            '<a href="{}">Read and check</a>', reverse("projects:scope", args=[document.pk])
        )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Say below every field what one would write there."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.help_text = EXAMPLES.get(db_field.name, field.help_text)
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.related_model is get_user_model():
            return person_field(db_field, request, **kwargs)
        if db_field.name == "project":
            kwargs["queryset"] = scope_start.projects_to_write(actor_of(request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: Any = False, **kwargs: Any):  # type: ignore[no-untyped-def] # noqa: FBT002 - as Django calls it
        if request.method == "POST" and CHECK in request.POST:
            kwargs["form"] = CheckedForm
        return super().get_form(request, obj, change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        # The project of a document never changes.
        return ("project",) if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        first, *others = cast("Any", super().get_fieldsets(request, obj))
        if self.has_change_permission(request, obj):
            return (first, *others)
        # Django shows a read-only page by looking every field up on the row.
        shown = tuple(name for name in first[1]["fields"] if name != READ_VERSION)
        return ((first[0], {**first[1], "fields": shown}), *others)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return (
            super().has_add_permission(request)
            and scope_start.projects_to_write(actor_of(request)).exists()
        )

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if obj is None:
            return super().has_change_permission(request)
        document = cast("ScopingDocument", obj)
        # Whoever was editing when somebody submitted gets the form back with what was typed; it
        # refuses to be saved.
        was_editing = request.method == "POST" and READ_VERSION in request.POST
        return (document.is_editable or was_editing) and access.can(
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
        def named(route: str, verb: str, view: Any) -> URLPattern:
            name = f"projects_scopingdocument_{verb}"
            guarded = self.admin_site.admin_view(view)
            return cast("URLPattern", path(route, cast("Any", guarded), name=name))

        commands = {
            "submit": self.submit_view,
            "withdraw": self.withdraw_view,
            "copy": self.copy_view,
        }
        own = [
            *(
                named(f"<int:pk>/{verb}/", verb, require_POST(view))
                for verb, view in commands.items()
            ),
            named("people/", "people", require_safe(people_view)),
            named("start/", "start", scope_start.start_view),
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
        """Show the form by sections beside its readiness, with the commands that may be given."""
        document = kwargs.get("obj")
        form = context["adminform"].form
        formsets = [inline.formset for inline in context["inline_admin_formsets"]]
        panel = panel_of(form, formsets, document, actor=actor_of(request))
        if getattr(request, "htmx", None) and CHECK in request.POST:
            return panel.answer(request)
        context |= form_page({**context, "actor": actor_of(request)}, document, panel)
        if document is not None:
            context |= _commands(request, document)
        return super().render_change_form(request, context, *args, **kwargs)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Check without a transaction: nothing is written, so nobody else has to wait."""
        if request.method == "POST" and CHECK in request.POST:
            return self._changeform_view(  # type: ignore[attr-defined] # not in the stubs
                request, object_id, form_url, extra_context
            )
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _document(self, request: HttpRequest, pk: int) -> ScopingDocument:
        return cast("ScopingDocument", get_object_or_404(self.get_queryset(request), pk=pk))


def _commands(request: HttpRequest, document: ScopingDocument) -> dict[str, Any]:
    actor, project = actor_of(request), document.project
    return {
        "may_submit": document.is_editable and access.can(actor, "scope.submit", project),
        "may_withdraw": access.can(actor, "scope.withdraw", project)
        and document.status in {"draft", "submitted"},
        "may_copy": access.can(actor, "scope.write", project),
    }


def _submit(request: HttpRequest, document: ScopingDocument) -> None:
    attempt(
        request,
        lambda: scoping.submit_scoping_document(document, actor=actor_of(request)),
        done=f"{document} was submitted; its gate review can be requested now.",
    )


def _change_url(document: ScopingDocument) -> str:
    return reverse("admin:projects_scopingdocument_change", args=[document.pk])
