"""The guard's questions: may this alias move, may this version be touched, may it be served.

Everything is decided on rows of governance. What cannot be decided is refused.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar
from urllib.parse import quote

from django.conf import settings
from django.utils.timezone import now

from governance.models import DeniedAttempt, Environment, GateReview, Promotion
from governance.services import retention
from governance.services.denials import Attempt, record_denial
from governance.services.evaluating import unmet_requirements
from governance.services.letting_through import LetThrough, let_through
from governance.services.promotions import standing_promotion
from governance.services.retention import review_url
from governance.services.standing import why_not_backed
from projects.actors import Actor
from projects.errors import DomainError, NotPermitted

__all__ = [
    "AliasChange",
    "Decision",
    "DeniedAttempt",
    "LetThrough",
    "is_enforced",
    "is_frozen",
    "may_deploy",
    "record_denial",
    "require_alias_change",
    "require_registry_change",
    "review_url",
]

log = logging.getLogger(__name__)
Params = ParamSpec("Params")
Result = TypeVar("Result")
Status = Promotion.Status

_STAGES = "stages_not_used"
_TOUCHES_VERSION = frozenset({"delete_version", "write_artifact"})
_TOUCHES_MODEL = frozenset({"delete_model", "rename_model"})


@dataclass(frozen=True, slots=True)
class AliasChange:
    """Which alias of which registered model shall name which version; None removes it."""

    model_name: str
    alias: str
    version: int | None

    @property
    def target(self) -> str:
        version = "nothing" if self.version is None else f"v{self.version}"
        return f"{self.model_name}@{self.alias} -> {version}"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a version may be served in an environment, and why not."""

    allowed: bool
    reasons: list[str]
    promotion: Promotion | None
    review_url: str


def _fail_closed(question: Callable[Params, Result]) -> Callable[Params, Result]:
    """Turn whatever breaks inside into a refusal that says so.

    MLflow's client would retry a 5xx for minutes.
    """

    @wraps(question)
    def guarded(*args: Params.args, **kwargs: Params.kwargs) -> Result:
        try:
            return question(*args, **kwargs)
        except DomainError:
            raise
        except Exception as error:
            log.exception("governance could not decide")
            raise NotPermitted(
                "Governance could not decide this, so it is refused. Ask the operators to look at "
                "the log of the service.",
                code="governance_unavailable",
            ) from error

    return guarded


@_fail_closed
def require_alias_change(change: AliasChange, *, actor: Actor) -> LetThrough | None:
    """Refuse to move an alias unless a promotion of exactly this is being applied.

    A weaker mode lets it through all the same, on record, and returns what it let through.

    Raises:
        NotPermitted: code `promotion_not_approved`, whose message names what is unmet and the
            review's address; `alias_not_allowed`; or `governance_unavailable`.
    """
    if _is_being_applied(change, actor):
        return None
    environment = Environment.objects.filter(alias=change.alias.casefold()).first()
    refusal = _alias_refusal(change, environment)
    if environment is not None and environment.mode != Environment.Mode.ENFORCE:
        return let_through(change, environment, refusal, actor=actor)
    _deny(refusal, "alias.set", change.target, change, actor=actor)
    return None


@_fail_closed
def is_enforced(alias: str) -> bool:
    """Return whether an alias may move only by a promotion that was signed."""
    environment = Environment.objects.filter(alias=alias.casefold()).first()
    return environment is None or environment.mode == Environment.Mode.ENFORCE


@_fail_closed
def require_registry_change(
    *, actor: Actor, action: str, model_name: str, version: int | None = None, detail: str = ""
) -> None:
    """Refuse a change of the model registry that would go round a decision.

    Actions: `create_version`, `transition_stage`, `delete_version`, `delete_model`,
    `rename_model`, `reserved_tag`, `write_artifact` and `delete_alias` (with the alias as
    `detail`). Any other is refused.

    Raises:
        NotPermitted: code `stages_not_used`, `version_frozen`, `model_frozen`, `tag_reserved`,
            `unknown_action`, or what `require_alias_change` raises.
    """
    if action == "delete_alias":
        require_alias_change(AliasChange(model_name, detail, None), actor=actor)
        return
    refusal = _registry_refusal(actor, action, model_name, version, detail)
    if refusal is None:
        return
    target = f"{model_name}/{version}" if version is not None else model_name
    about = AliasChange(model_name, "", version)
    _deny(refusal, f"registry.{action}", f"{target} {detail}".strip(), about, actor=actor)


@_fail_closed
def is_frozen(model_name: str, version: int) -> str:
    """Return why the files of a version may not be changed or deleted; empty when they may."""
    return retention.why_kept(model_name, version)


@_fail_closed
def may_deploy(model_name: str, version: int, environment: str) -> Decision:
    """Return whether a version may be served in an environment, with every reason against it."""
    standing = standing_promotion(model_name, environment)
    if standing is not None and standing.model_version == version:
        return Decision(
            allowed=True, reasons=[], promotion=standing, review_url=review_url(standing.review)
        )
    latest = _latest_promotion(model_name, version, environment)
    if latest is None:
        reason = f"No promotion of {model_name} v{version} to {environment} was requested."
        return Decision(allowed=False, reasons=[reason], promotion=None, review_url="")
    return Decision(
        allowed=False,
        reasons=_reasons_against(latest),
        promotion=latest,
        review_url=review_url(latest.review),
    )


def _is_being_applied(change: AliasChange, actor: Actor) -> bool:
    """Answer the happy path in one indexed query."""
    if not (actor.is_system and actor.name == "promotion"):
        return False
    if change.version is None:
        return _is_being_retired(change)
    backed = Promotion.objects.backed(now()).filter(
        environment__alias=change.alias.casefold(),
        model_name=change.model_name,
        model_version=change.version,
        status__in=[Status.APPLYING, Status.APPLIED],
    )
    return backed.exists()


def _is_being_retired(change: AliasChange) -> bool:
    """Return whether a worker holds a retirement, and nothing else stands under the alias."""
    same = Promotion.objects.filter(
        environment__alias=change.alias.casefold(), model_name=change.model_name
    )
    stands = same.filter(status__in=[Status.APPLYING, Status.APPLIED])
    return same.to_retire().moving_the_alias().exists() and not stands.exists()


def _alias_refusal(change: AliasChange, environment: Environment | None) -> NotPermitted:
    if environment is None:
        allowed = ", ".join(Environment.objects.values_list("alias", flat=True)) or "none"
        return NotPermitted(
            f"The alias {change.alias!r} stands for no environment; allowed: {allowed}.",
            code="alias_not_allowed",
            details={"allowed": allowed},
        )
    if change.version is None:
        return NotPermitted(
            f"The alias {change.alias!r} stands for {environment.name} and is removed only when "
            "another version takes its place, or once the retirement of its version is approved. "
            f"See {settings.BASE_URL}/environments/.",
            code="promotion_not_approved",
        )
    return _promotion_refusal(change, change.version, environment)


def _promotion_refusal(change: AliasChange, version: int, environment: Environment) -> NotPermitted:
    start = f"{change.model_name} v{version} is not approved for {environment.name}."
    latest = _latest_promotion(change.model_name, version, environment.name)
    if latest is None:
        place = f"{settings.BASE_URL}/lineage/{quote(change.model_name)}/{version}/"
        return NotPermitted(
            f"{start} No promotion was requested; request it at {place} and have it signed.",
            code="promotion_not_approved",
            details={"reasons": ["No promotion was requested."], "review_url": ""},
        )
    reasons = _reasons_against(latest)
    address = review_url(latest.review)
    return NotPermitted(
        f"{start} {' '.join(reasons)} Review: {address}",
        code="promotion_not_approved",
        details={"reasons": reasons, "review_url": address},
    )


def _reasons_against(promotion: Promotion) -> list[str]:
    review = promotion.review
    reason = why_not_backed(promotion, now())
    if reason and review.status == GateReview.Status.OPEN:
        return unmet_requirements(review) or ["The review is open."]
    if reason and review.status != GateReview.Status.APPROVED:
        return [f"The review is {review.status}. {review.status_reason}".strip()]
    if reason:
        return [reason[:1].upper() + reason[1:]]
    if promotion.status in {Status.APPROVED, Status.APPLYING}:
        return ["The promotion is approved; a worker sets the alias."]
    return [f"The promotion is {promotion.status}. {promotion.status_reason}".strip()]


def _latest_promotion(model_name: str, version: int, environment: str) -> Promotion | None:
    found = Promotion.objects.filter(
        model_name=model_name, model_version=version, environment__name=environment
    )
    return found.select_related("review__project", "environment", "project").first()


def _registry_refusal(
    actor: Actor, action: str, model_name: str, version: int | None, detail: str
) -> NotPermitted | None:
    if action == "create_version":
        return None
    if action == "transition_stage":
        return NotPermitted(
            f"Stages are not used: {model_name} moves by a promotion that was signed. Request one "
            f"at {settings.BASE_URL}/inbox/.",
            code=_STAGES,
        )
    if action == "reserved_tag":
        return _tag_refusal(actor, detail)
    if action in _TOUCHES_VERSION and version is not None:
        reason = is_frozen(model_name, version)
        return NotPermitted(reason, code="version_frozen") if reason else None
    if action in _TOUCHES_MODEL:
        return _model_refusal(model_name)
    return NotPermitted(f"Governance knows no change {action!r}.", code="unknown_action")


def _tag_refusal(actor: Actor, tag: str) -> NotPermitted | None:
    if actor.is_system and actor.name in {"promotion", "gateway"}:
        return None
    return NotPermitted(
        f"Tags that begin with `countersign.` are written by Countersign only ({tag}).",
        code="tag_reserved",
    )


def _model_refusal(model_name: str) -> NotPermitted | None:
    if reason := retention.why_kept(model_name):
        return NotPermitted(
            f"{model_name} can be neither renamed nor deleted: {reason}", code="model_frozen"
        )
    return None


def _deny(
    refusal: NotPermitted, action: str, target: str, about: AliasChange, *, actor: Actor
) -> None:
    related = GateReview.objects.filter(model_name=about.model_name).select_related("project")
    review = related.first()
    project = review.project if review else None
    environment = Environment.objects.filter(alias=about.alias.casefold()).first()
    gate = environment.gate if environment else ""
    attempt = Attempt(action, target, project, gate=gate, model_name=about.model_name)
    record_denial(attempt, refusal, actor=actor)
    raise refusal
