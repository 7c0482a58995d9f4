"""A run names its work item through MLflow's client, and the item's page shows it at once."""

import pytest
from mlflow.exceptions import MlflowException

from ledger.models import LedgerEntry
from pipeline.models import Run
from projects.services.item_runs import link_known_run, runs_of_item, unlink_known_run
from tests.factories import ProjectFactory, SprintFactory, WorkItemFactory, session_actor
from tests.pipeline.gateway.conftest import EXPERIMENT

pytestmark = pytest.mark.django_db(transaction=True)

TIE, URL = "countersign.work_item", "countersign.work_item.url"


@pytest.fixture
def item(mlflow_server, project):
    sprint = SprintFactory(project=project, status="active")
    return WorkItemFactory(project=project, sprint=sprint, status="doing", title="Rules first")


@pytest.fixture
def mlflow(mlflow_server, data_scientist):
    return mlflow_server.client(data_scientist)


@pytest.fixture
def experiment_id(mlflow):
    return mlflow.create_experiment(EXPERIMENT)


@pytest.fixture
def run_id(mlflow, experiment_id):
    return mlflow.create_run(experiment_id, run_name="logistic").info.run_id


def ties_of(mlflow, run_id):
    tags = mlflow.get_run(run_id).data.tags
    return {key: value for key, value in tags.items() if key.startswith(TIE)}


def named(settings, item):
    return {TIE: item.ref, URL: f"{settings.BASE_URL}/work-items/{item.pk}/"}


def items_of(run_id):
    from projects.models import WorkItem

    return [item.pk for item in WorkItem.objects.all() if run_id in item.run_ids]


def page_of(item, client_for, user):
    return client_for(user).get(f"/work-items/{item.pk}/runs/").content.decode()


def test_a_run_that_starts_for_an_item_points_to_its_page(mlflow, experiment_id, item, settings):
    run = mlflow.create_run(experiment_id, tags={TIE: item.ref})
    assert ties_of(mlflow, run.info.run_id) == named(settings, item)


def test_a_tag_set_later_links_and_the_page_shows_it_at_once(
    mlflow, run_id, item, settings, data_scientist, client_for
):
    before = page_of(item, client_for, data_scientist)
    mlflow.set_tag(run_id, TIE, str(item.pk))
    assert ties_of(mlflow, run_id) == named(settings, item)
    assert Run.objects.get().work_item == item
    assert "logistic" not in before
    page = page_of(item, client_for, data_scientist)
    assert "logistic" in page
    assert f"/mlflow/#/experiments/{Run.objects.get().experiment.experiment_id}/runs/" in page


def test_naming_another_item_moves_the_run(mlflow, run_id, item, settings):
    other = WorkItemFactory(project=item.project, sprint=item.sprint)
    mlflow.set_tag(run_id, TIE, item.ref)
    mlflow.set_tag(run_id, TIE, other.ref)
    assert items_of(run_id) == [other.pk]
    assert ties_of(mlflow, run_id) == named(settings, other)
    kinds = list(item.events.values_list("kind", flat=True))
    assert kinds == ["run_linked", "run_unlinked"]


@pytest.mark.parametrize("way", ["delete_tag", "empty"])
def test_taking_the_tag_off_unlinks(mlflow, run_id, item, way):
    mlflow.set_tag(run_id, TIE, item.ref)
    if way == "empty":
        mlflow.set_tag(run_id, TIE, "")
    else:
        mlflow.delete_tag(run_id, TIE)
    assert ties_of(mlflow, run_id) == {}
    assert (items_of(run_id), Run.objects.get().work_item) == ([], None)
    assert LedgerEntry.objects.filter(event="work_item.run_unlinked").count() == 1


def test_a_foreign_item_is_refused_and_the_tie_stays(mlflow, run_id, item, settings):
    foreign = WorkItemFactory(project=ProjectFactory(slug="churn"))
    mlflow.set_tag(run_id, TIE, item.ref)
    with pytest.raises(MlflowException, match="names nothing"):
        mlflow.set_tag(run_id, TIE, foreign.ref)
    with pytest.raises(MlflowException, match="names nothing"):
        mlflow.log_batch(run_id, tags=[_tag(TIE, foreign.ref)])
    assert items_of(run_id) == [item.pk]
    assert ties_of(mlflow, run_id) == named(settings, item)


@pytest.mark.parametrize("way", ["create", "set", "batch", "delete"])
def test_the_address_is_written_by_the_service_alone(
    mlflow, experiment_id, run_id, item, settings, way
):
    mlflow.set_tag(run_id, TIE, item.ref)
    forged = "https://elsewhere.example/"
    attempts = {
        "create": lambda: mlflow.create_run(experiment_id, tags={URL: forged}),
        "set": lambda: mlflow.set_tag(run_id, URL, forged),
        "batch": lambda: mlflow.log_batch(run_id, tags=[_tag(URL, forged)]),
        "delete": lambda: mlflow.delete_tag(run_id, URL),
    }
    with pytest.raises(MlflowException, match="reserved"):
        attempts[way]()
    assert ties_of(mlflow, run_id) == named(settings, item)
    assert Run.objects.count() == 1


def test_only_the_launcher_ties_a_run(mlflow_server, mlflow, run_id, item, ml_engineer):
    other = mlflow_server.client(ml_engineer)
    for attempt in (
        lambda: other.set_tag(run_id, TIE, item.ref),
        lambda: other.delete_tag(run_id, TIE),
    ):
        with pytest.raises(MlflowException, match="launched by someone else"):
            attempt()
    assert items_of(run_id) == []


def test_a_run_linked_on_the_page_names_its_item_in_mlflow(
    mlflow, run_id, item, settings, ml_engineer
):
    link_known_run(item, run_id, actor=session_actor(ml_engineer))
    assert Run.objects.get().work_item == item
    assert ties_of(mlflow, run_id) == named(settings, item)
    unlink_known_run(item, run_id, actor=session_actor(ml_engineer))
    assert Run.objects.get().work_item is None
    assert (items_of(run_id), ties_of(mlflow, run_id)) == ([], {})


def test_metrics_of_a_running_run_show_against_the_criteria(
    mlflow, run_id, item, approved_scope, data_scientist, client_for
):
    criterion = approved_scope.snapshot["criteria"][0]
    mlflow.set_tag(run_id, TIE, item.ref)
    _age(run_id)
    assert {one.state for one in runs_of_item(item).runs[0].results} == {"missing"}
    mlflow.log_metric(run_id, criterion["metric_key"], 0.99)
    _age(run_id)
    running = page_of(item, client_for, data_scientist)
    assert "0.99" in running
    assert 'hx-trigger="every' in running
    mlflow.set_terminated(run_id)
    assert "hx-trigger" not in page_of(item, client_for, data_scientist)


def _age(run_id):
    """Let our copy of the run be older than what is taken for fresh."""
    from datetime import timedelta

    from django.utils import timezone

    Run.objects.filter(run_id=run_id).update(mirrored_at=timezone.now() - timedelta(minutes=1))


def _tag(key, value):
    from mlflow.entities import RunTag

    return RunTag(key, value)
