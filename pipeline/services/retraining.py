"""Train a candidate within its envelope and ask for its promotion; nothing here signs."""

import dataclasses
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from governance.models import Promotion
from governance.services import promotions, reviews
from governance.services.evidence import Material, record_evidence
from governance.services.promotions import PromotionRequest
from governance.services.reviews import ReviewRequest
from ledger import services as ledger
from pipeline import access
from pipeline.models import (
    DatasetVersion,
    Deployment,
    DriftReport,
    Job,
    ModelVersion,
    Prediction,
    RetrainingPolicy,
)
from pipeline.services import data, exploring, frames, jobs, loading
from pipeline.services.scoring import signature_columns
from projects.actors import Actor, system
from projects.errors import InvalidInput, RuleViolated

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.ml.evaluation import Comparison
    from pipeline.ml.pictures import Picture
    from pipeline.ml.training import Trained

logger = logging.getLogger(__name__)

RETRAINING = system("retraining")
#: How far into the job training itself starts and ends, in percent.
_TRAINING_FROM, _TRAINING_TO = 15, 75
_COUNTS = frozenset({"train_months", "test_months", "min_rows", "seed"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a retraining may not go beyond; stored as JSON in the policy.

    Without features or approach the candidate is made as the champion was.
    `max_drop` is how far `metric` may fall behind the champion on the same rows before no
    promotion is requested.
    """

    features: Mapping[str, Any] = field(default_factory=dict)
    approach: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, list[Any]] | None = None
    train_months: int = 12
    test_months: int = 6
    min_rows: int = 500
    metric: str = "roc_auc"
    max_drop: float = 0.0
    seed: int = 7


def read_envelope(stored: Mapping[str, Any]) -> Envelope:
    """Return the envelope that a policy stores.

    Raises:
        InvalidInput: code `wrong_envelope`.
    """
    known = {one.name for one in dataclasses.fields(Envelope)}
    unknown = sorted(set(stored) - known)
    if unknown:
        raise InvalidInput(
            f"The envelope does not know {', '.join(unknown)}. It may hold "
            f"{', '.join(sorted(known))}.",
            code="wrong_envelope",
        )
    problem = _problem_of(stored)
    if problem:
        raise InvalidInput(f"The envelope's {problem}.", code="wrong_envelope")
    return Envelope(**stored)


def _problem_of(stored: Mapping[str, Any]) -> str:
    """Return what is wrong with the values of an envelope; empty if nothing is."""
    features = stored.get("features", {})
    uses = {"numeric", "categorical", "context"}
    if not isinstance(features, Mapping) or set(features) - uses:
        return "features must be lists under numeric, categorical and context"
    if features and not {"numeric", "categorical"} <= set(features):
        return "features must name both numeric and categorical columns"
    for name in _COUNTS & set(stored):
        value = stored[name]
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            return f"{name} must be a whole number above 0"
    drop = stored.get("max_drop", 0.0)
    return "" if isinstance(drop, int | float) and drop >= 0 else "max_drop must not be negative"


@transaction.atomic
def configure_retraining(
    deployment: Deployment, values: Mapping[str, Any], *, actor: Actor
) -> RetrainingPolicy:
    """Make or change the retraining policy of a deployment; values left out stay as they are."""
    access.require(actor, "retraining.configure", deployment.project)
    policy = RetrainingPolicy.objects.filter(deployment=deployment).first() or RetrainingPolicy(
        deployment=deployment
    )
    for name, value in values.items():
        setattr(policy, name, value)
    read_envelope(policy.envelope)
    policy.save()
    ledger.append(
        "retraining.configured",
        subject=policy.ref,
        actor=actor,
        data={
            "deployment": deployment.slug,
            "on_breach": policy.on_breach,
            "every_days": policy.every_days,
            "is_active": policy.is_active,
        },
    )
    return policy


def enqueue_retraining(policy: RetrainingPolicy, *, actor: Actor, reason: str) -> Job:
    """Queue a retraining, or return the one that is on its way already."""
    access.require(actor, "retraining.run", policy.deployment.project)
    unfinished = Job.objects.filter(
        kind=Job.Kind.RETRAIN,
        subject_ref=policy.ref,
        status__in=[Job.Status.QUEUED, Job.Status.RUNNING],
    ).first()
    if unfinished is not None:
        return unfinished
    new = jobs.NewJob(
        Job.Kind.RETRAIN, policy.deployment.project, policy.ref, {"reason": reason[:400]}
    )
    return jobs.enqueue(new, actor=actor)


def enqueue_on_breach(deployment: Deployment, report: DriftReport) -> Job | None:
    """Queue a retraining after a breach if the policy says so and no candidate waits."""
    policy = RetrainingPolicy.objects.filter(
        deployment=deployment, is_active=True, on_breach=True
    ).first()
    if policy is None or _waiting_candidate(deployment) is not None:
        return None
    reason = f"{report.ref}: {report.breaches[0]}"
    return enqueue_retraining(policy, actor=system("monitoring"), reason=reason)


def _waiting_candidate(deployment: Deployment) -> Promotion | None:
    return Promotion.objects.filter(
        Q(status=Promotion.Status.REQUESTED) | Q(status=Promotion.Status.APPROVED),
        requested_as=RETRAINING.ref,
        model_name=deployment.model.name,
        environment=deployment.environment,
    ).first()


def enqueue_due_retraining() -> int:
    """Queue a retraining for each policy whose last one is older than it says."""
    queued = 0
    timed = RetrainingPolicy.objects.filter(is_active=True, every_days__isnull=False)
    for policy in timed.select_related("deployment__project", "deployment__version"):
        last = jobs.last_job(Job.Kind.RETRAIN, policy.ref)
        since = last.queued_at if last else policy.deployment.verified_at
        due = since and since + timedelta(days=policy.every_days or 0) <= timezone.now()
        if due:
            enqueue_retraining(policy, actor=system("schedule"), reason="Its time has come.")
            queued += 1
    return queued


def run_retraining(job: Job, actor: Actor) -> Mapping[str, Any]:
    """Train a candidate for the policy that the job names.

    Whoever asked for the job, the candidate's author is the part `retraining`.
    """
    policy = RetrainingPolicy.objects.select_related(
        "deployment__project",
        "deployment__environment",
        "deployment__model",
        "deployment__version__run__dataset",
        "deployment__version__run__experiment",
        "deployment__version__model",
    ).get(pk=int(job.subject_ref.rpartition(":")[2]))
    return train_candidate(policy, actor=RETRAINING, job=job)


@dataclass(frozen=True)
class Candidate:
    """A trained challenger with what it was trained on and how it compares."""

    trained: "Trained"
    dataset: DatasetVersion
    comparisons: "list[Comparison]"
    champion_scores: Any


def train_candidate(policy: RetrainingPolicy, *, actor: Actor, job: Job) -> dict[str, Any]:
    """Assemble rows, train, compare with the champion on the same rows, and ask for promotion.

    Raises:
        RuleViolated: code `no_champion` or `too_few_rows`.
        Unavailable: MLflow cannot be reached; the job may be retried.
        DataProblem: what splitting, fitting or judging the rows refuses.
    """
    deployment = policy.deployment
    access.require(actor, "retraining.run", deployment.project)
    champion = _champion(deployment)
    envelope = _completed(read_envelope(policy.envelope), champion)
    jobs.step(job, 2, "Assembling rows.")
    rows, dataset = _assemble(deployment, champion, envelope, actor=actor)
    trained = _train(rows, dataset, envelope, job)
    jobs.step(job, 78, "Comparing with the champion on the same rows.")
    candidate = _compare(trained, rows, dataset, champion)
    jobs.step(job, 82, "Logging the run.")
    version = _log(candidate, deployment, champion, reason=str(job.params.get("reason", "")))
    jobs.step(job, 92, "Recording the comparison.")
    _record_evidence(candidate, champion, version, actor=actor)
    return _conclude(candidate, envelope, deployment, version, actor=actor)


def _champion(deployment: Deployment) -> ModelVersion:
    version = deployment.version
    if version is None or version.run is None or version.run.dataset is None:
        raise RuleViolated(
            f"{deployment.slug} serves no version that was trained on a registered dataset; there "
            "is nothing to retrain.",
            code="no_champion",
        )
    return version


def _completed(envelope: Envelope, champion: ModelVersion) -> Envelope:
    """Fill what the envelope leaves open with how the champion was made."""
    made = champion.run.params if champion.run else {}
    changes: dict[str, Any] = {}
    if not envelope.features:
        changes["features"] = _features_of(champion, str(made.get("context", "")))
    if not envelope.approach:
        changes["approach"] = str(made.get("approach", "gradient_boosting"))
    return dataclasses.replace(envelope, **changes)


def _features_of(champion: ModelVersion, context: str) -> dict[str, list[str]]:
    """Return the champion's inputs by use; columns that it only watches are named by its run."""
    watched = [name for name in context.split(",") if name]
    columns = signature_columns(champion.signature)
    used = [column for column in columns if column.name not in watched]
    return {
        "numeric": [column.name for column in used if column.family == "number"],
        "categorical": [column.name for column in used if column.family != "number"],
        "context": [column.name for column in columns if column.name in watched],
    }


def _assemble(
    deployment: Deployment, champion: ModelVersion, envelope: Envelope, *, actor: Actor
) -> "tuple[pd.DataFrame, DatasetVersion]":
    """Return the rows to learn from and the dataset version that holds exactly them."""
    import pandas as pd

    from pipeline.ml.features import FeatureSet

    base = champion.run.dataset if champion.run else None
    if base is None:
        raise RuleViolated(f"{champion} has no dataset.", code="no_champion")
    features = FeatureSet.from_dict(envelope.features)
    columns = [*features.inputs, base.target, frames.PERIOD]
    labelled = _labelled_rows(deployment, base)
    if len(labelled) < envelope.min_rows:
        raise RuleViolated(
            f"Only {len(labelled)} answers have a label yet; the envelope asks for "
            f"{envelope.min_rows}.",
            code="too_few_rows",
        )
    known = frames.with_periods(frames.training_rows(champion))
    rows = pd.concat([known[columns], labelled[columns]], ignore_index=True)
    dataset = _register(rows, base, len(labelled), actor=actor)
    # Trained on what was registered, read back from its bytes.
    return data.read_dataset(dataset), dataset


def _labelled_rows(deployment: Deployment, base: DatasetVersion) -> "pd.DataFrame":
    """Return the labelled predictions in the words of the dataset, in the order of time."""
    import pandas as pd

    found = list(
        Prediction.objects.filter(deployment=deployment, label__isnull=False)
        .order_by("occurred_at", "pk")
        .values_list("features", "label", "occurred_at")
    )
    words = {1: base.positive, 0: _other_word(base)}
    rows = pd.DataFrame([features for features, _, _ in found])
    rows[base.target] = [words[int(label == 1)] for _, label, _ in found]
    rows[frames.PERIOD] = [f"{moment:%Y-%m}" for _, _, moment in found]
    return rows


def _other_word(base: DatasetVersion) -> str:
    """Return the value of the target that is not the positive one."""
    about = base.profile["columns"][base.target]
    words = [str(item["value"]) for item in about["top"]]
    return next(word for word in words if word != base.positive)


def _register(
    rows: "pd.DataFrame", base: DatasetVersion, labelled: int, *, actor: Actor
) -> DatasetVersion:
    """Register the rows as the next version of the base dataset, or return the one they are."""
    content = data.write_table(rows, base.separator)
    upload = data.DatasetUpload(
        project=base.project,
        name=base.name,
        content=content,
        target=base.target,
        expected=data.Expected(separator=base.separator, positive=base.positive),
        origin=f"{base} as the champion learned from it, and {labelled} labelled answers.",
        datasheet=_datasheet(base, list(rows.columns)),
    )
    try:
        dataset = data.register_dataset_version(upload, actor=actor)
    except InvalidInput as refusal:
        if refusal.code != "dataset_already_registered":
            raise
        return DatasetVersion.objects.get(pk=int(refusal.details["dataset"].split(":")[1]))
    _put_data_up_for_review(dataset, actor=actor)
    return dataset


def _put_data_up_for_review(dataset: DatasetVersion, *, actor: Actor) -> None:
    """Explore the new rows and ask for their release: the candidate's gate looks for it.

    A policy without that gate, or without anybody to sign at it, is no reason to stop here; the
    candidate's own review says what is missing.
    """
    exploring.explore_dataset(dataset, actor=actor)
    request = ReviewRequest("data", dataset.project, "dataset_version", dataset.ref)
    try:
        reviews.request_review(request, actor=actor)
    except (InvalidInput, RuleViolated) as refusal:
        logger.info("No data review of %s: %s", dataset, refusal.message)


def _datasheet(base: DatasetVersion, columns: list[str]) -> dict[str, Any]:
    about = base.datasheet.get("columns") or {}
    known = {name: about[name] for name in columns if name in about}
    period = {"meaning": "Month of the case, YYYY-MM", "is_known_at_prediction": True}
    return {**base.datasheet, "columns": {**known, frames.PERIOD: about.get("period", period)}}


def _train(
    rows: "pd.DataFrame", dataset: DatasetVersion, envelope: Envelope, job: Job
) -> "Trained":
    from pipeline.ml.features import FeatureSet
    from pipeline.ml.splits import recent_blocks
    from pipeline.ml.training import TrainingPlan, train

    plan = TrainingPlan(
        features=FeatureSet.from_dict(envelope.features),
        target=dataset.target,
        positive=dataset.positive,
        blocks=recent_blocks(
            str(rows[frames.PERIOD].max()),
            train_months=envelope.train_months,
            test_months=envelope.test_months,
        ),
        period=frames.PERIOD,
        seed=envelope.seed,
        params=envelope.params,
        grid=envelope.grid,
    )

    def report(percent: int, message: str) -> None:
        share = (_TRAINING_TO - _TRAINING_FROM) * percent // 100
        jobs.step(job, _TRAINING_FROM + share, message)

    return train(rows, plan, envelope.approach, report)


def _compare(
    trained: "Trained", rows: "pd.DataFrame", dataset: DatasetVersion, champion: ModelVersion
) -> Candidate:
    """Let the champion score the very rows that the challenger was tested on."""
    from pipeline.ml.evaluation import compare, positive_scores

    test = rows.iloc[trained.split.test]
    columns = signature_columns(champion.signature)
    values = {name: test[name].tolist() for name in test.columns}
    model = loading.load_version(champion)
    scores = positive_scores(model.estimator, frames.inputs_of(columns, values, len(test)))
    comparisons = compare(trained.target, scores, trained.scores)
    return Candidate(trained, dataset, comparisons, scores)


def _log(
    candidate: Candidate, deployment: Deployment, champion: ModelVersion, *, reason: str
) -> ModelVersion:
    """Log the run through the gateway as the part `retraining` and register its model."""
    from pipeline.adapters.mlflow_client import DatasetUse, MlflowGateway, ModelToLog, RunToLog
    from pipeline.gateway.service_tokens import token_for

    trained, dataset = candidate.trained, candidate.dataset
    gateway = MlflowGateway(settings.MLFLOW_TRACKING_URI, token_for(RETRAINING))
    slug = deployment.project.slug
    run = RunToLog(
        experiment=champion.run.experiment.name if champion.run else f"{slug}/retraining",
        name=f"retraining on {dataset}",
        params=trained.params,
        metrics=trained.metrics,
        tags={"reason": reason, "champion": str(champion)},
        ties={"dataset": dataset.ref},
        datasets=(DatasetUse(dataset.name, dataset.digest, dataset.ref),),
        model=ModelToLog(trained.estimator, trained.inputs.head(5)),
    )
    logged = gateway.log_run(run)
    number = gateway.register_model(
        deployment.model.name, logged, description=f"Candidate trained by itself. {reason}"
    )
    return ModelVersion.objects.select_related("model").get(model=deployment.model, number=number)


def _record_evidence(
    candidate: Candidate, champion: ModelVersion, version: ModelVersion, *, actor: Actor
) -> None:
    comparison = Material(
        project=version.model.project,
        subject_kind="model_version",
        subject_ref=version.ref,
        kind="champion_comparison",
        title=f"{version} against the champion {champion}",
        data={
            "champion": str(champion),
            "champion_version": champion.number,
            "challenger": str(version),
            "dataset": candidate.dataset.ref,
            "rows": len(candidate.trained.target),
            "metrics": [one.as_row() for one in candidate.comparisons],
        },
    )
    record_evidence(comparison, actor=actor)
    for picture in _pictures(candidate, champion, version):
        plot = dataclasses.replace(
            comparison,
            kind="plot",
            title=picture.title,
            data={"description": picture.description, "table": picture.table},
            content=picture.svg,
            media_type="image/svg+xml",
        )
        record_evidence(plot, actor=actor)


def _pictures(
    candidate: Candidate, champion: ModelVersion, version: ModelVersion
) -> "list[Picture]":
    from pipeline.ml import plots

    scores = {
        f"champion v{champion.number}": candidate.champion_scores,
        f"challenger v{version.number}": candidate.trained.scores,
    }
    target = candidate.trained.target
    return [
        plots.comparison_picture(candidate.comparisons),
        plots.roc_curve_picture(target, scores),
        plots.calibration_picture(target, scores),
        plots.lift_picture(target, scores),
    ]


def _conclude(
    candidate: Candidate,
    envelope: Envelope,
    deployment: Deployment,
    version: ModelVersion,
    *,
    actor: Actor,
) -> dict[str, Any]:
    """Ask for the promotion unless the candidate falls too far behind."""
    result = {
        "model_version": version.ref,
        "number": version.number,
        "dataset": candidate.dataset.ref,
        "comparison": [one.as_row() for one in candidate.comparisons],
    }
    behind = _behind(candidate, envelope)
    if not behind:
        request = PromotionRequest(
            project=deployment.project,
            model_name=deployment.model.name,
            model_version=version.number,
            subject_ref=version.ref,
            environment=deployment.environment.name,
            reason=f"Candidate trained on {candidate.dataset} within the envelope.",
        )
        promotion = promotions.request_promotion(request, actor=actor)
        result |= {"promotion": promotion.pk, "review": promotion.review_id}
    with transaction.atomic():
        ledger.append(
            "retraining.finished",
            subject=version.ref,
            actor=actor,
            data={"deployment": deployment.slug, "asks_for_promotion": not behind},
        )
    return {**result, "behind": behind}


def _behind(candidate: Candidate, envelope: Envelope) -> str:
    """Return why the candidate is not worth a review; empty if it is."""
    from pipeline.rules.monitoring import LOWER_IS_BETTER

    one = next((c for c in candidate.comparisons if c.metric == envelope.metric), None)
    if one is None:
        return f"The envelope's metric {envelope.metric} was not measured."
    gain = -one.difference if envelope.metric in LOWER_IS_BETTER else one.difference
    if gain >= -envelope.max_drop:
        return ""
    return (
        f"{envelope.metric} is {one.challenger:.3f} against {one.champion:.3f} of the champion; "
        f"the envelope allows a drop of {envelope.max_drop:g}."
    )
