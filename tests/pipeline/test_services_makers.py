"""Every hand that was on a model version is found, and unknown hands are said to be unknown."""

from dataclasses import replace

import pytest
from django.utils import timezone

from pipeline.adapters.source_control import COMMIT, COMMITTERS
from pipeline.models import Experiment, Run
from pipeline.services.makers import committers_of, makers_of
from pipeline.services.mirror import RunFacts
from tests.factories import UserFactory, WorkItemFactory

pytestmark = pytest.mark.django_db
FACTS = RunFacts("r1", "1", "run", "FINISHED", timezone.now(), tags={COMMIT: "c" * 40})


def tagged(names):
    return replace(FACTS, tags={**FACTS.tags, COMMITTERS: names})


@pytest.fixture
def version(world, data_scientist, ml_engineer):
    project = world.project
    run = Run.objects.create(
        run_id="r1",
        experiment=Experiment.objects.create(experiment_id="1", name="e", project=project),
        project=project,
        launched_by=data_scientist,
        launched_as=f"user:{data_scientist.pk}",
        work_item=WorkItemFactory(project=project, assignee=ml_engineer),
    )
    return world.version(run=run)


def makers(version, facts=FACTS):
    return makers_of(version, version.run, facts, [], None)


@pytest.mark.parametrize("name", ["sam@example.test", "SAM@example.test", "sam", " sam ,"])
def test_a_committer_is_known_by_address_or_user_name(version, data_scientist, name):
    found = makers(version, tagged(name))
    assert found.authors["commit"] == {data_scientist.pk}
    assert "commit" not in found.unmapped
    assert "c" * 12 in found.traces["commit"]


def test_other_addresses_are_mapped_by_the_setting(version, data_scientist, settings):
    settings.COMMIT_IDENTITIES = {"sam@home.example": "sam"}
    assert makers(version, tagged("Sam@home.example")).authors["commit"] == {data_scientist.pk}


def test_one_unknown_committer_among_known_ones_is_flagged(version, data_scientist):
    found = makers(version, tagged("sam,ghost@example.org"))
    assert found.authors["commit"] == {data_scientist.pk}
    assert found.unmapped == ("commit",)


def test_a_commit_by_nobody_in_particular_is_flagged(version):
    assert makers(version).unmapped == ("commit",)


def test_the_code_of_the_service_itself_needs_no_committer(version):
    version.run.launched_by, version.run.launched_as = None, "system:retraining"
    assert makers(version).unmapped == ()


def test_an_address_that_two_accounts_share_names_neither(db):
    UserFactory(username="one", email="team@example.org")
    UserFactory(username="two", email="team@example.org")
    found = committers_of(tagged("team@example.org"))
    assert (found.known, found.unknown) == (frozenset(), ("team@example.org",))


def test_the_assignee_of_the_experiment_had_a_hand_in_it(version, ml_engineer):
    found = makers(version)
    assert found.authors["assignee"] == {ml_engineer.pk}
    assert version.run.work_item.title in found.traces["assignee"]


def test_who_had_it_deployed_before_is_its_deployer(version, world, ml_engineer):
    promotion = world.promotion(version)
    assert makers(version).authors["deployment"] == frozenset()
    promotion.requested_by, promotion.applied_at = ml_engineer, timezone.now()
    promotion.save()
    found = makers(version)
    assert found.authors["deployment"] == {ml_engineer.pk}
    assert str(promotion.environment) in found.traces["deployment"]
