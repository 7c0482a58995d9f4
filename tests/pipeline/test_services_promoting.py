"""Applying approved promotions: what is checked first, what is left behind when it fails."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from governance.models import LineageEdge, PolicyVersion, Promotion
from governance.rules.digests import digest_of_set
from governance.services import ending, resuming
from ledger.models import LedgerEntry
from pipeline.adapters import registry
from pipeline.models import Job, Monitor
from pipeline.services import jobs, promoting
from pipeline.services.loading import model_directory
from projects.actors import system
from projects.errors import Unavailable
from tests.factories import edit_past_the_triggers
from tests.pipeline.conftest import post_json, rows_of, split_of

pytestmark = pytest.mark.django_db
WORKER = "elsewhere:1"


@pytest.fixture
def aliases(monkeypatch):
    """Stand in for MLflow's registry: what is set, and how often."""
    state = {"aliases": {}, "sets": 0, "error": None}

    def set_alias(name, alias, version):
        if state["error"]:
            raise state["error"]
        state["sets"] += 1
        state["aliases"][name, alias] = version

    def get_alias(name, alias):
        if state["error"]:
            raise state["error"]
        return state["aliases"].get((name, alias))

    monkeypatch.setattr("pipeline.subjects.refreshing.refresh_run", lambda run_id: None)
    monkeypatch.setattr(registry, "set_alias", set_alias)
    monkeypatch.setattr(registry, "get_alias", get_alias)
    return state


@pytest.fixture
def approved(world):
    return world.promotion(world.version())


def applied_entries():
    return LedgerEntry.objects.filter(event="promotion.applied").count()


def test_an_approved_promotion_sets_the_alias_once_and_is_recorded_once(approved, aliases):
    assert promoting.apply_waiting_promotions() == 1
    assert promoting.apply_waiting_promotions() == 0
    approved.refresh_from_db()
    assert (approved.status, aliases["sets"], applied_entries()) == ("applied", 1, 1)
    assert aliases["aliases"] == {("term-deposit-calls", "champion"): 1}
    assert LineageEdge.objects.filter(kind="promoted_by").count() == 1


def test_the_poller_applies_what_waits(approved, aliases):
    call_command("poll_promotions", "--once")
    approved.refresh_from_db()
    assert approved.status == "applied"


def test_a_job_applies_the_promotion_that_it_names(approved, aliases, project):
    new = jobs.NewJob(Job.Kind.APPLY_PROMOTION, project, approved.ref, {"promotion": approved.pk})
    job = jobs.enqueue(new, actor=system("promotion"))
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert job.result == {"applied": True}


def test_looking_for_work_costs_one_query(world, aliases, django_assert_num_queries):
    with django_assert_num_queries(1):
        promoting.apply_waiting_promotions()


def test_a_promotion_that_is_not_approved_is_not_touched(world, aliases):
    promotion = world.promotion(world.version(), status="requested")
    assert not promoting.apply_promotion(promotion.pk, worker=WORKER)
    promotion.refresh_from_db()
    assert (promotion.status, aliases["sets"]) == ("requested", 0)


def test_the_deployment_takes_the_new_version_and_its_monitor_the_new_reference(
    world, aliases, dataset
):
    first = world.version(1, run=world.run(dataset))
    deployment = world.deployment(first)
    second = world.version(2, run=first.run)
    promotion = world.promotion(second)
    assert promoting.apply_promotion(promotion.pk, worker=WORKER)
    deployment.refresh_from_db()
    assert (deployment.version, deployment.promotion, deployment.status) == (
        second,
        promotion,
        "waiting",
    )
    profile = Monitor.objects.get(deployment=deployment).reference_profile
    assert set(profile["features"]) == {"age", "calls", "job", "rate"}
    assert Promotion.objects.filter(status="superseded").count() == 1


def test_what_comes_back_with_its_review_serves_again(world, aliases, client_for, ml_engineer):
    deployment = world.deployment(world.version())
    promotion, client = deployment.promotion, client_for(ml_engineer)
    body = {"dataframe_split": split_of(rows_of(1))}
    governance, review = system("governance"), promotion.review
    ending.halt_promotion(
        review, "suspended", actor=governance, reason="The run changed.", may_resume=True
    )
    assert post_json(client, "/serve/calls/invocations", body).status_code == 403

    promotion.refresh_from_db()
    assert resuming.resume(promotion, review, decided=timezone.now(), actor=governance)
    assert post_json(client, "/serve/calls/invocations", body).status_code == 403
    assert promoting.apply_waiting_promotions() == 1
    assert post_json(client, "/serve/calls/invocations", body).status_code == 200
    deployment.refresh_from_db()
    assert (deployment.status, deployment.promotion) == ("serving", promotion)


def test_changed_files_are_noticed_before_the_alias_moves(approved, world, aliases):
    (model_directory_of(approved) / "number.txt").write_text("changed")
    assert not promoting.apply_promotion(approved.pk, worker=WORKER)
    approved.refresh_from_db()
    assert approved.status == "failed"
    assert "was signed" in approved.status_reason
    assert (aliases["sets"], applied_entries()) == (0, 0)


@pytest.mark.parametrize(
    "edit",
    [lambda text: f"{text}# Softer.\n", lambda text: "schema: 1\n"],
    ids=["a word", "unreadable"],
)
def test_a_policy_that_was_edited_past_the_services_halts_the_promotion(approved, aliases, edit):
    version = approved.review.policy_version
    assert edit(version.text) != version.text
    edit_past_the_triggers(PolicyVersion.objects.filter(pk=version.pk), text=edit(version.text))
    assert not promoting.apply_promotion(approved.pk, worker=WORKER)
    approved.refresh_from_db()
    assert approved.status == "suspended"
    assert approved.status_reason.startswith("The policy version changed")
    assert (aliases["sets"], applied_entries()) == (0, 0)


def test_an_approval_that_bound_its_evidence_as_one_is_applied(approved, aliases):
    approved.review.bindings["evidence"] = digest_of_set([])
    approved.review.save()
    assert promoting.apply_promotion(approved.pk, worker=WORKER)
    approved.refresh_from_db()
    assert (approved.status, aliases["sets"], applied_entries()) == ("applied", 1, 1)


def test_files_that_change_after_the_claim_fail_the_promotion(approved, aliases, monkeypatch):
    real = promoting.promotions.claim_promotion

    def claim_then_change(promotion, *, worker):
        claimed = real(promotion, worker=worker)
        (model_directory_of(promotion) / "number.txt").write_text("changed")
        return claimed

    monkeypatch.setattr(promoting.promotions, "claim_promotion", claim_then_change)
    assert not promoting.apply_promotion(approved.pk, worker=WORKER)
    approved.refresh_from_db()
    assert approved.status == "failed"
    assert "was signed" in approved.status_reason
    assert aliases["sets"] == 0


def test_a_signature_that_callers_do_not_fit_fails_the_promotion(world, aliases):
    world.deployment(input_schema=[{"name": "age", "type": "long"}])
    promotion = world.promotion(world.version())
    assert not promoting.apply_promotion(promotion.pk, worker=WORKER)
    promotion.refresh_from_db()
    assert promotion.status == "failed"
    assert "does not fit the columns" in promotion.status_reason
    assert "needs column job, which callers do not send" in promotion.status_reason
    assert (aliases["sets"], applied_entries()) == (0, 0)


def test_an_unreachable_mlflow_leaves_it_approved_with_the_message_and_it_is_tried_again(
    approved, aliases
):
    aliases["error"] = Unavailable("MLflow's database does not answer.", code="mlflow_unreachable")
    assert not promoting.apply_promotion(approved.pk, worker=WORKER)
    approved.refresh_from_db()
    assert (approved.status, approved.attempts) == ("approved", 1)
    assert approved.status_reason == "MLflow's database does not answer."
    assert promoting.apply_waiting_promotions() == 0, "too soon after the failed attempt"
    aliases["error"] = None
    Promotion.objects.update(claimed_at=timezone.now() - timedelta(seconds=61))
    assert promoting.apply_waiting_promotions() == 1
    approved.refresh_from_db()
    assert (approved.status, approved.status_reason, aliases["sets"]) == ("applied", "", 1)


def test_a_claim_that_cannot_ask_mlflow_leaves_it_approved_too(approved, aliases, monkeypatch):
    def unreachable(kind, ref):
        raise Unavailable("MLflow's database does not answer.", code="mlflow_unreachable")

    monkeypatch.setattr("governance.services.applying.resolve", unreachable)
    assert not promoting.apply_promotion(approved.pk, worker=WORKER)
    approved.refresh_from_db()
    assert (approved.status, approved.attempts) == ("approved", 1)
    assert approved.status_reason == "MLflow's database does not answer."


def test_an_alias_that_was_set_before_the_crash_is_not_set_again(approved, aliases):
    aliases["aliases"]["term-deposit-calls", "champion"] = 1
    assert promoting.apply_promotion(approved.pk, worker=WORKER)
    assert (aliases["sets"], applied_entries()) == (0, 1)


def model_directory_of(promotion):
    from pipeline.models import ModelVersion

    return model_directory(
        ModelVersion.objects.get(model__name=promotion.model_name, number=promotion.model_version)
    )
