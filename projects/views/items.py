"""The page of one work item, and the page on which a new one is written."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from projects import access, markdown
from projects.actors import Actor
from projects.errors import DomainError, NotFound
from projects.models import Project, WorkItem
from projects.problems import of_domain_error
from projects.rules.transitions import FINISHED_ITEM_STATUSES
from projects.rules.work_item_kinds import FLAVOURS, fields_of
from projects.services.definitions import checklists_of, values_of
from projects.services.dependencies import progress_of
from projects.services.item_moves import moves_of, outcomes_of, time_box_of
from projects.services.work_items import NewWorkItem, add_work_item
from projects.views.base import page, visible_or_404
from projects.views.item_forms import ConcludeForm, EditForm, NewItemForm, add_errors
from projects.views.item_history import history_of

ITEMS = WorkItem.objects.select_related("project", "sprint", "parent", "assignee", "created_by")
RIGHTS = {
    "may_edit": "work_item.edit",
    "may_conclude": "work_item.conclude",
    "may_depend": "work_item.depend",
    "may_comment": "work_item.comment",
    "may_watch": "work_item.watch",
    "may_attach": "attachment.add",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed into a form of the page that was refused; shown again."""

    edit: EditForm | None = None
    conclude: ConcludeForm | None = None
    comment: str = ""
    stop: str = ""
    extend: tuple[str, str] = ("", "")


NOTHING_TYPED = Typed()


@require_safe
@page
def item_page(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show one work item with all that can be done with it."""
    item = visible_or_404(ITEMS, actor, pk=pk)
    return show_item(request, actor, item)


def show_item(
    request: HttpRequest,
    actor: Actor,
    item: WorkItem,
    typed: Typed = NOTHING_TYPED,
    *,
    status: int = 200,
) -> HttpResponse:
    """Answer with the item's page, and what was typed into it if a command refused it."""
    lists = checklists_of(item)
    rights = {name: access.can(actor, action, item.project) for name, action in RIGHTS.items()}
    watchers = list(item.watchers.all())
    is_open = item.status not in FINISHED_ITEM_STATUSES
    at_work = item.status in {WorkItem.Status.DOING, WorkItem.Status.REVIEW}
    time_box = time_box_of(item, actor=actor)
    is_over = time_box is not None and time_box.is_over
    may_conclude = rights["may_conclude"] and at_work and not is_over and bool(outcomes_of(item))
    context: dict[str, Any] = {
        "item": item,
        "facts": _facts_of(item),
        "lists": lists,
        "moves": moves_of(item, lists, actor=actor),
        "time_box": time_box,
        "edit_form": typed.edit or (EditForm(item) if rights["may_edit"] and is_open else None),
        "conclude_form": typed.conclude or (ConcludeForm(item) if may_conclude else None),
        "typed": typed,
        "comments": _comments_of(item),
        "attachments": item.attachments.select_related("added_by"),
        "watchers": watchers,
        "is_watching": any(user.pk == actor.user_id for user in watchers),
        "history": history_of(item),
        **_relations_of(item),
        **rights,
    }
    return render(request, "projects/item.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new_item(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    """Write a new work item of the kind that the address names."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)
    access.require(actor, "work_item.add", project)
    kind = request.GET.get("kind", "")
    if kind not in WorkItem.Kind.values:
        kind = WorkItem.Kind.STORY
    flavour = request.GET.get("flavour", "")
    flavour = flavour if kind == WorkItem.Kind.STORY and flavour in dict(FLAVOURS) else ""
    if request.method == "POST":
        form = NewItemForm(project, kind, flavour=flavour, data=request.POST)
        try:
            if form.is_valid():
                item = add_work_item(project, NewWorkItem(kind, **form.changes()), actor=actor)
                messages.success(request, f"“{item.title}” was added.")
                return redirect("projects:item", item.pk)
            status = 400
        except NotFound:
            raise
        except DomainError as error:
            add_errors(form, error)
            status = of_domain_error(error).status
    else:
        form, status = NewItemForm(project, kind, flavour=flavour, initial=_asked(request)), 200
    context = {
        "project": project,
        "form": form,
        "kind": kind,
        "flavour": flavour,
        "kinds": WorkItem.Kind.choices,
        "flavours": FLAVOURS,
    }
    return render(request, "projects/item_new.html", context, status=status)


def _asked(request: HttpRequest) -> dict[str, str]:
    return {
        name: request.GET[name] for name in ("sprint", "parent", "flavour") if name in request.GET
    }


def _facts_of(item: WorkItem) -> list[tuple[str, Any]]:
    """Return the filled fields of the kind, each with its label, as a reader reads them."""
    values, flavour = values_of(item), str(item.details.get("flavour") or "")
    found: list[tuple[str, Any]] = []
    for one in fields_of(item.kind, flavour):
        value = values.get(one.name)
        if value in (None, "", []):
            continue
        found.append((one.label, dict(one.choices).get(str(value), value)))
    return found


def _comments_of(item: WorkItem) -> list[dict[str, Any]]:
    rows = item.comments.select_related("author").prefetch_related("mentions")
    return [
        {
            "comment": row,
            "html": markdown.render(
                row.body, mentioned=[user.get_username() for user in row.mentions.all()]
            ),
        }
        for row in rows
    ]


def _relations_of(item: WorkItem) -> dict[str, Any]:
    needed = list(item.depends_on.all())
    waiting = list(item.needed_by.all())
    known = {item.pk, *(row.pk for row in [*needed, *waiting])}
    others = item.project.work_items.exclude(pk__in=known).order_by("-pk")
    is_epic = item.kind == WorkItem.Kind.EPIC
    return {
        "needs": needed,
        "needed_by": waiting,
        "others": list(others.exclude(status__in=FINISHED_ITEM_STATUSES)[:200]),
        "children": list(item.children.select_related("assignee")) if is_epic else [],
        "progress": progress_of(item) if is_epic else None,
        "rescope_url": reverse("projects:project", args=[item.project.slug]),
    }
