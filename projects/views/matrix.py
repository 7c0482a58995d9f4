"""The decision matrix of a scope: what each role would choose, where that flips, and its form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import ModuleType
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from projects import access, errors
from projects.actors import Actor
from projects.models import ScopingDocument
from projects.problems import of_domain_error
from projects.rules.decision_matrix import Band, Score, Verdict
from projects.rules.decision_tables import course_of
from projects.rules.decision_words import sentences_of
from projects.services import matrix
from projects.views.base import page, visible_or_404
from projects.views.matrix_form import MatrixForm, form_of
from projects.views.pictures import send_svg
from projects.web import words_of


@dataclass(frozen=True, slots=True)
class Choice:
    """Whose totals the second chart follows, and over the weight of which criterion."""

    role: str
    criterion: str


_NEAR_FLIPS = 5


class _ScoreCell(NamedTuple):
    """One approach on one criterion, scored or not."""

    approach: str
    score: Score | None


@require_http_methods(["GET", "HEAD", "POST"])
@page
def matrix_page(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show the decision matrix; drafts are filled in by the same page's form."""
    document = _document(actor, pk)
    verdict = matrix.matrix_of(document)
    form = form_of(verdict.grid)
    status = HTTPStatus.OK
    if request.method == "POST":
        form = MatrixForm(verdict.grid.approaches, _typed(request))
        status = _save(request, document, form, actor=actor)
        if status == HTTPStatus.OK:
            return redirect("projects:matrix", pk=pk)
    may_write = document.is_editable and access.can(actor, "scope.write", document.project)
    context = {
        **_shown(document, verdict),
        **_charts(request, document, verdict),
        "form": form if may_write or status == HTTPStatus.CONFLICT else None,
        "is_form_open": status != HTTPStatus.OK or verdict.grid.is_empty,
        "read_version": request.POST.get("read_version", document.version_lock),
    }
    return render(request, "projects/matrix.html", context, status=status)


@require_safe
@page
def totals_chart(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Send the totals by role as a picture."""
    verdict = matrix.matrix_of(_document(actor, pk))
    if not verdict.rankings:
        raise Http404("Nothing is ranked yet.")
    return send_svg(
        request, f"{matrix.digest_of(verdict)}-totals", lambda: _pictures().totals_picture(verdict)
    )


@require_safe
@page
def flip_chart(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Send what one criterion's weight does to one role's choice, as a picture."""
    verdict = matrix.matrix_of(_document(actor, pk))
    chosen = _chosen(request, verdict)
    if chosen is None:
        raise Http404("Nothing is ranked yet.")
    place = f"{_roles(verdict).index(chosen.role)}-{verdict.grid.criteria.index(chosen.criterion)}"
    key = f"{matrix.digest_of(verdict)}-flip-{place}"
    return send_svg(
        request, key, lambda: _pictures().flip_picture(verdict, chosen.role, chosen.criterion)
    )


def _document(actor: Actor, pk: int) -> ScopingDocument:
    return visible_or_404(ScopingDocument.objects.select_related("project"), actor, pk=pk)


def _typed(request: HttpRequest) -> Mapping[str, str]:
    return {name: value for name, value in request.POST.items() if isinstance(value, str)}


def _save(
    request: HttpRequest, document: ScopingDocument, form: MatrixForm, *, actor: Actor
) -> HTTPStatus:
    """Save what was typed; return the status of the answer, OK if it was saved."""
    read = request.POST.get("read_version", "")
    weights, scores = form.weights, form.scores
    try:
        access.require(actor, "scope.write", document.project)
        if form.errors:
            raise errors.InvalidInput(f"{len(form.errors)} fields cannot be read.")
        matrix.write_matrix(
            document,
            actor=actor,
            weights=weights,
            scores=scores,
            read_version=int(read) if read.isdecimal() else -1,
        )
    except errors.NotFound:
        raise
    except errors.DomainError as error:
        loose = form.blame(error.details.get("errors", ()))
        messages.error(request, "; ".join([_told(form, error), *loose]))
        return HTTPStatus(of_domain_error(error).status)
    messages.success(request, "The decision matrix is saved.")
    return HTTPStatus.OK


def _told(form: MatrixForm, error: errors.DomainError) -> str:
    if isinstance(error, errors.InvalidInput) and form.errors:
        return "Nothing was saved: the fields marked below cannot be read as they are."
    if isinstance(error, errors.StaleState):
        return (
            "Nothing was saved: somebody else saved or submitted this draft meanwhile. What you "
            "typed is still below; open the page again in a second window and merge the two."
        )
    return str(words_of(error))


def _shown(document: ScopingDocument, verdict: Verdict) -> dict[str, Any]:
    grid, names = verdict.grid, verdict.grid.approaches
    sentences = sentences_of(verdict)
    # Who chooses what and whether they agree, and the nearest flips; the rest folds away.
    shown = len(verdict.rankings) + 1 + _NEAR_FLIPS
    return {
        "document": document,
        "verdict": verdict,
        "sentences": sentences,
        "main_sentences": sentences[:shown],
        "more_sentences": sentences[shown:],
        "scores": [
            (criterion, [_ScoreCell(name, grid.scores.get((name, criterion))) for name in names])
            for criterion in grid.criteria
        ],
        "weights": [
            (criterion, [held.get(criterion, 0) for held in grid.weights.values()])
            for criterion in grid.criteria
        ],
        "sums": [sum(held.values()) for held in grid.weights.values()],
        "bands": _bands(verdict),
    }


def _bands(verdict: Verdict) -> Sequence[tuple[str, list[Band]]]:
    return [
        (ranking.role, [band for band in verdict.bands if band.role == ranking.role])
        for ranking in verdict.rankings
    ]


def _charts(request: HttpRequest, document: ScopingDocument, verdict: Verdict) -> dict[str, Any]:
    chosen = _chosen(request, verdict)
    if chosen is None:
        return {}
    flip_url = reverse("projects:matrix-flip", args=[document.pk])
    query = urlencode({"role": chosen.role, "criterion": chosen.criterion})
    course = course_of(verdict, chosen.role, chosen.criterion)
    return {
        "chosen": chosen,
        "ranked_roles": _roles(verdict),
        "course": course,
        "course_rows": [tuple(row.values()) for row in course.table],
        "flip_url": f"{flip_url}?{query}",
    }


def _chosen(request: HttpRequest, verdict: Verdict) -> Choice | None:
    """Return what the reader asks for; the nearest flip of all unless they do."""
    roles = _roles(verdict)
    if not roles:
        return None
    nearest = next(iter(verdict.flips), None)
    role, criterion = request.GET.get("role", ""), request.GET.get("criterion", "")
    if role not in roles:
        role = nearest.role if nearest else roles[0]
    if criterion not in verdict.grid.criteria:
        near = next((one for one in verdict.flips if one.role == role), None)
        criterion = near.criterion if near else verdict.grid.criteria[0]
    return Choice(role, criterion)


def _pictures() -> ModuleType:
    # Drawing loads matplotlib, which a page without pictures can do without.
    from projects.charts import decisions

    return decisions


def _roles(verdict: Verdict) -> list[str]:
    return [ranking.role for ranking in verdict.rankings]
