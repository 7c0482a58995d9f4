"""Everything that the page of one gate review shows, gathered in a fixed number of queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import Q
from django.http import HttpRequest

from governance import access
from governance.models import Evidence, Finding, GateReview, RequirementResult, SignOff
from governance.services import evaluating
from governance.services import reviews as commands
from governance.views.forms import MEANINGS, ConditionFormSet, FeedbackForm, SigningForm
from governance.views.subjects import SUBJECT_PARTS, Fact, facts_of, subject_panel
from ledger.models import LedgerEntry
from projects.actors import Actor
from projects.models import Stakeholder

Status = GateReview.Status
#: Longer values of a ledger entry are left to the ledger's own page.
SHORT = 200


@dataclass(frozen=True)
class RequirementLine:
    """One requirement with what was compared and where the compared fact lives."""

    result: RequirementResult
    links: Sequence[Fact]


@dataclass(frozen=True)
class Seat:
    """A role that has to sign, and whether somebody in it has."""

    label: str
    is_signed: bool


@dataclass(frozen=True)
class HistoryLine:
    """One act on the review, as the ledger holds it."""

    entry: LedgerEntry
    data: Sequence[tuple[str, str]]


def context_of(request: HttpRequest, review: GateReview, actor: Actor) -> dict[str, Any]:
    """Return the template context of a review's page, without the signing form."""
    evidence = list(
        Evidence.objects.of_subject(review.subject_kind, review.subject_ref).select_related(
            "produced_by"
        )
    )
    standing = commands.eligibility(review)
    facts = facts_of(review)
    requirements = _requirements(review, facts)
    return {
        "review": review,
        "promotion": getattr(review, "promotion", None),
        "requirements": requirements,
        "has_moved": review.status == Status.STALE
        or any(line.result.outcome == "stale" for line in requirements),
        "seats": _seats(review),
        "people": evaluating.quorum_rule(review).people,
        "unmet": evaluating.unmet_requirements(review),
        **_offers(review, actor),
        "eligibility": standing,
        "sign_offs": review.sign_offs.select_related("signer", "on_behalf_of").prefetch_related(
            "conditions"
        ),
        "evidence": [item for item in evidence if not _is_shown_apart(item)],
        "comparison": next((e for e in evidence if e.kind == "champion_comparison"), None),
        "plots": [item for item in evidence if _is_plot(item)],
        "findings": Finding.objects.filter(
            subject_kind=review.subject_kind, subject_ref=review.subject_ref
        ).select_related("owner"),
        "waivers": review.waivers.select_related("granted_by"),
        "feedback": review.feedback.select_related("author"),
        "feedback_form": FeedbackForm(),
        "parts": sorted(review.bindings.items()),
        "panel": subject_panel(review),
        "links": [link for part in SUBJECT_PARTS for link in facts.get(part, [])],
        "history": _history(review),
        "signing": signing_context(request, review, actor, standing),
    }


def _offers(review: GateReview, actor: Actor) -> dict[str, bool]:
    """Return which buttons make sense now; the commands judge again when they are pressed."""
    status = review.status
    is_own = review.requested_by_id == actor.user_id
    withdraws = is_own or access.can(actor, "review.withdraw", review.project)
    return {
        "may_evaluate": status == Status.OPEN
        and access.can(actor, "review.evaluate", review.project),
        "may_withdraw": status == Status.OPEN and withdraws,
        "may_refresh": status in {Status.OPEN, Status.STALE}
        and access.can(actor, "review.refresh", review.project),
        "may_suspend": status == Status.APPROVED
        and access.can(actor, "review.suspend", review.project),
    }


def _seats(review: GateReview) -> list[Seat]:
    missing = evaluating.quorum_state(review).missing_roles
    return [
        Seat(Stakeholder.Role(role).label, is_signed=role not in missing)
        for role in evaluating.quorum_rule(review).roles
    ]


def _is_plot(item: Evidence) -> bool:
    return bool(item.attachment) and item.media_type.startswith("image/")


def _is_shown_apart(item: Evidence) -> bool:
    return item.kind == "champion_comparison" or _is_plot(item)


def _requirements(review: GateReview, facts: Mapping[str, list[Fact]]) -> list[RequirementLine]:
    """Return the newest outcomes, each with links to what its check looked at."""
    return [
        RequirementLine(
            result,
            [
                link
                for part in _LOOKED_AT.get(result.check_name, ())
                for link in facts.get(part, [])
            ],
        )
        for result in evaluating.latest_results(review)
    ]


#: Which facts each check of the policy looks at; see `subjects.facts_of`.
_LOOKED_AT: Mapping[str, Sequence[str]] = {
    "criteria_met": ("run", "scope"),
    "run_finished": ("run",),
    "commit_recorded": ("run",),
    "signature_present": ("version",),
    "format_safe": ("version",),
    "files_unchanged": ("version",),
    "dataset_logged": ("run",),
    "dataset_approved": ("dataset",),
    "datasheet_complete": ("dataset",),
    "leaks_excluded": ("dataset",),
    "scope_ready": ("scope",),
    "policy_parses": ("policy",),
    "evidence_present": ("evidence",),
    "champion_compared": ("comparison",),
    "no_open_findings": ("findings",),
}


def _history(review: GateReview) -> list[HistoryLine]:
    subject = Q(subject=review.ref)
    promotion = getattr(review, "promotion", None)
    if promotion is not None:
        subject |= Q(subject=promotion.ref)
    return [_line(entry) for entry in LedgerEntry.objects.filter(subject).order_by("seq")]


def _line(entry: LedgerEntry) -> HistoryLine:
    plain = [
        (key.replace("_", " "), str(value))
        for key, value in entry.data.items()
        if isinstance(value, str | int) and len(str(value)) <= SHORT
    ]
    return HistoryLine(entry, plain)


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
    name = actor.name
    if holder is not None:
        name = f"{name} for {holder.get_full_name() or holder.get_username()}"
    return context | {
        "role": role,
        "role_label": Stakeholder.Role(role).label,
        "outcome": outcome,
        "outcome_label": SignOff.Outcome(outcome).label,
        "has_conditions": outcome == SignOff.Outcome.APPROVED_WITH_CONDITIONS,
        "statement": commands.statement_for(review, role, outcome, name),
        "form": SigningForm(initial=_initial(review, role, outcome)),
        "conditions": ConditionFormSet(prefix="conditions"),
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
