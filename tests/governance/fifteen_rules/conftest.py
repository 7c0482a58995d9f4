"""The doors, and the tests' policy with every rule on authors at the gate of model versions."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.utils import timezone

from governance.models import Delegation, GateReview, PolicyVersion
from governance.services.reviews import ReviewRequest, request_review
from tests.factories import CAST, UserFactory, install_policies, session_actor
from tests.governance.fifteen_rules.doors import DOORS, Page, Rest, give

NAMED = (
    "committer_not_approver",
    "assignee_not_approver",
    "deployer_not_approver",
    "builder_not_validator",
)


@pytest.fixture
def policy(db: None, settings: Any, tmp_path: Path) -> PolicyVersion:
    """The tests' policy with every rule on authors, another gate and a copy condition."""
    raw = yaml.safe_load((Path(django_settings.POLICY_DIR) / "standard.yaml").read_text())
    gate = raw["gates"]["validation"]
    gate["separation"] += [*NAMED, {"rule": "other_reporting_line", "tiers": ["high"]}]
    gate["copy_conditions"] = [{"changed": ["evidence:eda_report"], "keep": ["business_owner"]}]
    gate["sign_offs"]["low"] = {"roles": ["validator", "business_owner"], "people": 1}
    # A later gate, for a condition to block, which takes more people than roles.
    raw["gates"]["canary"] = {
        "title": "Canary",
        "subject": "model_version",
        "sign_offs": {
            tier: {"roles": ["business_owner"], "people": 2} for tier in ("low", "medium", "high")
        },
        "separation": ["requester_not_approver"],
        "requirements": [{"key": "files", "check": "files_unchanged", "title": "Same files"}],
    }
    (tmp_path / "standard.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    settings.POLICY_DIR = tmp_path
    install_policies()
    return PolicyVersion.objects.get(policy__name="standard")


class Cast:
    """The people of the project by their role: `cast.validator`."""

    def __getattr__(self, role: str) -> User:
        (username,) = (name for name, held in CAST.items() if held == role)
        return UserFactory(username=username)


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


@pytest.fixture(params=DOORS)
def door(request: Any, api: Any, client_for: Any) -> Rest | Page:
    """One door after the other: `door.sign(vera, review, "validator")`."""
    return Rest(api) if request.param == "rest" else Page(client_for)


@pytest.fixture
def stand_in(review: GateReview, validator: User, risk_officer: User) -> User:
    """Rita, to whom Vera has passed her right to sign on."""
    now = timezone.now()
    Delegation.objects.create(
        project=review.project, role="validator", holder=validator, delegate=risk_officer,
        reason="Leave.", valid_from=now, valid_to=now + timedelta(days=3),
    )  # fmt: skip
    return risk_officer


@pytest.fixture
def canary(review: GateReview, lead: User, data_owner: User) -> GateReview:
    """The review of the same version at the other gate, which two business owners may sign."""
    give(review, data_owner, "business_owner")
    wanted = ReviewRequest("canary", review.project, "model_version", review.subject_ref)
    return request_review(wanted, actor=session_actor(lead))
