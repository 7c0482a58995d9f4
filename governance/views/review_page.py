"""Everything that the page of one gate review shows, gathered in a fixed number of queries."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from governance import access
from governance.models import Evidence, Finding, GateReview, SignOff
from governance.services import evaluating
from governance.services import reviews as commands
from governance.services.eligibility import everybody
from governance.services.history import HistoryLine, history_of
from governance.services.signers import Claim
from governance.services.statements import statement_of
from governance.views.check_runs import panel_of
from governance.views.eligibility import matrix_of
from governance.views.forms import (
    MEANINGS,
    ConditionFormSet,
    DueDateForm,
    FeedbackForm,
    FindingForm,
    SigningForm,
)
from governance.views.review_changes import changes_of
from governance.views.review_exceptions import exceptions_of
from governance.views.review_state import standing_of
from governance.views.sources import lines_of
from governance.views.subjects import SUBJECT_PARTS, facts_of, subject_panel
from governance.views.tier_panel import tier_of
from governance.views.way_out import way_out
from projects.actors import Actor
from projects.models import Stakeholder

Status = GateReview.Status
#: Lines of the history that stay in sight; twice as many are shown whole.
LATEST = 8


def context_of(request: HttpRequest, review: GateReview, actor: Actor) -> dict[str, Any]:
    """Return the template context of a review's page, without the signing form."""
    evidence = list(
        Evidence.objects.of_subject(review.subject_kind, review.subject_ref).select_related(
            "produced_by"
        )
    )
    everyone = everybody(review)
    standing = [entry for entry in everyone if entry.is_asked]
    facts = facts_of(review)
    requirements = lines_of(review, evaluating.latest_results(review), evidence)
    found = list(findings_about(review))
    return {
        "review": review,
        "tier": tier_of(review),
        "promotion": getattr(review, "promotion", None),
        "way_out": way_out(getattr(review, "promotion", None), actor),
        "requirements": requirements,
        "has_moved": review.status == Status.STALE
        or any(line.result.outcome == "stale" for line in requirements),
        "standing": standing_of(review, [line.result for line in requirements], standing),
        "people": evaluating.quorum_rule(review).people,
        **_offers(review, actor),
        **panel_of(review, actor),
        **matrix_of(review, everyone),
        "sign_offs": review.sign_offs.select_related("signer", "on_behalf_of").prefetch_related(
            "conditions"
        ),
        "evidence": [item for item in evidence if not _is_shown_apart(item)],
        **_comparison(evidence),
        "plots": [item for item in evidence if _is_plot(item)],
        "findings": found,
        "open_findings": sum(one.status != Finding.Status.CLOSED for one in found),
        "finding_form": FindingForm()
        if access.can(actor, "finding.open", review.project)
        else None,
        "due_form": DueDateForm(initial={"due_on": review.due_on}),
        "waivers": review.waivers.select_related("granted_by"),
        **exceptions_of(review, actor),
        "feedback": list(review.feedback.select_related("author")),
        "feedback_form": FeedbackForm(),
        "parts": sorted(review.bindings.items()),
        "panel": subject_panel(review),
        "changes": changes_of(review),
        "links": [link for part in SUBJECT_PARTS for link in facts.get(part, [])],
        "history": shortened(history_of(review)),
        "signing": signing_context(request, review, actor, standing),
    }


def _offers(review: GateReview, actor: Actor) -> dict[str, bool]:
    """Return which buttons make sense now; the commands judge again when they are pressed."""
    status = review.status
    is_own = review.requested_by_id == actor.user_id
    withdraws = is_own or access.can(actor, "review.withdraw", review.project)
    sets_due = is_own or access.can(actor, "review.set_due", review.project)
    return {
        "may_evaluate": status == Status.OPEN
        and access.can(actor, "review.evaluate", review.project),
        "may_hand_over": status == Status.OPEN and access.can(actor, "review.sign", review.project),
        "may_move_due": status == Status.OPEN and sets_due,
        "may_withdraw": status in {Status.OPEN, Status.STALE} and withdraws,
        "may_refresh": status in {Status.OPEN, Status.STALE}
        and access.can(actor, "review.refresh", review.project),
        "may_suspend": status == Status.APPROVED
        and access.can(actor, "review.suspend", review.project),
    }


def findings_about(review: GateReview) -> QuerySet[Finding]:
    """Return what was found wrong with the subject of a review."""
    about = Finding.objects.filter(subject_kind=review.subject_kind, subject_ref=review.subject_ref)
    return about.select_related("owner")


def _comparison(evidence: Sequence[Evidence]) -> dict[str, Any]:
    """Return the newest comparison with the champion, and the slices that got worse."""
    newest = next((one for one in evidence if one.kind == "champion_comparison"), None)
    slices = newest.data.get("slices") if newest else None
    rows = [one for one in slices if isinstance(one, Mapping)] if isinstance(slices, list) else []
    worse = [str(one.get("slice")) for one in rows if one.get("winner") == "champion"]
    return {"comparison": newest, "worse": worse}


def _is_plot(item: Evidence) -> bool:
    return bool(item.attachment) and item.media_type.startswith("image/")


def _is_shown_apart(item: Evidence) -> bool:
    return item.kind == "champion_comparison" or _is_plot(item)


def shortened(lines: Sequence[HistoryLine]) -> dict[str, Sequence[HistoryLine]]:
    """Return the newest lines, and the earlier ones apart where there are many."""
    cut = len(lines) - LATEST if len(lines) > 2 * LATEST else 0
    return {"earlier": lines[:cut], "latest": lines[cut:]}


# --- Signing -----------------------------------------------------------------------------------


def signing_context(
    request: HttpRequest,
    review: GateReview,
    actor: Actor,
    standing: Sequence[commands.Eligibility] | None = None,
) -> dict[str, Any]:
    """Return what the signing card shows: the chosen role and outcome, statement and form."""
    standing = commands.eligibility(review) if standing is None else standing
    own = [entry for entry in standing if entry.user.pk == actor.user_id]
    roles = [entry.role for entry in own if entry.may_sign]
    context: dict[str, Any] = {
        "roles": [(role, Stakeholder.Role(role).label) for role in roles],
        "hindrances": [entry for entry in own if not entry.may_sign],
        "signed": [entry for entry in own if entry.signed],
        "outcomes": SignOff.Outcome.choices,
    }
    if review.status != GateReview.Status.OPEN or not roles:
        return context
    role = _chosen(request, "role", roles)
    outcome = _chosen(request, "outcome", SignOff.Outcome.values)
    holder = next(entry.on_behalf_of for entry in own if entry.role == role)
    claim = Claim(cast("User", actor.user), role, holder)
    gates = evaluating.gates_after(review)
    return context | {
        "role": role,
        "role_label": Stakeholder.Role(role).label,
        "outcome": outcome,
        "outcome_label": SignOff.Outcome(outcome).label,
        "has_conditions": outcome == SignOff.Outcome.APPROVED_WITH_CONDITIONS,
        "statement": statement_of(review, claim, outcome, actor=actor),
        "form": SigningForm(initial=_initial(review, role, outcome)),
        "conditions": ConditionFormSet(prefix="conditions", form_kwargs={"gates": gates}),
        "gates": gates,
        "username": cast("User", actor.user).get_username(),
    }


def _chosen(request: HttpRequest, name: str, allowed: Sequence[str]) -> str:
    """Return the wanted choice if it is one, else the first."""
    wanted = request.POST.get(name) or request.GET.get(name, "")
    return wanted if wanted in allowed else allowed[0]


def _initial(review: GateReview, role: str, outcome: str) -> dict[str, str]:
    return {
        "role": role,
        "outcome": outcome,
        "bindings_digest": review.bindings_digest,
        "meaning": MEANINGS[SignOff.Outcome(outcome)],
    }
