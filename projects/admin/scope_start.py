"""Where a draft begins: blank, from a template, from an earlier version or another scope."""

from typing import TYPE_CHECKING, Any, NamedTuple

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from projects import access
from projects.actors import Actor
from projects.errors import DomainError
from projects.models import Project, ScopingDocument, Stakeholder
from projects.services import scope_copies
from projects.web import actor_of, words_of

if TYPE_CHECKING:
    from django.db.models import QuerySet

_TEMPLATE, _SCOPE = "template", "scope"


def projects_to_write(actor: Actor) -> "QuerySet[Project]":
    """Return the projects on which the actor may write scopes today."""
    held = Stakeholder.objects.current().filter(
        user=actor.user_id, role__in=access.ACTIONS["scope.write"]
    )
    return Project.objects.filter(pk__in=held.values("project"))


class Source(NamedTuple):
    """What a draft may begin from; `value` is what the form sends."""

    value: str
    label: str
    note: str


class SourcesOfProject(NamedTuple):
    """The scopes of one project."""

    project: Project
    sources: list[Source]


class StartForm(forms.Form):
    """Whose scope is written, and what it begins from."""

    project = forms.ModelChoiceField(
        queryset=Project.objects.none(), label="Project whose scope you write", empty_label=None
    )
    source = forms.CharField(
        error_messages={"required": "Choose what the draft begins from: one of the lines below."}
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fields["project"].queryset = projects_to_write(actor)  # type: ignore[attr-defined]

    def clean_source(self) -> Any:
        """Return the template or the scope that was chosen."""
        kind, _, name = self.cleaned_data["source"].partition(":")
        if kind == _TEMPLATE:
            return next((one for one in scope_copies.templates() if one.key == name), None)
        number = int(name) if kind == _SCOPE and name.isdecimal() else 0
        seen = ScopingDocument.objects.visible_to(self.actor).select_related("project")
        return seen.filter(pk=number).first()

    def clean(self) -> dict[str, Any] | None:
        if "source" in self.cleaned_data and self.cleaned_data["source"] is None:
            self.add_error("source", "There is no such template or scope that you can see.")
        return super().clean()

    def start(self) -> ScopingDocument:
        """Begin the draft that the form describes."""
        project, source = self.cleaned_data["project"], self.cleaned_data["source"]
        if isinstance(source, ScopingDocument):
            return scope_copies.start_from(project, source, actor=self.actor)
        return scope_copies.start_from_template(project, source, actor=self.actor)


def start_view(request: HttpRequest) -> HttpResponse:
    """Offer everything that a draft may begin from, and begin it."""
    actor = actor_of(request)
    form = StartForm(request.POST or None, actor=actor, initial=_initial(request))
    if request.method == "POST" and form.is_valid():
        try:
            draft = form.start()
        except DomainError as error:
            form.add_error(None, words_of(error))
        else:
            messages.success(request, "The draft has begun. Replace what stands in [brackets].")
            return redirect(reverse("admin:projects_scopingdocument_change", args=[draft.pk]))
    context = {
        **admin.site.each_context(request),
        "title": "Begin a scope",
        "opts": ScopingDocument._meta,
        "form": form,
        "chosen": form["source"].value(),
        "templates": [
            Source(f"{_TEMPLATE}:{one.key}", one.name, one.summary)
            for one in scope_copies.templates()
        ],
        "scopes": _scopes(actor),
    }
    return TemplateResponse(request, "admin/projects/scopingdocument/start.html", context)


def _initial(request: HttpRequest) -> dict[str, Any]:
    return {name: request.GET[name] for name in ("project", "source") if name in request.GET}


def _scopes(actor: Actor) -> list[SourcesOfProject]:
    seen = ScopingDocument.objects.visible_to(actor).select_related("project")
    groups: dict[int, SourcesOfProject] = {}
    for scope in seen.order_by("project__name", "-version"):
        group = groups.setdefault(scope.project_id, SourcesOfProject(scope.project, []))
        note = f"v{scope.version}, {scope.get_status_display().lower()}"
        group.sources.append(Source(f"{_SCOPE}:{scope.pk}", scope.title, note))
    return list(groups.values())
