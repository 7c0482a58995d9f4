"""What governance has to say before a sprint may start; plugged in by `settings.SPRINT_GUARDS`.

Each reason names the gate, of which thing, and who could sign it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.utils.timezone import now

from governance.models import GateReview, Promotion
from governance.rules.policy import GateRules
from governance.services.evaluating import quorum_state, standing_review
from governance.services.policies import published_policy, rules_of
from governance.services.signers import eligibility, people_of
from projects.errors import NotFound
from projects.models import Project, Sprint, WorkItem
from projects.rules.words import role_words
from projects.services.scoping import approved_scope

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Kind = Sprint.Kind
#: Kinds of sprint that build on an agreed scope and on released data.
_BUILDING = frozenset({Kind.EXPERIMENT, Kind.BUILD, Kind.RELEASE})
_ENDED = frozenset({GateReview.Status.SUSPENDED, GateReview.Status.EXPIRED})
#: Names under which a policy may have the gate between experiments and building.
_EXPERIMENT_REVIEW = ("experiment_review", "experiment")
_PRODUCTION = "production"
#: The one decision after experiments that leads to building.
_GO = "go"


def require_approved_scope(sprint: Sprint) -> list[str]:
    """Return why the sprint lacks an agreed scope; empty when it has one or needs none."""
    if sprint.kind not in _BUILDING:
        return []
    document = approved_scope(sprint.project)
    kind = sprint.get_kind_display().lower()
    if document is None:
        waiting = sprint.project.scoping_documents.filter(status="submitted").first()
        review = _latest(waiting.ref if waiting else "", "scoping_document", "scope")
        return [
            (
                f"A sprint of kind {kind} needs an approved scope; the gate scope is not passed"
                f"{_by_whom(sprint.project, 'scope', review)}."
            )
        ]
    review = _latest(document.ref, "scoping_document", "scope")
    if review is not None and (review.status in _ENDED or _is_past(review)):
        word = review.status if review.status in _ENDED else "expired"
        return [
            (
                f"The approval of {document} is {word}; have it reviewed again"
                f"{_by_whom(sprint.project, 'scope', None)}."
            )
        ]
    return []


def require_approved_data(sprint: Sprint) -> list[str]:
    """Return which dataset versions of the sprint and its items have not passed the gate data."""
    if sprint.kind not in _BUILDING:
        return []
    return [
        _not_passed(sprint.project, "data", "dataset_version", ref)
        for ref in (_datasets(sprint) if _is_asked(sprint.project, "data") else ())
        if standing_review("dataset_version", ref, "data") is None
    ]


def require_experiment_review(sprint: Sprint) -> list[str]:
    """Return why building is too early, where the policy has a gate after the experiments.

    An approved review whose decision was to stop or to re-scope lets nobody build.
    """
    if sprint.kind != Kind.BUILD:
        return []
    gate = next(
        (name for name in _gates_of_policy(sprint.project) if name in _EXPERIMENT_REVIEW), ""
    )
    if not gate or not _is_asked(sprint.project, gate):
        return []
    reviews = GateReview.objects.filter(project=sprint.project, gate=gate)
    approved = reviews.filter(status=GateReview.Status.APPROVED).exclude(expires_at__lte=now())
    if (newest := approved.order_by("-decided_at", "-pk").first()) is not None:
        return _decided_otherwise(newest)
    return [
        (
            f"The gate {gate} of {sprint.project.name} is not passed"
            f"{_by_whom(sprint.project, gate, reviews.order_by('-pk').first())}."
        )
    ]


def _decided_otherwise(review: GateReview) -> list[str]:
    attributes = review.facts.get("attributes") or {}
    if attributes.get("outcome", _GO) == _GO:
        return []
    decision = str(attributes.get("decision") or attributes["outcome"])
    return [
        (
            f"The review of {review.subject_label} approved another outcome than building: "
            f"{decision} Plan the next experiments, and have their sprint reviewed."
        )
    ]


def require_validated_version(sprint: Sprint) -> list[str]:
    """Return why the candidate of a release sprint may not be released."""
    if sprint.kind != Kind.RELEASE or not sprint.model_ref:
        return []
    if standing_review("model_version", sprint.model_ref, "validation") is not None:
        return []
    return [_not_passed(sprint.project, "validation", "model_version", sprint.model_ref)]


def require_live_version(sprint: Sprint) -> list[str]:
    """Return why the version of a monitor sprint is not in production with a live approval."""
    if sprint.kind != Kind.MONITOR or not sprint.model_ref:
        return []
    promotions = Promotion.objects.filter(
        project=sprint.project, subject_ref=sprint.model_ref, environment__name=_PRODUCTION
    )
    promotion = promotions.select_related("review", "environment").order_by("-pk").first()
    label = _label("model_version", sprint.model_ref)
    if promotion is None:
        return [f"{label} is not deployed: nobody has requested its promotion to {_PRODUCTION}."]
    gate = promotion.environment.gate
    if promotion.status != Promotion.Status.APPLIED:
        return [
            (
                f"{label} is not live in {_PRODUCTION}: its promotion is {promotion.status}"
                f"{_by_whom(sprint.project, gate, promotion.review)}."
            )
        ]
    if standing_review("model_version", sprint.model_ref, gate) is None:
        return [
            (
                f"The approval of {label} for {_PRODUCTION} does not stand any more "
                f"(gate {gate}){_by_whom(sprint.project, gate, promotion.review)}."
            )
        ]
    return []


def _datasets(sprint: Sprint) -> list[str]:
    """Return the dataset versions that the sprint names itself or that its items work on."""
    items = sprint.work_items.exclude(status=WorkItem.Status.DROPPED)
    # A data item brings its version forth; it does not build on it.
    used = items.exclude(kind__in=[WorkItem.Kind.DATA, WorkItem.Kind.STORY])
    named = [details.get("dataset_ref") for details in used.values_list("details", flat=True)]
    return list(dict.fromkeys([*sprint.dataset_refs, *filter(None, named)]))


def _not_passed(project: Project, gate: str, kind: str, ref: str) -> str:
    review = _latest(ref, kind, gate)
    by_whom = _by_whom(project, gate, review)
    return f"The {gate} gate of {_label(kind, ref)} is not passed{by_whom}."


def _is_past(review: GateReview) -> bool:
    return review.expires_at is not None and review.expires_at <= now()


def _latest(ref: str, kind: str, gate: str) -> GateReview | None:
    if not ref:
        return None
    return GateReview.objects.of_subject(kind, ref).filter(gate=gate).order_by("-pk").first()


def _label(kind: str, ref: str) -> str:
    review = GateReview.objects.of_subject(kind, ref).first()
    return review.subject_label if review else ref


def _by_whom(project: Project, gate: str, review: GateReview | None) -> str:
    """Return who could sign, as the end of a sentence: of an open review only who is missing."""
    is_open = review is not None and review.status == GateReview.Status.OPEN
    names = _still_missing(review) if review and is_open else _holders(project, gate)
    begun = "" if is_open else "; no review of it is open"
    return f"{begun}; it takes {', '.join(names)}" if names else begun


def _still_missing(review: GateReview) -> list[str]:
    able = [one for one in eligibility(review) if one.may_sign and not one.signed]
    return [
        _role_with(role, (_name(one.user) for one in able if one.role == role))
        for role in quorum_state(review).missing_roles
    ]


def _holders(project: Project, gate: str) -> list[str]:
    rules = _gates_of_policy(project).get(gate)
    if rules is None:
        return []
    people = people_of(project).at(gate)
    return [
        _role_with(role, (_name(claim.user) for claim in people.claims(role)))
        for role in rules.quorum_at(project.tier).roles
    ]


def _gates_of_policy(project: Project) -> dict[str, GateRules]:
    try:
        return dict(rules_of(published_policy(project)).gates)
    except NotFound:
        # Nobody has published a policy yet, so no gate can be asked about; each stays unpassed.
        return {}


def _is_asked(project: Project, gate: str) -> bool:
    """Return whether sprints wait for a gate at the project's tier: a checklist holds nobody up."""
    rules = _gates_of_policy(project).get(gate)
    return rules is None or project.tier not in rules.checklist_at


def _role_with(role: str, names: Iterable[str]) -> str:
    return f"{role_words(role)} ({', '.join(names) or 'nobody can'})"


def _name(user: "User") -> str:
    return user.get_full_name() or user.get_username()
