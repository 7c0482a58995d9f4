"""A candidate is trained within its envelope, through the gateway, and asks for promotion."""

from datetime import timedelta

import numpy as np
import pytest

from governance.models import CheckRun, Evidence, GateReview, Promotion, SignOff
from governance.services.binding import subject_of
from pipeline.adapters.mlflow_client import RunToLog
from pipeline.models import DatasetVersion, Job, ModelVersion, Prediction, Run
from pipeline.services import envelopes, frames, jobs, reproducing, retraining
from projects.actors import system
from projects.errors import InvalidInput, NotPermitted
from tests.factories import session_actor
from tests.pipeline.conftest import FEATURES, moment, rows_of
from tests.pipeline.gateway.conftest import EXPERIMENT, mlflow_server  # noqa: F401 - a fixture

ENVELOPE = {"train_months": 4, "test_months": 2, "min_rows": 200, "max_drop": 1.0}


@pytest.fixture
def policy(world, dataset, ml_engineer, actor):
    run = world.run(dataset, train_months="2008-05 to 2008-06")
    # A number that MLflow does not give to the candidate.
    deployment = world.deployment(world.version(99, run=run))
    values = {
        "envelope": {**ENVELOPE, "features": FEATURES.as_dict(), "approach": "logistic_regression"}
    }
    return retraining.configure_retraining(deployment, values, actor=actor(ml_engineer))


def labelled_traffic(deployment, count=600):
    """Store labelled answers over the half year after June 2009."""
    rows = rows_of(count, seed=3)
    random = np.random.default_rng(2)
    Prediction.objects.bulk_create(
        Prediction(
            deployment=deployment,
            version=deployment.version,
            prediction_id=f"p{number}",
            occurred_at=moment("2009-06-01") + timedelta(days=180 * number / count),
            features={name: row[name] for name in ("age", "calls", "job", "rate")},
            score=float(random.random()),
            label=int(row["y"] == "yes"),
        )
        for number, row in enumerate(rows.to_dict("records"))
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    "envelope",
    [
        {"colour": "red"},
        {"features": ["age"]},
        {"features": {"numbers": ["age"]}},
        {"features": {"numeric": ["age"]}},
        {"min_rows": 0},
        {"train_months": "twelve"},
        {"max_drop": -1},
    ],
)
def test_an_envelope_that_nobody_understands_is_refused(policy, ml_engineer, actor, envelope):
    with pytest.raises(InvalidInput) as refusal:
        retraining.configure_retraining(
            policy.deployment, {"envelope": envelope}, actor=actor(ml_engineer)
        )
    assert refusal.value.code == "wrong_envelope"
    policy.refresh_from_db()
    assert policy.envelope["train_months"] == 4


@pytest.mark.django_db
def test_a_validator_starts_no_retraining(policy, validator, actor):
    with pytest.raises(NotPermitted):
        retraining.enqueue_retraining(policy, actor=actor(validator), reason="Because.")
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_one_retraining_is_queued_at_a_time(policy):
    first = retraining.enqueue_retraining(policy, actor=system("monitoring"), reason="One.")
    assert retraining.enqueue_retraining(policy, actor=system("schedule"), reason="Two.") == first


@pytest.mark.django_db
def test_an_open_envelope_is_filled_with_how_the_champion_was_made(policy):
    envelope = envelopes.completed(envelopes.read_envelope({}), policy.deployment.version)
    assert envelope.approach == "logistic_regression"
    assert envelope.features == FEATURES.as_dict()


@pytest.mark.django_db
def test_too_few_labels_fail_the_job_with_the_count(policy):
    job = retraining.enqueue_retraining(policy, actor=system("monitoring"), reason="Drift.")
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.result["code"]) == ("failed", "too_few_rows")
    assert DatasetVersion.objects.count() == 1


@pytest.mark.slow
@pytest.mark.django_db
def test_an_unreachable_gateway_fails_the_job_so_that_it_can_be_tried_again(policy, settings):
    settings.MLFLOW_TRACKING_URI = "http://127.0.0.1:9/mlflow"
    labelled_traffic(policy.deployment)
    job = retraining.enqueue_retraining(policy, actor=system("monitoring"), reason="Drift.")
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.result["code"]) == ("failed", "mlflow_unreachable")
    assert not Promotion.objects.filter(status="requested").exists()


@pytest.mark.slow
def test_a_candidate_is_trained_compared_and_asks_for_promotion(
    mlflow_server,  # noqa: F811
    approved_scope,
    policy,
    data_scientist,
    ml_engineer,
    settings,
):
    settings.MLFLOW_TRACKING_URI = mlflow_server.url
    gateway = mlflow_server.gateway(data_scientist)
    logged = gateway.log_run(RunToLog(experiment=EXPERIMENT, name="before"))
    experiment = Run.objects.get(run_id=logged.run_id).experiment
    deployment = policy.deployment
    Run.objects.filter(pk=deployment.version.run_id).update(experiment=experiment)
    labelled_traffic(deployment)
    job = retraining.enqueue_retraining(policy, actor=session_actor(ml_engineer), reason="Drift.")
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert job.status == "done", (job.message, job.result)

    dataset = registered_rows()
    candidate = ModelVersion.objects.get(registered_as="system:retraining")
    assert candidate.run.dataset == dataset
    assert candidate.run.launched_as == "system:retraining"
    assert candidate.format_problem == ""
    comparison = Evidence.objects.get(kind="champion_comparison", subject_ref=candidate.ref)
    assert comparison.data["champion_version"] == deployment.version.number
    assert {row["metric"] for row in comparison.data["metrics"]} >= {"roc_auc", "brier"}
    assert all("=" in row["slice"] for row in comparison.data["slices"])
    report = Evidence.objects.get(kind="slice_report")
    assert report.data["slices"] == comparison.data["slices"]
    assert Evidence.objects.filter(kind="plot", subject_ref=candidate.ref).count() == 4
    promotion = Promotion.objects.get(status="requested")
    assert promotion.requested_as == "system:retraining"
    assert promotion.review.status == "open"
    assert promotion.review.facts["authors"]["run"] == [ml_engineer.pk]
    assert not SignOff.objects.exists()
    assert job.result["promotion"] == promotion.pk
    assert_comes_out_again(candidate, promotion.review)


def assert_comes_out_again(candidate, review):
    """Train the candidate again from what MLflow and our mirror kept of its run."""
    asked = CheckRun(review=review, key="again", kind="reproduction", params={"tolerance": 0})
    answer = reproducing.reproduce(asked, subject_of(review), lambda percent, words: None)
    assert (answer.outcome, answer.values["difference"]) == ("pass", 0.0), answer
    logged = {name for name in candidate.run.metrics if not name.startswith("latency_")}
    assert answer.values["metrics"] == len(logged)


def registered_rows():
    """Return the dataset version that the job registered, explored and put up for release."""
    dataset = DatasetVersion.objects.get(number=2)
    assert dataset.registered_by is None
    assert Evidence.objects.filter(kind="eda_report", subject_ref=dataset.ref).exists()
    asked = GateReview.objects.get(gate="data", subject_ref=dataset.ref)
    assert (asked.status, asked.requested_as) == ("open", "system:retraining")
    assert dataset.row_count > 600
    assert frames.PERIOD in dataset.datasheet["columns"]
    return dataset
