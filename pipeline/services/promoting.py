"""Apply approved promotions and retirements; safe to kill at every step.

The row is the queue: an approved one waits for its alias, a retiring one for its alias to go. A
worker claims it by compare-and-swap and does the slow parts outside of any transaction; each of
them may be repeated without harm. A worker that dies leaves the row claimed, and another one takes
it over when the lease has run out.
"""

import logging
import os
import socket
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from governance.models import Promotion
from governance.services import lineage, promotions, retirement
from pipeline.adapters import registry
from pipeline.gateway.digest import tree_digest
from pipeline.models import Deployment, Job, ModelVersion
from pipeline.services import graph, loading, monitoring, serving
from pipeline.services.failpoints import failpoint
from pipeline.services.loading import model_directory
from projects.actors import Actor, system
from projects.errors import DomainError, RuleViolated, StaleState, Unavailable

logger = logging.getLogger(__name__)

PROMOTION = system("promotion")
_LONGEST_PAUSE = 60


def worker_name() -> str:
    """Return the name under which this process claims promotions."""
    return f"{socket.gethostname()}:{os.getpid()}"


def apply_waiting_promotions() -> int:
    """Try every approved promotion whose time has come; return how many were applied."""
    waiting = Promotion.objects.to_apply().order_by("approved_at", "pk")
    now = timezone.now()
    due = [promotion.pk for promotion in waiting if _is_due(promotion, now)]
    return sum(apply_promotion(pk, worker=worker_name()) for pk in due)


def retire_waiting_promotions() -> int:
    """Try every promotion whose retirement was approved; return how many were retired."""
    now = timezone.now()
    due = [one.pk for one in Promotion.objects.to_retire().order_by("pk") if _is_due(one, now)]
    return sum(retire_promotion(pk, worker=worker_name()) for pk in due)


def _is_due(promotion: Promotion, now: Any) -> bool:
    """Pause longer after each failed attempt, so that a broken registry is not hammered."""
    if promotion.claimed_by or promotion.claimed_at is None:
        return True
    pause = timedelta(seconds=min(_LONGEST_PAUSE, 2**promotion.attempts))
    return bool(promotion.claimed_at + pause <= now)


def apply_promotion(promotion_id: int, *, worker: str) -> bool:
    """Claim one approved promotion and carry it out; return whether this call applied it.

    A promotion whose files or columns do not fit is marked as failed with the reason. When MLflow
    cannot be reached it stays approved, keeps the message, and is tried again later.
    """
    promotion = Promotion.objects.select_related("environment", "project", "review").get(
        pk=promotion_id
    )
    try:
        if not promotions.claim_promotion(promotion, worker=worker):
            return False
        version = _checked_version(promotion)
        failpoint("before_alias")
        _set_alias(promotion)
        failpoint("after_alias")
        _record(promotion, version)
    except StaleState:
        logger.info("%s was changed while it was applied.", promotion)
        return False
    except Unavailable as error:
        promotions.release_promotion(promotion, actor=PROMOTION, reason=error.message)
        return False
    except DomainError as error:
        promotions.mark_failed(promotion, actor=PROMOTION, reason=_sentence(error))
        return False
    return True


def _sentence(error: DomainError) -> str:
    return " ".join([error.message, *error.details.get("reasons", [])])


def _checked_version(promotion: Promotion) -> ModelVersion:
    """Return the version to promote after comparing its files and columns.

    Raises:
        RuleViolated: `version_missing`, `digest_mismatch` or `signature_mismatch`.
    """
    version = (
        ModelVersion.objects.select_related("model")
        .filter(model__name=promotion.model_name, number=promotion.model_version)
        .first()
    )
    if version is None:
        raise RuleViolated(f"There is no {promotion}.", code="version_missing")
    _check_files(promotion, version)
    for deployment in _deployments(promotion, version):
        reasons = serving.why_unfit(deployment, version)
        if reasons:
            raise RuleViolated(
                f"{version} does not fit the columns that callers of {deployment.slug} send.",
                code="signature_mismatch",
                reasons=reasons,
            )
    return version


def _check_files(promotion: Promotion, version: ModelVersion) -> None:
    try:
        found = tree_digest(model_directory(version))
    except OSError as error:
        raise RuleViolated(
            f"The files of {version} cannot be read: {error.strerror or error}.",
            code="digest_mismatch",
        ) from error
    if found != promotion.files_digest:
        raise RuleViolated(
            f"The files of {version} hash to {found[:12]}…, but {promotion.files_digest[:12]}… "
            "was signed. Review the version again.",
            code="digest_mismatch",
        )


def _deployments(promotion: Promotion, version: ModelVersion) -> list[Deployment]:
    of_environment = Deployment.objects.filter(
        model=version.model, environment=promotion.environment
    )
    return list(of_environment.exclude(status=Deployment.Status.STOPPED))


def _set_alias(promotion: Promotion) -> None:
    """Point the alias at the version unless it is there already, as after a lost reply."""
    name, alias = promotion.model_name, promotion.environment.alias
    if registry.get_alias(name, alias) != promotion.model_version:
        registry.set_alias(name, alias, promotion.model_version)


@transaction.atomic
def _record(promotion: Promotion, version: ModelVersion) -> None:
    promotions.mark_applied(promotion, actor=PROMOTION)
    node = lineage.promotion_node(promotion)
    lineage.record_edge(graph.version_node(version), node, "promoted_by")
    for deployment in serving.refresh_deployments(promotion, version, actor=PROMOTION):
        lineage.record_edge(node, graph.deployment_node(deployment), "permits")
        monitoring.refresh_reference(deployment, version)


def retire_promotion(promotion_id: int, *, worker: str) -> bool:
    """Claim one retirement and take its alias away; return whether this call retired it.

    When MLflow cannot be reached it stays in the queue and is tried again later.
    """
    promotion = Promotion.objects.select_related("environment", "project", "retirement").get(
        pk=promotion_id
    )
    try:
        if not retirement.claim_retirement(promotion, worker=worker):
            return False
        failpoint("before_alias_goes")
        _take_alias_away(promotion)
        failpoint("after_alias_went")
        _record_retirement(promotion)
    except StaleState:
        logger.info("%s was changed while it was retired.", promotion)
        return False
    except DomainError as error:
        reason = _sentence(error)
        retirement.release_retirement(promotion, actor=PROMOTION, reason=reason)
        return False
    return True


def _take_alias_away(promotion: Promotion) -> None:
    """Remove the alias if it still names the version; another one may have taken its place."""
    name, alias = promotion.model_name, promotion.environment.alias
    if registry.get_alias(name, alias) == promotion.model_version:
        registry.delete_alias(name, alias)


@transaction.atomic
def _record_retirement(promotion: Promotion) -> None:
    retirement.mark_retired(promotion, actor=PROMOTION)
    served = Deployment.objects.filter(promotion=promotion).exclude(
        status=Deployment.Status.STOPPED
    )
    for deployment in served.select_related("project"):
        sentence = f"{deployment.slug} serves nothing: {promotion} was retired."
        loading.mark_refused(deployment, "promotion_retired", sentence)


def run_application(job: Job, actor: Actor) -> Mapping[str, Any]:
    """Apply the promotion that the job names; the poller does the same without a job."""
    applied = apply_promotion(int(job.params["promotion"]), worker=worker_name())
    return {"applied": applied}
