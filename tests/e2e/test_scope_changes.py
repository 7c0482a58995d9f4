"""The page of two versions in a real browser: both themes, wide and narrow."""

import os

import pytest

from projects.services import deviations
from tests import factories
from tests.factories import install_policies, session_actor

pytestmark = [pytest.mark.browser, pytest.mark.no_ledger_guard]


@pytest.fixture
def loosened(racing_db, approved_scope, project, lead, data_scientist):
    install_policies()
    content = factories.scope_content_of()
    content["criteria"][0]["threshold"] = 0.52
    content["criteria"][1]["threshold"] = 1.6
    content["risks"][0]["impact"] = 5
    content["prior_art"].pop()
    content["current_process"] = content["current_process"].replace("nobody", "no person")
    document = factories.submit_scope(project, lead, content)
    deviations.explain_deviation(
        document.deviations.get(),
        actor=session_actor(data_scientist),
        reason="The months after the crisis are harder than anybody expected.",
        is_result_seen=False,
    )
    return document


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_changes_fit_the_window_and_every_control_has_a_name(
    window, loosened, validator, lead, scheme, width
):
    for user, document in ((validator, loosened), (lead, loosened.parent)):
        shown = window(user, width=width, scheme=scheme)
        shown.open(f"/scopes/{document.pk}/changes/")
        assert shown.troubles() == []
        assert shown.overflows() == []
        if folder := os.environ.get("SHOTS"):
            shown.page.screenshot(
                path=f"{folder}/{document.version}-{scheme}-{width}.png", full_page=True
            )
        assert all(name for _, name in shown.controls())
