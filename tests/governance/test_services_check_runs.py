"""Checks that take work: asked for, claimed once, and counted for what the review binds alone."""

import threading

import pytest
from django.db import connection

from governance.models import CheckRun
from governance.services import check_runs, evaluating, reviews
from governance.services.binding import subject_of
from governance.services.check_runs import Answer
from governance.services.evidence import Material, record_evidence
from ledger.models import LedgerEntry
from projects.actors import system
from projects.errors import (
    DomainError,
    InvalidInput,
    InvalidTransition,
    NotFound,
    NotPermitted,
    RuleViolated,
    StaleState,
)
from tests import working_policy
from tests.factories import session_actor
from tests.governance import fakes

CHECKS = system("checks")


@pytest.fixture(autouse=True)
def working(settings, tmp_path):
    working_policy.install(settings, tmp_path / "policies")


def outcome(review, key="floor"):
    reviews.evaluate_review(review, actor=system("governance"))
    review.refresh_from_db()
    found = {one.key: one for one in evaluating.latest_results(review)}
    return found[key].outcome


def events(run):
    return list(
        LedgerEntry.objects.filter(subject=run.ref).order_by("seq").values_list("event", flat=True)
    )


@pytest.fixture
def asked(review, validator):
    return check_runs.request_check_run(review, "floor", actor=session_actor(validator))


@pytest.fixture
def running(asked):
    assert check_runs.claim_check_run(asked, worker="job:1", actor=CHECKS)
    return asked


def done(run, said="pass"):
    return check_runs.finish_check_run(run, Answer(said, "It says so.", {"auc": 0.8}), actor=CHECKS)


@pytest.mark.django_db
def test_a_requirement_that_takes_work_is_missing_until_the_work_is_done(review, validator):
    assert outcome(review) == "missing"
    run = check_runs.request_check_run(review, "floor", actor=session_actor(validator))
    assert (run.status, run.bindings_digest) == ("queued", review.bindings_digest)
    assert run.params["script"] == "floor"
    assert outcome(review) == "missing"
    check_runs.claim_check_run(run, worker="job:1", actor=CHECKS)
    assert outcome(review) == "missing"
    done(run)
    assert outcome(review) == "pass"
    assert events(run) == ["check_run.requested", "check_run.done"]


@pytest.mark.django_db
def test_a_result_says_which_run_gave_it(running, review):
    done(running, "fail")
    assert outcome(review) == "fail"
    found = {one.key: one for one in evaluating.latest_results(review)}["floor"]
    assert found.message == "It says so."
    assert found.detail["compared"]["values"] == {"auc": 0.8}
    source = {"ref": running.ref, "digest": review.bindings_digest, "label": ""}
    assert found.detail["source"] == [source]
    assert found.detail["check_version"].startswith("countersign-ml ")


@pytest.mark.django_db
def test_a_changed_subject_needs_a_new_run(running, review, candidate, data_scientist):
    done(running)
    material = Material(review.project, "model_version", candidate, "note", "Later", {"x": 1})
    record_evidence(material, actor=session_actor(data_scientist))
    reviews.refresh_review(review, actor=session_actor(data_scientist))
    review.refresh_from_db()
    assert outcome(review) == "stale"
    again = check_runs.request_check_run(review, "floor", actor=session_actor(data_scientist))
    check_runs.claim_check_run(again, worker="job:2", actor=CHECKS)
    done(again)
    assert outcome(review) == "pass"


@pytest.mark.django_db
def test_a_run_of_what_the_review_does_not_bind_any_more_is_refused(running, candidate, world):
    world.change(candidate, bindings={"run": fakes.sha("9")})
    with pytest.raises(RuleViolated) as refusal:
        check_runs.require_bound(running, subject_of(running.review))
    assert refusal.value.code == "subject_changed"


@pytest.mark.django_db
def test_a_failed_run_is_an_error_and_can_be_queued_again(running, review, validator):
    check_runs.fail_check_run(running, "The script broke.", actor=CHECKS)
    assert outcome(review) == "error"
    check_runs.retry_check_run(running, actor=session_actor(validator))
    assert (running.status, running.result, running.ended_at) == ("queued", {}, None)
    assert outcome(review) == "missing"
    assert events(running)[-2:] == ["check_run.failed", "check_run.retried"]


@pytest.mark.django_db
def test_what_comes_after_a_cancel_does_not_count(running, review, validator):
    stale = CheckRun.objects.select_related("review__project").get(pk=running.pk)
    check_runs.cancel_check_run(running, actor=session_actor(validator))
    assert not check_runs.report_progress(stale, 50, "Half.")
    with pytest.raises(StaleState):
        done(stale)
    running.refresh_from_db()
    assert (running.status, running.message) == ("cancelled", "Cancelled.")
    assert outcome(review) == "missing"


@pytest.mark.django_db
def test_a_run_is_claimed_by_one_worker_and_by_the_same_one_after_it_died(asked):
    second = CheckRun.objects.select_related("review__project").get(pk=asked.pk)
    assert check_runs.claim_check_run(asked, worker="job:1", actor=CHECKS)
    assert not check_runs.claim_check_run(second, worker="job:2", actor=CHECKS)
    assert check_runs.report_progress(asked, 40, "Almost half.")
    assert check_runs.claim_check_run(second, worker="job:1", actor=CHECKS)
    # The one that was thought dead has nothing more to say.
    assert not check_runs.report_progress(asked, 60, "More than half.")
    second.refresh_from_db()
    assert second.result["progress"] == 0


@pytest.mark.django_db
def test_one_run_of_a_check_is_on_its_way_at_a_time(asked, review, validator):
    with pytest.raises(RuleViolated) as refusal:
        check_runs.request_check_run(review, "floor", actor=session_actor(validator))
    assert refusal.value.code == "check_is_running"
    assert CheckRun.objects.get() == asked
    check_runs.request_check_run(review, "again", actor=session_actor(validator))
    assert CheckRun.objects.count() == 2


@pytest.mark.django_db
def test_an_older_run_is_not_queued_again_beside_a_newer_one(running, review, validator):
    check_runs.fail_check_run(running, "It broke.", actor=CHECKS)
    check_runs.request_check_run(review, "floor", actor=session_actor(validator))
    with pytest.raises(RuleViolated) as refusal:
        check_runs.retry_check_run(running, actor=session_actor(validator))
    assert refusal.value.code == "check_is_running"
    running.refresh_from_db()
    assert running.status == "failed"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "kind", "code"),
    [("criteria", InvalidInput, "takes_no_work"), ("nothing", InvalidInput, "takes_no_work")],
)
def test_only_requirements_that_take_work_have_runs(review, validator, key, kind, code):
    with pytest.raises(kind) as refusal:
        check_runs.request_check_run(review, key, actor=session_actor(validator))
    assert refusal.value.code == code
    assert not CheckRun.objects.exists()


@pytest.mark.django_db
def test_a_review_that_is_over_takes_no_runs(review, asked, lead, validator):
    check_runs.cancel_check_run(asked, actor=session_actor(validator))
    reviews.withdraw_review(review, actor=session_actor(lead))
    for attempt in (
        lambda: check_runs.request_check_run(review, "floor", actor=session_actor(validator)),
        lambda: check_runs.retry_check_run(
            CheckRun.objects.get(pk=asked.pk), actor=session_actor(validator)
        ),
    ):
        with pytest.raises(InvalidTransition) as refusal:
            attempt()
        assert refusal.value.code == "review_not_open"
    asked.refresh_from_db()
    assert asked.status == "cancelled"


@pytest.mark.django_db
def test_who_may_not_gets_no_run(review, asked, auditor, outsider):
    for user, kind in ((auditor, NotPermitted), (outsider, NotFound)):
        actor = session_actor(user)
        for attempt in (
            lambda actor=actor: check_runs.request_check_run(review, "again", actor=actor),
            lambda actor=actor: check_runs.cancel_check_run(asked, actor=actor),
            lambda actor=actor: check_runs.retry_check_run(asked, actor=actor),
        ):
            with pytest.raises(kind):
                attempt()
    asked.refresh_from_db()
    assert (asked.status, CheckRun.objects.count()) == ("queued", 1)


@pytest.mark.django_db
def test_nobody_but_the_worker_says_what_was_found(running, validator, lead):
    for actor in (session_actor(validator), session_actor(lead), system("monitoring")):
        with pytest.raises(NotPermitted):
            check_runs.finish_check_run(running, Answer("pass", "Trust me."), actor=actor)
        with pytest.raises(NotPermitted):
            check_runs.claim_check_run(running, worker="me", actor=actor)
    running.refresh_from_db()
    assert running.status == "running"


@pytest.mark.django_db
def test_an_answer_that_is_none_is_refused(running):
    with pytest.raises(InvalidInput):
        check_runs.finish_check_run(running, Answer("waived", "No."), actor=CHECKS)
    running.refresh_from_db()
    assert running.status == "running"


@pytest.mark.django_db
def test_what_a_script_sees_is_json_without_people(running, candidate):
    facts = check_runs.facts_for_script(running, subject_of(running.review))
    assert facts["metrics"]["test_roc_auc"] == 0.79
    assert [one["kind"] for one in facts["evidence"]] == ["model_card"]
    assert facts["subject"]["ref"] == candidate
    assert "authors" not in facts


@pytest.mark.django_db
def test_a_fact_that_breaks_before_the_last_signature_blocks(
    running, review, sign, validator, business_owner, world
):
    done(running)
    assert outcome(review) == "pass"
    assert evaluating.unmet_requirements(review) != []
    sign(review, validator, "validator")
    # No bound part moves: the run was deleted in MLflow after everything had been evaluated.
    world.change(fakes.MODEL, attributes={"run_status": "DELETED"})
    sign(review, business_owner, "business_owner")
    assert review.status == "open"
    assert "one requirement does not hold" in review.status_reason
    found = {one.key: one for one in evaluating.latest_results(review)}
    assert found["run"].outcome == "fail"
    world.change(fakes.MODEL, attributes={"run_status": "FINISHED"})
    reviews.evaluate_review(review, actor=session_actor(validator))
    review.refresh_from_db()
    assert review.status == "approved"


@pytest.mark.race
@pytest.mark.no_ledger_guard
def test_of_workers_that_claim_at_once_one_gets_the_run(racing_db, asked):
    start, won = threading.Barrier(6), []

    def claim(number):
        own = CheckRun.objects.select_related("review__project").get(pk=asked.pk)
        start.wait()
        try:
            won.append(check_runs.claim_check_run(own, worker=f"job:{number}", actor=CHECKS))
        except DomainError as error:
            won.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=claim, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 5 + [True]
