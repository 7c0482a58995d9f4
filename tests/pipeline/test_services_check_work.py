"""The work behind checks: pulled from governance, done in jobs, and told to the review."""

import dataclasses

import numpy as np
import pytest
from django.core.management import call_command
from django_q.models import OrmQ

from governance.models import CheckRun, GateReview
from governance.services import check_runs
from governance.services.evaluating import latest_results
from governance.subjects import SubjectFacts
from pipeline.ml.problems import DataProblem
from pipeline.ml.splits import Block, Blocks
from pipeline.ml.training import LOGISTIC, TrainingPlan, train
from pipeline.models import Job
from pipeline.services import check_work, data, jobs, reproducing
from projects.actors import system
from projects.errors import RuleViolated
from tests import working_policy
from tests.factories import session_actor
from tests.pipeline.conftest import DATASHEET, FEATURES, csv_of, rows_of

pytestmark = pytest.mark.django_db
CHECKS = system("checks")


@pytest.fixture(autouse=True)
def working(settings, tmp_path):
    working_policy.install(settings, tmp_path / "policies")


def of_service(world, version, **changes):
    """Return an open review of a version, whose facts are what the version's rows say."""
    return GateReview(
        project=world.project,
        gate="validation",
        policy_version=world.policy_version,
        subject_kind="model_version",
        subject_ref=version.ref,
        subject_label=str(version),
        tier="medium",
        requested_as="user:1",
        **changes,
    )


class Resolver:
    """Facts of the one version of these tests."""

    metrics: dict[str, float] = {}

    def resolve(self, ref: str) -> SubjectFacts:
        from projects.models import Project

        return SubjectFacts(
            "calls v1", Project.objects.get(), {"model_files": "a" * 64}, dict(self.metrics)
        )

    def project_of(self, ref: str):
        return self.resolve(ref).project


@pytest.fixture
def metrics(monkeypatch):
    """Numbers that the version's run logged, to be set by a test."""
    monkeypatch.setattr("governance.subjects.import_string", lambda dotted: Resolver)
    monkeypatch.setattr(Resolver, "metrics", {"test_roc_auc": 0.8})
    return Resolver.metrics


@pytest.fixture
def review(world, dataset, metrics):
    from governance.services.binding import subject_now

    version = world.version(run=world.run(dataset))
    subject = subject_now("model_version", version.ref, world.policy_version)
    found = of_service(
        world, version, bindings=dict(subject.bindings), bindings_digest=subject.digest
    )
    found.save()
    return found


def ask(review, user, key="floor"):
    return check_runs.request_check_run(review, key, actor=session_actor(user))


def work(run):
    """Let the poller and the worker do what waits, and return the run and its job."""
    check_work.enqueue_waiting_check_runs()
    job = Job.objects.filter(subject_ref=run.ref).latest("pk")
    jobs.run_job(job.pk)
    run.refresh_from_db()
    job.refresh_from_db()
    return run, job


def result_of(review, key="floor"):
    return {one.key: one for one in latest_results(review)}[key]


def test_a_script_runs_as_a_job_and_the_review_is_judged_again(review, validator):
    run, job = work(ask(review, validator))
    assert (run.status, run.result["outcome"]) == ("done", "pass")
    assert (job.kind, job.status, job.progress) == ("run_check", "done", 100)
    assert job.project == review.project
    assert result_of(review).outcome == "pass"
    assert result_of(review).message == "The AUC is 0.8."


def test_a_script_that_says_no_fails_the_requirement(review, metrics, validator):
    metrics["test_roc_auc"] = 0.6
    run, _ = work(ask(review, validator))
    assert (run.status, run.result["outcome"]) == ("done", "fail")
    assert result_of(review).outcome == "fail"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise KeyError('auc')", "KeyError: 'auc'"),
        ("print('no')", "no JSON object"),
        ("while True: pass", "ended after 1 seconds"),
    ],
)
def test_a_script_that_breaks_leaves_an_error_and_can_be_tried_again(
    settings, tmp_path, request, source, words
):
    working_policy.install(settings, tmp_path / "policies", source=source, timeout_seconds=1)
    review, validator = (request.getfixturevalue(name) for name in ("review", "validator"))
    run, _ = work(ask(review, validator))
    assert run.status == "failed"
    assert words in run.message
    check_runs.retry_check_run(run, actor=session_actor(validator))
    run, job = work(run)
    assert (run.status, Job.objects.count(), job.attempts) == ("failed", 2, 1)


def test_the_poller_gives_each_run_one_job(review, validator):
    run = ask(review, validator)
    call_command("poll_promotions", "--once")
    call_command("poll_promotions", "--once")
    (job,) = Job.objects.all()
    assert (job.subject_ref, job.requested_as) == (run.ref, "system:checks")
    assert OrmQ.objects.count() == 1


def test_a_run_is_done_once_however_often_its_job_is_made(review, validator):
    run, _ = work(ask(review, validator))
    again = jobs.enqueue(jobs.NewJob(Job.Kind.RUN_CHECK, review.project, run.ref), actor=CHECKS)
    jobs.run_job(again.pk)
    again.refresh_from_db()
    assert (again.status, again.result["code"]) == ("failed", "check_run_not_waiting")
    run.refresh_from_db()
    assert run.status == "done"


def test_a_job_cancelled_before_it_began_cancels_the_run(review, validator, data_scientist):
    run = ask(review, validator)
    check_work.enqueue_waiting_check_runs()
    jobs.cancel_job(Job.objects.get(), actor=session_actor(data_scientist))
    assert check_work.enqueue_waiting_check_runs() == 0
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert Job.objects.count() == 1


def test_a_run_of_a_review_that_is_over_is_cancelled(review, validator):
    run = ask(review, validator)
    GateReview.objects.filter(pk=review.pk).update(status="withdrawn")
    assert check_work.enqueue_waiting_check_runs() == 0
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert not Job.objects.exists()


def test_a_worker_that_lost_its_way_leaves_no_run_hanging(review, validator, monkeypatch):
    def broken(run, subject, report):
        raise ZeroDivisionError

    monkeypatch.setattr(check_work, "_WORKERS", {"script": broken})
    run, job = work(ask(review, validator))
    assert (run.status, job.status) == ("running", "failed")
    check_work.enqueue_waiting_check_runs()
    run.refresh_from_db()
    assert (run.status, run.message) == ("failed", jobs.GENERIC_FAILURE)


@pytest.mark.parametrize("through", ["run", "job"])
def test_a_running_check_stops_when_somebody_cancels_it(
    review, validator, data_scientist, monkeypatch, through
):
    def slow(run, subject, report):
        report(20, "A fifth.")
        if through == "run":
            own = CheckRun.objects.select_related("review__project").get(pk=run.pk)
            assert (own.result["progress"], own.message) == (20, "A fifth.")
            check_runs.cancel_check_run(own, actor=session_actor(validator))
        else:
            jobs.cancel_job(Job.objects.get(), actor=session_actor(data_scientist))
        report(30, "Never seen.")
        raise AssertionError("It went on.")

    monkeypatch.setattr(check_work, "_WORKERS", {"script": slow})
    run, job = work(ask(review, validator))
    assert (run.status, job.status) == ("cancelled", "cancelled")


def test_a_subject_that_changed_meanwhile_is_not_worked_on(review, validator, monkeypatch):
    run = ask(review, validator)
    CheckRun.objects.filter(pk=run.pk).update(bindings_digest="0" * 64)
    run, _ = work(run)
    assert run.status == "failed"
    assert "Bind the review" in run.message


# --- A run done again -----------------------------------------------------------------------------


@pytest.fixture
def with_periods(project, data_scientist, actor):
    """Rows that say their month, as those of a retraining do."""
    months = np.repeat(["2008-05", "2008-06", "2008-07"], 300)
    upload = data.DatasetUpload(
        project=project,
        name="calls-by-month",
        content=csv_of(rows_of(900).assign(period=months)),
        target="y",
        expected=data.Expected(separator=";"),
        datasheet=DATASHEET,
    )
    return data.register_dataset_version(upload, actor=actor(data_scientist))


@pytest.fixture
def trained(with_periods):
    """What training on these rows records, C among it."""
    blocks = Blocks(train=Block("2008-05", "2008-06"), test=Block("2008-07", "2008-07"))
    plan = TrainingPlan(FEATURES, "y", with_periods.positive, blocks, params={"C": 0.3}, grid={})
    return train(data.read_dataset(with_periods), plan, LOGISTIC)


@pytest.fixture
def own_run(world, with_periods, trained):
    """A run that the service trained by itself, as MLflow keeps it: parameters are text."""
    run = world.run(with_periods, **{name: str(value) for name, value in trained.params.items()})
    run.launched_as = "system:retraining"
    run.save()
    return run


def reproduction(world, run, trained, **params):
    version = world.version(run=run)
    review = of_service(world, version)
    subject = dataclasses.make_dataclass("Now", ["facts"])(
        SubjectFacts(str(version), world.project, {}, trained.metrics)
    )
    asked = CheckRun(review=review, key="again", kind="reproduction", params=params)
    said = []
    return reproducing.reproduce(asked, subject, lambda *step: said.append(step)), said


def test_a_run_of_the_service_comes_out_the_same_again(world, own_run, trained):
    answer, said = reproduction(world, own_run, trained, tolerance=0)
    assert (answer.outcome, answer.values["difference"]) == ("pass", 0.0)
    assert answer.values["metrics"] > 5
    assert not answer.values["worst"].startswith("latency")
    assert [percent for percent, _ in said] == sorted(percent for percent, _ in said)
    assert len(said) > 3


@pytest.mark.parametrize(("tolerance", "outcome"), [(0.01, "fail"), (0.2, "pass")])
def test_a_metric_that_was_embellished_does_not_come_out(
    world, own_run, trained, tolerance, outcome
):
    trained.metrics["test_roc_auc"] += 0.1
    answer, _ = reproduction(world, own_run, trained, tolerance=tolerance)
    assert answer.outcome == outcome
    assert answer.values["worst"] == "test_roc_auc"
    assert answer.values["difference"] == pytest.approx(0.1)


def test_another_seed_or_parameter_than_was_recorded_shows(world, own_run, trained):
    own_run.params["C"] = "0.0001"
    own_run.save()
    answer, _ = reproduction(world, own_run, trained)
    assert answer.outcome == "fail"


def test_a_run_of_foreign_code_is_missing_and_says_what_to_do(world, own_run, trained):
    own_run.launched_as = "user:1"
    own_run.save()
    answer, said = reproduction(world, own_run, trained)
    assert (answer.outcome, said) == ("missing", [])
    assert "evidence of the kind reproduction" in answer.message


@pytest.mark.parametrize("lost", ["seed", "approach", "test_months"])
def test_a_run_without_its_recipe_cannot_be_done_again(world, own_run, trained, lost):
    del own_run.params[lost]
    own_run.save()
    with pytest.raises(RuleViolated) as refusal:
        reproduction(world, own_run, trained)
    assert refusal.value.code == "recipe_incomplete"


def test_data_that_were_changed_are_not_trained_on(world, own_run, trained, with_periods, settings):
    from projects import content_store
    from projects.errors import Unavailable

    content_store.path(with_periods.digest).chmod(0o644)
    content_store.path(with_periods.digest).write_bytes(b"age;y\n1;yes\n")
    with pytest.raises(Unavailable):
        reproduction(world, own_run, trained)


@pytest.mark.parametrize(
    ("again", "outcome"),
    [({}, "missing"), ({"latency_p95_ms": 1.0}, "missing"), ({"auc": float("nan")}, "fail")],
)
def test_metrics_that_cannot_be_compared_never_pass(again, outcome):
    logged = {"auc": 0.8, "latency_p95_ms": 1.0}
    assert reproducing.compare(logged, again, 0.1).outcome == outcome


def test_months_that_the_rows_do_not_have_are_a_problem_of_the_data(world, own_run, trained):
    own_run.params["test_months"] = "2031-01"
    own_run.save()
    with pytest.raises(DataProblem):
        reproduction(world, own_run, trained)
