"""A check that takes work is started, watched and ended in a browser."""

import pytest
from django.db import transaction

from governance.models import CheckRun
from governance.services import check_runs, reviews
from governance.services.check_runs import Answer
from projects.actors import system
from tests import working_policy
from tests.factories import install_policies
from tests.governance import faces

pytestmark = pytest.mark.browser
CHECKS = system("checks")


@pytest.fixture(autouse=True)
def working(settings, tmp_path):
    working_policy.install(settings, tmp_path / "policies")
    settings.SUBJECT_RESOLVERS = faces.RESOLVERS


@pytest.fixture
def review(racing_db, approved_scope, project, lead, data_scientist):
    with transaction.atomic():
        install_policies()
    return faces.model_review(project, requester=lead, author=data_scientist)


def test_a_check_is_started_and_its_progress_and_end_appear_by_themselves(
    window, review, validator
):
    vera = window(validator)
    vera.open(f"/reviews/{review.pk}/")
    vera.page.get_by_role("button", name="Run: The AUC is not below the floor").click()
    part = vera.page.locator("#check-runs")
    part.get_by_text("Waiting for a worker.").wait_for()

    run = CheckRun.objects.select_related("review__project", "review__policy_version").get()
    assert check_runs.claim_check_run(run, worker="job:1", actor=CHECKS)
    assert check_runs.report_progress(run, 40, "Reading the facts.")
    part.get_by_text("Reading the facts.").wait_for()
    assert part.get_by_role("progressbar").get_attribute("value") == "40"
    part.get_by_role("button", name="Cancel: The AUC is not below the floor").wait_for()

    check_runs.finish_check_run(run, Answer("pass", "The AUC is 0.79."), actor=CHECKS)
    reviews.evaluate_review(review, actor=CHECKS)
    vera.page.locator("#requirements").get_by_text("The AUC is 0.79.").wait_for()
    assert vera.troubles() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_with_runs_in_every_state(window, review, validator, width, scheme):
    for key, status in (("floor", "running"), ("again", "failed")):
        CheckRun.objects.create(
            review=review,
            key=key,
            kind="script",
            bindings_digest=review.bindings_digest,
            status=status,
            result={"progress": 40},
            message="Of 24 metrics test_roc_auc differs most, by 0.0213; the tolerance is 0.001.",
            requested_as="user:1",
        )
    vera = window(validator, width=width, scheme=scheme)
    vera.open(f"/reviews/{review.pk}/")
    vera.page.locator("#requirements summary").first.click()
    assert vera.overflows() == []
    assert vera.troubles() == []
    assert all(name for _, name in vera.controls())
