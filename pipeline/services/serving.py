"""Deployments, their answers, and the labels that arrive later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from governance.models import Environment, Promotion
from ledger import services as ledger
from pipeline import access
from pipeline.models import Deployment, ModelVersion, Prediction, RegisteredModel
from pipeline.rules.states import DEPLOYMENT_TRANSITIONS
from pipeline.services import frames
from pipeline.services.loading import Serving, load
from pipeline.services.scoring import (
    Column,
    ScoringRequest,
    misfits,
    read_columns,
    read_request,
    signature_columns,
)
from projects.actors import Actor
from projects.errors import InvalidInput, NotFound, RuleViolated, Unavailable
from projects.lifecycle import move

__all__ = [
    "Answer",
    "LabelReport",
    "NewDeployment",
    "create_deployment",
    "find_deployment",
    "load",
    "record_labels",
    "refresh_deployments",
    "score",
    "stop_deployment",
]

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class NewDeployment:
    """A scoring address to be made; without a schema, the first version's signature sets it."""

    slug: str
    model: RegisteredModel
    environment: Environment
    input_schema: Sequence[Mapping[str, Any]] = ()
    decision_threshold: float = 0.5


@dataclass(frozen=True, slots=True)
class Answer:
    """The scores of one request, and the decision under which they were given."""

    predictions: list[float]
    prediction_ids: list[str]
    serving: Serving
    decision_threshold: float

    def as_json(self) -> dict[str, Any]:
        """Return the body of the answer in MLflow's protocol."""
        version, promotion = self.serving.version, self.serving.promotion
        return {
            "predictions": self.predictions,
            "metadata": {
                "model": version.model.name,
                "version": version.number,
                "promotion": promotion.ref,
                "decision": promotion.review.ref,
                "digest": promotion.files_digest,
                "decision_threshold": self.decision_threshold,
                "prediction_ids": self.prediction_ids,
            },
        }


@dataclass(frozen=True, slots=True)
class LabelReport:
    """What became of late labels."""

    recorded: int
    unknown: list[str] = field(default_factory=list)


@transaction.atomic
def create_deployment(new: NewDeployment, *, actor: Actor) -> Deployment:
    """Make a scoring address; it serves as soon as a promotion stands for its environment.

    Raises:
        InvalidInput: `wrong_slug`, `wrong_threshold` or `wrong_schema`.
        RuleViolated: `deployment_exists` or `signature_mismatch`.
    """
    project = new.model.project
    access.require(actor, "deployment.create", project)
    schema = _checked_schema(new)
    taken = Deployment.objects.filter(slug=new.slug) | Deployment.objects.filter(
        model=new.model, environment=new.environment
    )
    if taken.exists():
        raise RuleViolated(
            f"There is a deployment {new.slug}, or one of {new.model} in {new.environment}.",
            code="deployment_exists",
        )
    deployment = Deployment.objects.create(
        slug=new.slug,
        project=project,
        model=new.model,
        environment=new.environment,
        input_schema=[column.as_json() for column in schema],
        decision_threshold=new.decision_threshold,
        status_reason="No version is promoted yet.",
    )
    ledger.append(
        "deployment.created",
        subject=deployment.ref,
        actor=actor,
        data={"slug": new.slug, "model": new.model.name, "environment": new.environment.name},
    )
    _take_standing_version(deployment, actor=actor)
    return deployment


def _checked_schema(new: NewDeployment) -> tuple[Column, ...]:
    if not new.slug or slugify(new.slug) != new.slug:
        raise InvalidInput(
            f"{new.slug!r} is not a slug; use lower-case letters, digits and hyphens.",
            code="wrong_slug",
        )
    if not 0 < new.decision_threshold < 1:
        raise InvalidInput(
            "The decision threshold must lie between 0 and 1.", code="wrong_threshold"
        )
    try:
        schema = read_columns(new.input_schema)
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            'input_schema must be a list such as [{"name": "age", "type": "long"}].',
            code="wrong_schema",
        ) from error
    wrong = [column.name for column in schema if not column.name or column.family is None]
    if wrong or len({column.name for column in schema}) != len(schema):
        raise InvalidInput(
            f"input_schema names a column twice or has an unknown type: {', '.join(wrong)}.",
            code="wrong_schema",
        )
    return schema


def _take_standing_version(deployment: Deployment, *, actor: Actor) -> None:
    """Take the version that already stands promoted when the deployment is made."""
    promotion = (
        Promotion.objects.filter(
            status=Promotion.Status.APPLIED,
            model_name=deployment.model.name,
            environment=deployment.environment,
        )
        .select_related("review")
        .first()
    )
    if promotion is None:
        return
    version = ModelVersion.objects.get(model=deployment.model, number=promotion.model_version)
    reasons = why_unfit(deployment, version)
    if reasons:
        raise RuleViolated(
            f"{version} does not fit the columns of {deployment.slug}.",
            code="signature_mismatch",
            reasons=reasons,
        )
    take_version(deployment, version, promotion, actor=actor)


def why_unfit(deployment: Deployment, version: ModelVersion) -> list[str]:
    """Return why the version cannot serve the callers of the deployment."""
    needed = signature_columns(version.signature)
    if not needed:
        return [f"{version} has no signature with named columns."]
    if not deployment.input_schema:
        return []
    return misfits(needed, read_columns(deployment.input_schema))


def take_version(
    deployment: Deployment, version: ModelVersion, promotion: Promotion, *, actor: Actor
) -> None:
    """Point the deployment at a promoted version; it is verified when it is first loaded."""
    changes: dict[str, Any] = {}
    if not deployment.input_schema:
        columns = signature_columns(version.signature)
        changes["input_schema"] = [column.as_json() for column in columns]
    move(
        deployment,
        Deployment.Status.WAITING,
        allowed=DEPLOYMENT_TRANSITIONS,
        version=version,
        promotion=promotion,
        status_reason="Waits to be loaded by the first request.",
        **changes,
    )
    ledger.append(
        "deployment.version_changed",
        subject=deployment.ref,
        actor=actor,
        data={"version": version.ref, "promotion": promotion.ref},
    )


def refresh_deployments(
    promotion: Promotion, version: ModelVersion, *, actor: Actor
) -> list[Deployment]:
    """Point every deployment of the promotion's environment at its version."""
    deployments = list(
        Deployment.objects.exclude(status=Deployment.Status.STOPPED)
        .filter(model=version.model, environment=promotion.environment)
        .select_related("model", "environment", "project")
    )
    for deployment in deployments:
        take_version(deployment, version, promotion, actor=actor)
    return deployments


@transaction.atomic
def stop_deployment(deployment: Deployment, *, actor: Actor, reason: str = "") -> Deployment:
    """Stop answering at this address for good; predictions and reports stay."""
    access.require(actor, "deployment.stop", deployment.project)
    move(
        deployment,
        Deployment.Status.STOPPED,
        allowed=DEPLOYMENT_TRANSITIONS,
        status_reason=reason or f"Stopped by {actor.name}.",
    )
    ledger.append("deployment.stopped", subject=deployment.ref, actor=actor)
    return deployment


def find_deployment(slug: str, *, actor: Actor) -> Deployment:
    """Return the deployment with everything that a request needs, in one query."""
    found = (
        Deployment.objects.visible_to(actor)
        .filter(slug=slug)
        .select_related(
            "project",
            "environment",
            "promotion__review",
            "promotion__environment",
            "version__model",
        )
        .first()
    )
    if found is None:
        raise NotFound(f"There is no deployment {slug}, or it is not yours to see.")
    return found


def score(deployment: Deployment, payload: Mapping[str, Any], *, actor: Actor) -> Answer:
    """Answer the rows of a scoring request and keep what was asked and answered.

    Raises:
        NotPermitted: the actor may not score, or no verified version stands promoted.
        InvalidInput: the rows do not fit; see `scoring.read_request`.
    """
    access.require(actor, "deployment.score", deployment.project)
    serving = load(deployment)
    schema = read_columns(deployment.input_schema) or serving.model.columns
    request = read_request(payload, schema)
    scores = _predict(serving, request)
    ids = list(request.prediction_ids or (uuid4().hex for _ in range(request.row_count)))
    _keep(deployment, serving, request, ids, scores)
    return Answer(scores, ids, serving, deployment.decision_threshold)


def _predict(serving: Serving, request: ScoringRequest) -> list[float]:
    """Return the probability of the positive class, or the plain prediction of a regressor."""
    import numpy as np

    frame = frames.inputs_of(serving.model.columns, request.columns, request.row_count)
    estimator = serving.model.estimator
    if hasattr(estimator, "predict_proba"):
        scores = estimator.predict_proba(frame)[:, 1]
    else:
        scores = estimator.predict(frame)
    if not np.isfinite(scores).all():
        raise Unavailable(
            f"{serving.version} answered something that is not a number.", code="model_failed"
        )
    return [float(score) for score in scores]


def _keep(
    deployment: Deployment,
    serving: Serving,
    request: ScoringRequest,
    ids: Sequence[str],
    scores: Sequence[float],
) -> None:
    now = timezone.now()
    times = request.event_times or [now] * request.row_count
    names = list(request.columns)
    values = zip(*request.columns.values(), strict=True)
    rows = [
        Prediction(
            deployment=deployment,
            version=serving.version,
            prediction_id=identity,
            occurred_at=time,
            received_at=now,
            features=dict(zip(names, row, strict=True)),
            score=score,
        )
        for identity, time, row, score in zip(ids, times, values, scores, strict=True)
    ]
    try:
        with transaction.atomic():
            Prediction.objects.bulk_create(rows)
    except IntegrityError as error:
        raise InvalidInput(
            "At least one of the prediction ids was used before; send new ones.",
            code="prediction_id_used",
        ) from error


def record_labels(
    deployment: Deployment, labels: Mapping[str, Any], *, actor: Actor
) -> LabelReport:
    """Record what became true of earlier predictions; a label sent again replaces the former.

    Raises:
        InvalidInput: `empty_request`, or `wrong_label` for anything but 0 and 1.
    """
    access.require(actor, "deployment.label", deployment.project)
    _check_labels(labels)
    ids = list(labels)
    known: set[str] = set()
    mine = Prediction.objects.filter(deployment=deployment)
    now = timezone.now()
    with transaction.atomic():
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            known.update(
                mine.filter(prediction_id__in=chunk).values_list("prediction_id", flat=True)
            )
            for value in (0, 1):
                same = [identity for identity in chunk if labels[identity] == value]
                mine.filter(prediction_id__in=same).update(label=value, labelled_at=now)
        if known:
            ledger.append(
                "labels.recorded",
                subject=deployment.ref,
                actor=actor,
                data={"recorded": len(known)},
            )
    return LabelReport(len(known), [identity for identity in ids if identity not in known])


def _check_labels(labels: Any) -> None:
    if not isinstance(labels, Mapping) or not labels:
        raise InvalidInput(
            'Send {"labels": {"<prediction id>": 0 or 1, ...}}.', code="empty_request"
        )
    for identity, value in labels.items():
        if isinstance(value, bool) or value not in (0, 1):
            raise InvalidInput(
                f"The label of {identity} must be 0 or 1, not {repr(value)[:80]}.",
                code="wrong_label",
                details={"prediction_id": identity},
            )
