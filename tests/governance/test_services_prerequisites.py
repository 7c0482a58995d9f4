"""Asking for a late gate asks for the gates that it builds on, once."""

from typing import Any

import pytest
import yaml
from django.conf import settings
from django.contrib.auth.models import User

from governance.models import GateReview, PolicyVersion
from governance.rules.gate_order import gates_before
from governance.rules.policy import TIERS
from governance.rules.policy_reader import parse_policy
from governance.rules.requirements import VOCABULARY
from governance.services import reviews
from governance.services.prerequisites import request_earlier_gates
from governance.services.reviews import ReviewRequest
from projects.errors import NotPermitted
from projects.models import Project
from tests.factories import edit_past_the_triggers, session_actor
from tests.governance import fakes


def with_late_gates(text: str) -> dict[str, Any]:
    """Return the tests' policy with a gate `late` that builds on `middle`, and that on validation.

    `middle` is asked for from medium risk on.
    """
    raw: dict[str, Any] = yaml.safe_load(text)
    for name, before, tiers in (
        ("middle", "validation", TIERS),
        ("late", "middle", ("medium", "high")),
    ):
        passed = {"check": "gate_passed", "params": {"passed": before}, "title": f"{before} passed"}
        files = {"key": "files", "check": "files_unchanged", "title": "The files are the same"}
        raw["gates"][name] = {
            **raw["gates"]["validation"],
            "requirements": [{"key": "before", **passed, "tiers": list(tiers)}, files],
        }
    return raw


@pytest.fixture
def text() -> str:
    return (settings.POLICY_DIR / "standard.yaml").read_text(encoding="utf-8")


def test_gates_before_a_gate_come_first_first_and_by_tier(text: str) -> None:
    gates = parse_policy(with_late_gates(text), VOCABULARY).gates
    assert gates_before(gates, "late", "medium") == ["validation", "middle"]
    assert gates_before(gates, "late", "low") == []
    assert gates_before(gates, "validation", "high") == []


def test_a_circle_of_gates_is_walked_once(text: str) -> None:
    raw = with_late_gates(text)
    circle = {"check": "gate_passed", "params": {"passed": "late"}, "title": "Late passed"}
    raw["gates"]["validation"]["requirements"].append({"key": "circle", **circle})
    gates = parse_policy(raw, VOCABULARY).gates
    assert gates_before(gates, "late", "high") == ["validation", "middle"]


@pytest.fixture
def late(
    candidate: str, policy: PolicyVersion, text: str, project: Project, data_scientist: User
) -> GateReview:
    policy_text = yaml.safe_dump(with_late_gates(text))
    edit_past_the_triggers(PolicyVersion.objects.filter(pk=policy.pk), text=policy_text)
    request = ReviewRequest("late", project, "model_version", candidate)
    return reviews.request_review(request, actor=session_actor(data_scientist))


@pytest.mark.django_db
def test_earlier_gates_are_asked_for_once(late: GateReview, data_scientist: User) -> None:
    actor = session_actor(data_scientist)
    asked = request_earlier_gates(late, actor=actor)
    assert [one.gate for one in asked] == ["validation", "middle"]
    assert {one.subject_ref for one in asked} == {fakes.MODEL}
    assert request_earlier_gates(late, actor=actor) == []
    assert GateReview.objects.filter(status="open", subject_ref=fakes.MODEL).count() == 3


@pytest.mark.django_db
def test_who_may_not_ask_for_a_review_asks_for_none(late: GateReview, auditor: User) -> None:
    with pytest.raises(NotPermitted) as refusal:
        request_earlier_gates(late, actor=session_actor(auditor))
    assert refusal.value.code == "role_missing"
    assert GateReview.objects.filter(subject_ref=fakes.MODEL).count() == 1
