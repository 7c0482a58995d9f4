"""From scope to prediction: the graph around one model version, and how to find one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_POST, require_safe

from governance import access
from governance.models import Environment, GateReview, LineageEdge, LineageNode
from governance.services import promotions
from governance.services.lineage_picture import Box, picture
from governance.services.lineage_search import (
    find_version,
    name_and_number,
    versions,
    visible_trace,
)
from governance.services.promotions import PromotionRequest
from governance.views.base import page, words_of
from projects.actors import Actor
from projects.errors import DomainError

PER_PAGE = 50


@dataclass(frozen=True)
class Stop:
    """A node with the address where it can be looked at."""

    node: LineageNode
    url: str
    box: Box | None = None


@dataclass(frozen=True)
class Way:
    """An edge between two nodes with their addresses."""

    edge: LineageEdge
    source: Stop
    target: Stop


@require_safe
@page
def model_versions(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the model versions of the actor's projects, newest first."""
    wanted = request.GET.get("q", "").strip()
    listed = Paginator(versions(actor, wanted=wanted), PER_PAGE).get_page(request.GET.get("page"))
    stops = [Stop(node, address_of(node)) for node in listed]
    context = {
        "page": listed,
        "stops": stops,
        "wanted": wanted,
        "search_query": urlencode({"q": wanted}) if wanted else "",
    }
    return render(request, "governance/model_versions.html", context)


class PromotionForm(forms.Form):
    """Where a model version shall go, and why."""

    environment = forms.ModelChoiceField(
        Environment.objects.all(), to_field_name="name", empty_label=None
    )
    reason = forms.CharField(
        required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )


@require_safe
@page
def lineage(request: HttpRequest, actor: Actor, name: str, number: int) -> HttpResponse:
    """Show what led to one model version and what it led to."""
    start = find_version(actor, name, number)
    graph = visible_trace(start, actor=actor)
    drawing = picture(graph, start=start)
    stops = {node.pk: Stop(node, address_of(node)) for node in graph.nodes}
    context: dict[str, Any] = {
        "start": start,
        "name": name,
        "number": number,
        "drawing": drawing,
        "drawn": [replace(stops[box.node.pk], box=box) for box in drawing.boxes],
        "stops": list(stops.values()),
        "ways": [Way(edge, stops[edge.source_id], stops[edge.target_id]) for edge in graph.edges],
        "promotion_form": PromotionForm()
        if access.can(actor, "promotion.request", start.project)
        else None,
        "reviews": GateReview.objects.visible_to(actor)
        .of_subject("model_version", start.ref)
        .order_by("-pk"),
    }
    return render(request, "governance/lineage.html", context)


@require_POST
@page
def request_promotion(request: HttpRequest, actor: Actor, name: str, number: int) -> HttpResponse:
    """Ask for a version's promotion and go to the review that decides it."""
    start = find_version(actor, name, number)
    back = reverse("governance:lineage", args=[name, number])
    form = PromotionForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one of the environments.")
        return redirect(back)
    environment, reason = form.cleaned_data["environment"].name, form.cleaned_data["reason"]
    wanted = PromotionRequest(start.project, name, number, start.ref, environment, reason)
    try:
        asked = promotions.request_promotion(wanted, actor=actor)
    except DomainError as error:
        messages.error(request, words_of(error))
        return redirect(back)
    messages.success(request, f"The promotion to {environment} is requested.")
    return redirect("governance:review", asked.review_id)


def address_of(node: LineageNode) -> str:
    """Return where a node can be looked at, or an empty text where there is no such page."""
    if node.url:
        return node.url
    find = _ADDRESSES.get(node.kind)
    return find(node) if find else ""


def _number(node: LineageNode) -> str:
    return node.ref.rpartition(":")[2]


def _version(node: LineageNode) -> str:
    known = name_and_number(node)
    return reverse("governance:lineage", args=known) if known else ""


def _run(node: LineageNode) -> str:
    return f"/mlflow/#/runs/{quote(_number(node), safe='')}"


def _page(name: str) -> Callable[[LineageNode], str]:
    def find(node: LineageNode) -> str:
        try:
            return reverse(name, args=[_number(node)])
        except NoReverseMatch:
            return ""

    return find


Kind = LineageNode.Kind
_ADDRESSES: Mapping[str, Callable[[LineageNode], str]] = {
    Kind.MODEL_VERSION: _version,
    Kind.GATE_REVIEW: _page("governance:review"),
    Kind.FINDING: _page("governance:finding"),
    Kind.RUN: _run,
    Kind.SCOPE: _page("projects:scope"),
    Kind.DATASET: _page("admin:pipeline_datasetversion_change"),
    Kind.SPRINT: _page("projects:board"),
    Kind.WORK_ITEM: _page("admin:projects_workitem_change"),
    Kind.EVIDENCE: _page("admin:governance_evidence_change"),
    Kind.SIGN_OFF: _page("admin:governance_signoff_change"),
    Kind.PROMOTION: _page("admin:governance_promotion_change"),
    Kind.POLICY: _page("admin:governance_policyversion_change"),
}
