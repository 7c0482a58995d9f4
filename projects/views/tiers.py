"""The page on the risk tier of a project: how it came about, and what may be done about it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from projects import access
from projects.actors import Actor
from projects.models import Project, ScopingDocument, TierAssessment
from projects.rules.tier import ANSWERS
from projects.services import tiers
from projects.services.readiness import readiness_policy
from projects.views.base import page, visible_or_404, whole_number
from projects.web import attempt

DONE = "The assessment is on record. A lower tier holds once a second person has agreed to it."


@require_http_methods(["GET", "HEAD", "POST"])
@page
def project_tier(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    """Show every assessment of the tier, and take a new one."""
    project = visible_or_404(Project.objects.all(), actor, slug=slug)
    typed = _typed(request) if request.method == "POST" else None
    if typed is not None and attempt(
        request, lambda: tiers.assess_tier(project, typed, actor=actor), done=DONE
    ):
        return redirect(reverse("projects:tier", args=[slug]))
    rows = tiers.assessments_of(project)
    context = {
        "project": project,
        "rows": [(one, _answers(one)) for one in rows],
        "waiting": next((one for one in rows if one.state == "waiting"), None),
        "may_assess": access.can(actor, "tier.assess", project),
        "may_decide": access.can(actor, "tier.decide", project),
        "actor": actor,
        "questions": [_question(name, typed) for name in ANSWERS],
        "scale": range(tiers.GRAVEST + 1),
        "tiers": Project.Tier.choices,
        "typed": typed,
        "scorecard": readiness_policy().tier_scorecard,
    }
    # A refused form keeps what was typed.
    return render(request, "projects/tier.html", context, status=422 if typed else 200)


@require_POST
@page
def decide_tier(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Agree to a lower tier as the second person, or decline it."""
    rows = TierAssessment.objects.select_related("project")
    row = visible_or_404(rows, actor, pk=pk)
    agreed, note = request.POST.get("decision") == "agree", request.POST.get("note", "")[:4000]
    attempt(
        request,
        lambda: tiers.decide_assessment(row, actor=actor, is_agreed=agreed, note=note),
        done="The lower tier holds." if agreed else "The assessment is declined.",
    )
    return redirect(reverse("projects:tier", args=[row.project.slug]))


def _typed(request: HttpRequest) -> tiers.NewAssessment:
    answers = {name: whole_number(request.POST.get(name, "")) for name in ANSWERS}
    return tiers.NewAssessment(
        answers={name: value for name, value in answers.items() if value is not None},
        reason=request.POST.get("reason", "")[:4000],
        chosen=request.POST.get("chosen", ""),
    )


def _question(name: str, typed: tiers.NewAssessment | None) -> dict[str, object]:
    field = ScopingDocument._meta.get_field(name)
    return {
        "name": name,
        "label": name.removeprefix("tier_").capitalize(),
        "help": getattr(field, "help_text", ""),
        "value": None if typed is None else typed.answers.get(name),
    }


def _answers(row: TierAssessment) -> list[tuple[str, object]]:
    return [(name.removeprefix("tier_"), row.answers.get(name)) for name in ANSWERS]
