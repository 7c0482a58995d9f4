"""What gates say before release, monitor and build sprints start; each reason names who signs."""

from typing import Any

import pytest

from governance import guards
from governance.models import GateReview, Promotion
from projects.models import Project
from tests.factories import SprintFactory
from tests.governance import fakes

pytestmark = pytest.mark.django_db


def test_release_waits_for_the_validation_of_its_version(promotion: Promotion) -> None:
    sprint = SprintFactory(project=promotion.project, kind="release", model_ref=fakes.MODEL)
    (reason,) = guards.require_validated_version(sprint)
    assert "The validation gate of" in reason
    assert "validator (Vera)" in reason


def test_released_and_live_version_may_be_worked_on(applied: Promotion) -> None:
    fields = {"project": applied.project, "model_ref": fakes.MODEL}
    assert guards.require_validated_version(SprintFactory(kind="release", **fields)) == []
    assert guards.require_live_version(SprintFactory(kind="monitor", **fields)) == []


def test_monitoring_needs_a_deployed_version(project: Project, promotion: Promotion) -> None:
    waiting = SprintFactory(project=project, kind="monitor", model_ref=fakes.MODEL)
    (reason,) = guards.require_live_version(waiting)
    assert "is not live in production: its promotion is requested" in reason
    unknown = SprintFactory(project=project, kind="monitor", model_ref="model_version:999")
    (reason,) = guards.require_live_version(unknown)
    assert "nobody has requested its promotion" in reason


def test_monitoring_needs_an_approval_that_has_not_ended(applied: Promotion) -> None:
    GateReview.objects.filter(pk=applied.review_id).update(expires_at=applied.requested_at)
    sprint = SprintFactory(project=applied.project, kind="monitor", model_ref=fakes.MODEL)
    (reason,) = guards.require_live_version(sprint)
    assert "does not stand any more" in reason


def test_building_passes_where_the_policy_has_no_gate_after_experiments(
    project: Project, policy: Any
) -> None:
    assert guards.require_experiment_review(SprintFactory(project=project, kind="build")) == []


def test_building_waits_for_the_gate_after_experiments(
    project: Project, policy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gates = guards._gates_of_policy(project)
    monkeypatch.setattr(
        guards, "_gates_of_policy", lambda _: {**gates, "experiment_review": gates["scope"]}
    )
    (reason,) = guards.require_experiment_review(SprintFactory(project=project, kind="build"))
    assert "The gate experiment_review of Term-deposit calls is not passed" in reason
    assert "business owner (Bruno)" in reason
