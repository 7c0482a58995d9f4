"""The page on which a version of a policy is run over past reviews."""

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from governance import access
from governance.models import Evidence, GateReview, PolicyVersion
from governance.rules.past import DECISIONS, Replayed
from governance.rules.replay_summary import added_waiting, lacks_people
from governance.services import replay as commands
from governance.views.base import attempt, page, visible_or_404
from projects.actors import Actor
from projects.models import Project

PER_PAGE = 50
WORDS = {
    "approved": "approved",
    "rejected": "rejected",
    "undecided": "held back",
    "not_asked": "not asked",
    "unknown": "cannot be told",
}


class SelectionForm(forms.Form):
    """Which past reviews are run through the draft, and which of them are listed."""

    limit = forms.IntegerField(min_value=1, max_value=commands.MOST, required=False)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)
    gate = forms.SlugField(required=False)
    changed = forms.BooleanField(required=False)

    def selection(self) -> commands.Selection:
        """Return what was asked for; what cannot be read is left out."""
        asked = self.cleaned_data
        return commands.Selection(
            limit=asked.get("limit") or commands.USUAL,
            since=asked.get("since"),
            until=asked.get("until"),
            gate=asked.get("gate") or "",
        )


@require_safe
@page
def replay(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show what a policy version makes of the past reviews that the actor may see."""
    version = _version(actor, pk)
    form = SelectionForm(request.GET)
    form.is_valid()
    outcome = commands.replay_version(version, form.selection(), actor=actor)
    only_changed = bool(form.cleaned_data.get("changed"))
    rows = outcome.changed if only_changed else list(outcome.reviews)
    listed = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    summary = outcome.summary
    context = {
        "version": version,
        "form": form,
        "outcome": outcome,
        "summary": summary,
        "only_changed": only_changed,
        "page": listed,
        "rows": [(one, WORDS[one.past.decision], WORDS[one.decision], _wait(one, outcome))
                 for one in listed],
        "query": query.urlencode(),
        "gates": [(one, _bars(one)) for one in summary.gates],
        "never": [one for one in summary.requirements if one.never_fails],
        "always": [one for one in summary.requirements if one.always_fails],
        "requirements": summary.requirements,
        "roles": sorted(summary.roles.items()),
        "projects": _projects(actor),
        "recorded": Evidence.objects.visible_to(actor).of_subject("policy_version", version.ref)
        .filter(kind=commands.EVIDENCE_KIND).select_related("produced_by", "project"),
        "reviews": GateReview.objects.visible_to(actor).of_subject("policy_version", version.ref),
        "most": commands.MOST,
        "kept": [(name, request.GET[name]) for name in ("since", "until", "gate", "limit")
                 if request.GET.get(name)],
    }  # fmt: skip
    return render(request, "governance/replay.html", context)


@require_POST
@page
def record_replay(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Put the replay on record as evidence of the policy version."""
    version = _version(actor, pk)
    form = SelectionForm(request.POST)
    form.is_valid()
    slug = request.POST.get("project", "")
    project = visible_or_404(Project.objects.all(), actor, slug=slug)
    return attempt(
        request,
        lambda: commands.record_replay(version, project, form.selection(), actor=actor),
        done="The replay is on record. A review of this version that is open has to be bound to "
        "the present state, so that its signers sign it too.",
        back=reverse("governance:replay", args=[pk]),
    )


def _version(actor: Actor, pk: int) -> PolicyVersion:
    rows = PolicyVersion.objects.visible_to(actor).select_related("policy")
    return get_object_or_404(rows, pk=pk)


def _projects(actor: Actor) -> list[Project]:
    seen = Project.objects.visible_to(actor)
    return [one for one in seen if access.can(actor, "evidence.record", one)]


def _bars(totals: Any) -> list[tuple[str, int, int]]:
    """Return each decision with its counts then and under the draft, without the empty ones."""
    return [
        (WORDS[name], totals.then[name], totals.draft[name])
        for name in DECISIONS
        if totals.then[name] or totals.draft[name]
    ]


def _wait(one: Replayed, outcome: commands.Outcome) -> Any:
    return added_waiting(one, outcome.summary.roles) if lacks_people(one) else None
