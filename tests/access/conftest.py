"""One of everything that an address names, in one project, with the whole cast on it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from governance.models import Promotion
from tests import working_policy
from tests.access.things import Things, build
from tests.factories import install_policies
from tests.governance.conftest import (  # noqa: F401 - fixtures
    candidate,
    data_review,
    promotion,
    released_data,
    sign,
    stand_ins,
    world,
)
from tests.pipeline.conftest import model_template, own_files  # noqa: F401 - fixtures

SPRINT_GATE = "experiment_review"


@pytest.fixture
def policy(db: None, settings: Any, tmp_path: Path) -> None:
    """Let a gate judge sprints and one ask for checks, so that their doors lead somewhere."""
    working_policy.install(settings, tmp_path / "policies")
    path = tmp_path / "policies" / "standard.yaml"
    shipped = (Path(settings.BASE_DIR) / "fixtures/policies/standard.yaml").read_text()
    rules = yaml.safe_load(path.read_text())
    rules["gates"][SPRINT_GATE] = yaml.safe_load(shipped)["gates"][SPRINT_GATE]
    path.write_text(yaml.safe_dump(rules))
    install_policies()


@pytest.fixture
def things(promotion: Promotion, model_template: Path) -> Things:  # noqa: F811
    return build(promotion, model_template)
