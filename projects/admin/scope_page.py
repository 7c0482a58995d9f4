"""What stands on the page of the scope's form: its sections, and the readiness beside them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from projects import access, facts
from projects.actors import Actor
from projects.admin.scope_form import Unreadable, typed_content
from projects.admin.scope_start import projects_to_write
from projects.models import Project, ScopingDocument
from projects.rules.scope_layout import SECTIONS, Fields, Rows
from projects.rules.scoping import Readiness, SectionScore
from projects.services import scoping

#: More names than this are no help to choose from.
_MOST_METRICS = 200


@dataclass(frozen=True, slots=True)
class Part:
    """A group of fields or a list of rows, as Django's admin draws it."""

    fieldset: Any = None
    inline: Any = None

    @property
    def anchor(self) -> str:
        return str(self.inline.formset.prefix) if self.inline else ""


@dataclass(frozen=True, slots=True)
class FormSection:
    """One section of the form with its score, and where to go from it."""

    key: str
    title: str
    question: str
    parts: tuple[Part, ...]
    score: SectionScore | None
    after: str = ""
    after_title: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """The verdict on what the form holds now; none before a project is chosen."""

    project: Project | None
    readiness: Readiness | None
    unreadable: tuple[Unreadable, ...] = ()

    def score_of(self, key: str) -> SectionScore | None:
        sections = self.readiness.sections if self.readiness else ()
        return next((section for section in sections if section.key == key), None)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Return the panel alone, for the page that asked for it."""
        return TemplateResponse(
            request, "admin/projects/scopingdocument/_answer.html", {"panel": self}
        )


def panel_of(
    form: Any, formsets: Sequence[Any], document: ScopingDocument | None, *, actor: Actor
) -> Panel:
    """Judge what the form holds: what was typed, or what is stored if nothing was sent."""
    project = document.project if document else _project_of(form, actor)
    if project is None:
        return Panel(None, None)
    if document is not None and not form.is_bound:
        return Panel(project, scoping.assess(document))
    typed = typed_content(form, formsets if form.is_bound else ())
    authors = scoping.author_ids(document) if document else frozenset()
    authors |= {actor.user_id} if actor.user_id is not None else set()
    readiness = scoping.assess_content(project, typed.content, authors=authors)
    return Panel(project, readiness, typed.unreadable)


def form_page(
    context: dict[str, Any], document: ScopingDocument | None, panel: Panel
) -> dict[str, Any]:
    """Return what the form's template shows besides Django's own context."""
    _, *fieldsets = context["adminform"]
    inlines = {inline.formset.prefix: inline for inline in context["inline_admin_formsets"]}
    title = f"{document.project}: scope v{document.version}" if document else "Write a scope"
    return {
        "title": title,
        "subtitle": None,
        "panel": panel,
        "heading": next(iter(context["adminform"])),
        "sections": _sections(iter(fieldsets), inlines, panel),
        "metric_keys": _metric_keys(panel.project),
        "people": _people(panel.project),
        "may_assign": panel.project is not None
        and access.can(context["actor"], "stakeholder.assign", panel.project),
    }


def _sections(fieldsets: Any, inlines: dict[str, Any], panel: Panel) -> list[FormSection]:
    following = [*SECTIONS[1:], None]
    return [
        FormSection(
            section.key,
            section.title,
            section.question,
            tuple(_parts(section.parts, fieldsets, inlines)),
            panel.score_of(section.key),
            after.key if after else "",
            after.title if after else "",
        )
        for section, after in zip(SECTIONS, following, strict=True)
    ]


def _parts(
    parts: Iterable[Fields | Rows], fieldsets: Any, inlines: dict[str, Any]
) -> Iterable[Part]:
    for part in parts:
        if isinstance(part, Fields):
            yield Part(fieldset=next(fieldsets))
        elif part.name in inlines:
            yield Part(inline=inlines[part.name])


def _project_of(form: Any, actor: Actor) -> Project | None:
    wanted = form.instance.project_id
    if wanted is None and not form.is_bound:
        wanted = form.initial.get("project")
    if not str(wanted or "").isdecimal():
        return None
    return projects_to_write(actor).filter(pk=wanted).first()


def _metric_keys(project: Project | None) -> list[str]:
    if project is None:
        return []
    names = {name for run in facts.runs_of(project) for name in run.metrics}
    return sorted(names)[:_MOST_METRICS]


def _people(project: Project | None) -> list[tuple[Any, list[str]]]:
    """Return who is on the project today with their roles, for the section on people."""
    if project is None:
        return []
    held = project.stakeholders.current().select_related("user").order_by("user__username")
    roles: dict[Any, list[str]] = {}
    for stakeholder in held:
        roles.setdefault(stakeholder.user, []).append(stakeholder.get_role_display())
    return list(roles.items())
