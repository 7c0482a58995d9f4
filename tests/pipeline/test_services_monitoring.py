"""What a monitor sees in a window, and what a broken limit sets in motion."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from governance.models import Finding, LineageEdge, PolicyVersion
from ledger.models import LedgerEntry
from pipeline.ml.problems import DataProblem
from pipeline.models import DriftReport, Job, Monitor, Prediction, RetrainingPolicy
from pipeline.services import jobs, monitoring
from projects import content_store
from projects.errors import InvalidInput, NotPermitted, RuleViolated
from tests.factories import edit_past_the_triggers
from tests.pipeline.conftest import moment, rows_of

pytestmark = pytest.mark.django_db
START, END = moment("2009-06-01"), moment("2009-12-01")


@pytest.fixture
def monitor(world, dataset, ml_engineer, actor):
    version = world.version(run=world.run(dataset))
    deployment = world.deployment(version)
    RetrainingPolicy.objects.create(deployment=deployment)
    values = {"psi_limit": 0.2, "min_performance": 0.6, "min_rows": 100}
    return monitoring.configure_monitor(deployment, values, actor=actor(ml_engineer))


@pytest.fixture
def traffic(monitor):
    """Store predictions of a window as scoring would have; `shift` moves a feature."""

    def send(count=400, *, shift=0.0, labelled=True, start=START, skill=True):
        rows = rows_of(count, seed=5)
        random = np.random.default_rng(9)
        deployment = monitor.deployment
        label = (rows["y"] == "yes").astype(int)
        score = np.clip(label * 0.4 * skill + random.random(count) * 0.5, 0, 1)
        features = rows[["age", "calls", "job", "rate"]].assign(rate=rows["rate"] - shift)
        Prediction.objects.bulk_create(
            Prediction(
                deployment=deployment,
                version=deployment.version,
                prediction_id=f"{start:%Y%m}-{number}",
                occurred_at=start + timedelta(minutes=number),
                features=row,
                score=float(score[number]),
                label=int(label[number]) if labelled else None,
            )
            for number, row in enumerate(features.to_dict("records"))
        )

    return send


@pytest.fixture
def look(monitor, ml_engineer, actor):
    def run(start=START, end=END, who=None):
        return monitoring.run_monitor(
            monitor, window_start=start, window_end=end, actor=actor(who or ml_engineer)
        )

    return run


def test_a_quiet_window_is_reported_and_starts_nothing(traffic, look, monitor):
    traffic()
    report = look()
    assert (report.row_count, report.labelled_count, report.breaches) == (400, 400, [])
    assert {row["feature"] for row in report.features} == {"age", "calls", "job", "rate"}
    assert report.performance["roc_auc"] > 0.8
    assert report.limits == {"psi": 0.2, "performance": {"roc_auc": 0.6}, "min_rows": 100}
    assert not Finding.objects.exists()
    assert not Job.objects.exists()
    assert LineageEdge.objects.filter(target__ref=report.ref).exists()
    assert LedgerEntry.objects.filter(event="drift_report.created").count() == 1


def test_plots_are_kept_and_are_pictures(traffic, look):
    traffic()
    plots = look().plots
    assert [plot["title"] for plot in plots] == ["Drift by feature", "ROC AUC over time"]
    assert all(content_store.read(plot["attachment"]).startswith(b"<svg") for plot in plots)


def test_drift_is_named_opens_a_finding_suspends_and_queues_retraining(traffic, look, monitor):
    traffic(shift=3.0)
    report = look()
    assert report.breaches[0].startswith("rate has drifted")
    finding = Finding.objects.get()
    assert (finding.severity, finding.source) == ("high", "system:monitoring")
    assert "rate" in finding.title
    assert finding.subject_ref == monitor.deployment.version.ref
    promotion = monitor.deployment.promotion
    promotion.refresh_from_db()
    promotion.review.refresh_from_db()
    assert (promotion.status, promotion.review.status) == ("suspended", "suspended")
    monitor.deployment.refresh_from_db()
    assert monitor.deployment.status == "refused"
    job = Job.objects.get()
    assert (job.kind, job.requested_as) == ("retrain", "system:monitoring")
    assert {row["feature"] for row in report.features if row["breached"]} == {"rate"}


def test_poor_performance_is_a_breach_too(traffic, look):
    traffic(skill=False)
    assert "roc_auc on late labels is" in look().breaches[0]


def test_a_window_is_looked_at_once(traffic, look):
    traffic(shift=3.0)
    first = look()
    assert look() == first
    assert (DriftReport.objects.count(), Finding.objects.count(), Job.objects.count()) == (1, 1, 1)


def test_a_finding_that_says_it_already_is_not_opened_again(traffic, look):
    later = moment("2010-01-01")
    traffic(shift=3.0)
    traffic(shift=3.0, start=later)
    look()
    assert look(END, later + timedelta(days=30)).breaches
    assert Finding.objects.count() == 1


def test_without_labels_there_is_drift_but_no_performance(traffic, look):
    traffic(labelled=False)
    report = look()
    assert (report.labelled_count, report.performance) == (0, {})
    assert report.features


def test_too_few_rows_are_recorded_and_judge_nothing(traffic, look):
    traffic(count=50, shift=3.0)
    report = look()
    assert (report.row_count, report.features, report.breaches) == (50, [], [])


def test_an_empty_window_is_refused(look):
    with pytest.raises(RuleViolated) as refusal:
        look()
    assert refusal.value.code == "no_predictions"
    assert not DriftReport.objects.exists()


def test_a_window_that_ends_before_it_starts_is_refused(look):
    with pytest.raises(InvalidInput) as refusal:
        look(END, START)
    assert refusal.value.code == "wrong_window"


def test_an_auditor_runs_no_monitor(traffic, look, auditor):
    traffic()
    with pytest.raises(NotPermitted):
        look(who=auditor)
    assert not DriftReport.objects.exists()


@pytest.mark.parametrize(
    ("switch", "found"),
    [
        ("opens_finding", (0, 1, "suspended")),
        ("starts_retraining", (1, 0, "suspended")),
    ],
)
def test_each_consequence_can_be_switched_off(traffic, look, monitor, switch, found):
    Monitor.objects.update(**{switch: False})
    monitor.refresh_from_db()
    traffic(shift=3.0)
    look()
    monitor.deployment.promotion.refresh_from_db()
    status = monitor.deployment.promotion.status
    assert (Finding.objects.count(), Job.objects.count(), status) == found


def test_a_policy_may_leave_the_approval_standing_after_a_breach(traffic, look, monitor):
    version = monitor.deployment.promotion.review.policy_version
    text = version.text.replace("on_breach: {suspend: true}", "on_breach: {suspend: false}")
    edit_past_the_triggers(PolicyVersion.objects.filter(pk=version.pk), text=text)
    version.refresh_from_db()
    traffic(shift=3.0)
    look()
    monitor.deployment.promotion.refresh_from_db()
    status = monitor.deployment.promotion.status
    assert (Finding.objects.count(), Job.objects.count(), status) == (1, 1, "applied")


def test_a_window_of_an_earlier_version_says_nothing_against_the_current_one(
    traffic, look, monitor, world
):
    traffic(shift=3.0)
    second = world.version(2)
    monitor.deployment.version = second
    monitor.deployment.save(update_fields=["version"])
    report = look()
    assert (report.version.number, bool(report.breaches)) == (1, True)
    monitor.deployment.promotion.refresh_from_db()
    assert monitor.deployment.promotion.status == "applied"
    assert not Job.objects.exists()


def test_without_a_reference_the_monitor_says_what_is_missing(traffic, look, monitor):
    Monitor.objects.update(reference_profile={})
    monitor.refresh_from_db()
    traffic()
    with pytest.raises(DataProblem) as refusal:
        look()
    assert refusal.value.code == "unknown_profile"
    assert not DriftReport.objects.exists()


def test_only_rows_that_the_version_learned_from_are_the_reference(
    world, dataset, ml_engineer, actor
):
    run = world.run(dataset, train_months="2008-05 to 2008-06", validation_months="2008-08")
    deployment = world.deployment(world.version(run=run))
    monitor = monitoring.configure_monitor(deployment, {}, actor=actor(ml_engineer))
    assert monitor.reference_profile["rows"] == 600


def test_the_schedule_queues_each_window_that_has_ended(traffic, monitor):
    traffic()
    assert monitoring.enqueue_due_monitors() == 1
    job = Job.objects.get()
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert job.status == "done", job.message
    report = DriftReport.objects.get()
    assert (report.window_start, report.window_end) == (START, START + timedelta(days=30))
    assert monitoring.enqueue_due_monitors() == 0


def test_the_schedule_waits_for_a_window_to_end(traffic, monitor):
    traffic(start=timezone.now() - timedelta(days=3))
    assert monitoring.enqueue_due_monitors() == 0
