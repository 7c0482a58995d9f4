"""What criteria ask of a model version: seeds, test uses, files, data, monitoring."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pipeline.facts import runs_of
from pipeline.models import Experiment, Run
from pipeline.services import criterion_facts
from pipeline.services.mirror import RunFacts

pytestmark = pytest.mark.django_db
PLAIN = {"source": "metric", "min_runs": 1, "aggregate": "last", "test_use_limit": None}


@pytest.fixture
def log(project):
    """Log a run an hour after the one before: `log("a", seed=1, test_auc=0.7)`."""
    experiment = Experiment.objects.create(experiment_id="1", name="one", project=project)
    begun = timezone.now() - timedelta(days=3)

    def logged(run_id, seed="1", depth="3", status="FINISHED", dataset=None, **metrics):
        return Run.objects.create(
            run_id=run_id,
            experiment=experiment,
            project=project,
            status=status,
            dataset=dataset,
            params={"seed": seed, "depth": depth},
            metrics=metrics,
            launched_as="user:1",
            started_at=begun + timedelta(hours=Run.objects.count()),
        )

    return logged


def facts_of(run):
    return RunFacts(run.run_id, "1", "", run.status, run.started_at, params=run.params)


def test_runs_that_differ_in_their_seed_alone_belong_together(log):
    log("other-depth", seed="2", depth="9", test_auc=0.9)
    log("lucky", seed="2", test_auc=0.95)
    log("again", seed="2", test_auc=0.7)
    log("failed", seed="3", status="FAILED", test_auc=0.99)
    own = log("own", seed="1", test_auc=0.6)
    found = criterion_facts.seed_runs(facts_of(own))
    assert [metrics["test_auc"] for metrics in found] == [0.7, 0.6]


def test_another_run_under_the_same_seed_is_not_a_second_one(log):
    log("twin", seed="1", test_auc=0.9)
    own = log("own", seed="1", test_auc=0.6)
    log("later-twin", seed="1", test_auc=0.9)
    assert criterion_facts.seed_runs(facts_of(own)) == [{"test_auc": 0.6}]


def test_looks_at_the_test_data_are_counted_per_data_set(log, dataset):
    log("elsewhere", test_auc=0.5)
    log("validated", dataset=dataset, validation_auc=0.5)
    log("failed", dataset=dataset, status="FAILED", test_auc=0.5)
    own = log("own", dataset=dataset, test_auc=0.6)
    assert criterion_facts.test_uses(facts_of(own)) == 2


def test_only_what_is_asked_for_is_looked_up(log, world, django_assert_num_queries):
    version, run = world.version(), facts_of(log("own", test_auc=0.6))
    with django_assert_num_queries(0):
        found = criterion_facts.facts_for([PLAIN], version, run, {})
    assert found == {"run_id": "own", "dataset_digest": ""}


def test_each_source_is_found(log, world, dataset):
    version, run = world.version(), facts_of(log("own", test_auc=0.6))
    asked = [
        {**PLAIN, "source": "param"},
        {**PLAIN, "source": "tag"},
        {**PLAIN, "source": "artifact"},
        {**PLAIN, "source": "dataset"},
        {**PLAIN, "source": "monitoring"},
        {**PLAIN, "min_runs": 2, "test_use_limit": 3},
    ]
    found = criterion_facts.facts_for(asked, version, run, {"calls": dataset})
    assert found["params"]["depth"] == "3"
    assert found["artifacts"]["number.txt"] == 1
    assert found["dataset"]["rows"] == 1200
    assert found["dataset"]["age.missing"] == 0
    assert found["dataset_digest"] == dataset.digest
    assert found["monitoring"] == {}
    assert (len(found["seed_runs"]), found["test_uses"]) == (1, 1)


def test_what_projects_learn_of_runs_tells_seeds_apart_as_gates_do(log, project):
    log("one", seed="1")
    log("two", seed="2")
    log("deeper", seed="2", depth="9")
    one, two, deeper = runs_of(project)
    assert one.alike == two.alike != deeper.alike
    assert one.seed != two.seed == deeper.seed
    assert (one.dataset, one.is_eligible) == ("", False)
