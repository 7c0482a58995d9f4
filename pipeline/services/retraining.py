"""Train a candidate within its envelope and ask for its promotion; nothing here signs."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from governance.models import Promotion
from governance.services import promotions
from governance.services.evidence import Material, record_evidence
from governance.services.prerequisites import request_earlier_gates
from governance.services.promotions import PromotionRequest
from ledger import services as ledger
from pipeline import access
from pipeline.adapters.source_control import source_tags
from pipeline.models import (
    DatasetVersion,
    Deployment,
    DriftReport,
    Job,
    ModelVersion,
    RetrainingPolicy,
)
from pipeline.services import frames, jobs, loading
from pipeline.services.assembling import assemble
from pipeline.services.envelopes import Envelope, completed, read_envelope
from pipeline.services.scoring import signature_columns
from projects.actors import Actor, system
from projects.errors import RuleViolated

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.ml.evaluation import Comparison, SliceComparison
    from pipeline.ml.training import Trained
    from projects.charts.pictures import Picture

RETRAINING = system("retraining")
#: How far into the job training itself starts and ends, in percent.
_TRAINING_FROM, _TRAINING_TO = 15, 75


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

    The candidate is registered by the part `retraining`; who asked for the job by hand counts as
    having launched its run, and does not sign it.
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
    by_slice: "list[SliceComparison]"
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
    envelope = completed(read_envelope(policy.envelope), champion)
    jobs.step(job, 2, "Assembling rows.")
    rows, dataset = assemble(deployment, champion, envelope, actor=actor)
    trained = _train(rows, dataset, envelope, job)
    jobs.step(job, 78, "Comparing with the champion on the same rows.")
    candidate = _compare(trained, rows, dataset, champion)
    jobs.step(job, 82, "Logging the run.")
    version = _log(candidate, deployment, champion, reason=str(job.params.get("reason", "")))
    # From now on whoever asked for the job is an author of the version: see `pipeline.subjects`.
    jobs.note(job, {"model_version": version.ref})
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
    from pipeline.ml.evaluation import compare, compare_slices, positive_scores, slices_of

    test = rows.iloc[trained.split.test]
    columns = signature_columns(champion.signature)
    values = {name: test[name].tolist() for name in test.columns}
    model = loading.load_version(champion)
    scores = positive_scores(model.estimator, frames.inputs_of(columns, values, len(test)))
    comparisons = compare(trained.target, scores, trained.scores)
    slices = slices_of(test, [one for one in test.columns if one != dataset.target])
    by_slice = compare_slices(trained.target, scores, trained.scores, slices)
    return Candidate(trained, dataset, comparisons, by_slice, scores)


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
        tags={"reason": reason, "champion": str(champion), **source_tags(settings.BASE_DIR)},
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
    slices = [one.as_row() for one in candidate.by_slice]
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
            "slices": slices,
        },
    )
    record_evidence(comparison, actor=actor)
    apart = dataclasses.replace(
        comparison,
        kind="slice_report",
        title=f"{version} by slice",
        data={"dataset": candidate.dataset.ref, "slices": slices},
    )
    record_evidence(apart, actor=actor)
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
        request_earlier_gates(promotion.review, actor=actor)
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
