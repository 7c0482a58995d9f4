"""The page on which a subject is put up for review, and the inbox that says what was not."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.models import GateReview, LineageNode
from governance.services.unasked import unasked
from projects.models import Project, ScopingDocument
from tests import factories
from tests.factories import session_actor
from tests.governance import fakes

pytestmark = pytest.mark.django_db


def page_of(document: ScopingDocument) -> str:
    return f"/reviews/of/scoping_document/{document.pk}/"


def told(answer: Any) -> str:
    return " ".join(answer.content.decode().replace("&#x27;", "'").split())


@pytest.fixture
def dataset(candidate: str, project: Project) -> int:
    """The dataset version of the fakes, as the lineage knows it."""
    LineageNode.objects.create(
        project=project, kind="dataset", ref=fakes.DATASET, label="bank-marketing v1"
    )
    return 3


def test_a_submitted_scope_leads_to_its_gate_and_is_put_up_there(
    policy: Any, submitted_scope: ScopingDocument, lead: User, client_for: Any
) -> None:
    browser = client_for(lead)
    assert page_of(submitted_scope) in told(browser.get(f"/scopes/{submitted_scope.pk}/"))
    shown = told(browser.get(page_of(submitted_scope)))
    assert "Ask for: scope" in shown
    assert "Bruno" in shown
    assert "may sign" in shown
    answer = browser.post(page_of(submitted_scope), {"gate": "scope"}, follow=True)
    review = GateReview.objects.get()
    assert answer.redirect_chain[-1][0] == f"/reviews/{review.pk}/"
    assert (review.subject_ref, review.requested_by) == (submitted_scope.ref, lead)
    assert "Go to the review" in told(browser.get(page_of(submitted_scope)))


def test_a_draft_says_why_it_cannot_be_put_up_and_nothing_opens(
    policy: Any, project: Project, lead: User, client_for: Any
) -> None:
    draft = factories.write_scope(project, lead)
    browser = client_for(lead)
    assert page_of(draft) not in told(browser.get(f"/scopes/{draft.pk}/"))
    assert "It cannot be put up yet" in told(browser.get(page_of(draft)))
    assert "cannot" in told(browser.post(page_of(draft), {"gate": "scope"}, follow=True))
    assert not GateReview.objects.exists()


def test_who_may_not_ask_sees_who_may_and_is_refused(
    policy: Any, submitted_scope: ScopingDocument, validator: User, client_for: Any
) -> None:
    browser = client_for(validator)
    shown = told(browser.get(page_of(submitted_scope)))
    assert "can ask for it: lead." in shown
    assert 'name="gate"' not in shown
    refused = browser.post(page_of(submitted_scope), {"gate": "scope"}, follow=True)
    assert "it takes the role of lead" in told(refused)
    assert not GateReview.objects.exists()


@pytest.mark.parametrize("address", ["/reviews/of/model_version/1/", "/reviews/of/nothing/1/"])
def test_what_is_not_put_up_by_itself_has_no_such_page(
    policy: Any, lead: User, client_for: Any, address: str
) -> None:
    assert client_for(lead).get(address).status_code == 404


def test_strangers_learn_of_no_subject(
    policy: Any, submitted_scope: ScopingDocument, outsider: User, client_for: Any
) -> None:
    browser = client_for(outsider)
    assert browser.get(page_of(submitted_scope)).status_code == 404
    assert browser.post(page_of(submitted_scope), {"gate": "scope"}).status_code == 404
    assert browser.get("/reviews/of/scoping_document/99999/").status_code == 404


def test_an_approved_subject_says_so_and_offers_no_second_review(
    released_data: GateReview, data_scientist: User, client_for: Any
) -> None:
    shown = told(client_for(data_scientist).get("/reviews/of/dataset_version/3/"))
    assert "It was approved" in shown
    assert 'name="gate"' not in shown


class TestInbox:
    def test_what_nobody_put_up_appears_until_somebody_does(
        self, policy: Any, submitted_scope: ScopingDocument, lead: User, client_for: Any
    ) -> None:
        browser = client_for(lead)
        assert page_of(submitted_scope) in told(browser.get("/inbox/"))
        browser.post(page_of(submitted_scope), {"gate": "scope"})
        assert "Put it up for review" not in told(browser.get(f"/scopes/{submitted_scope.pk}/"))
        assert page_of(submitted_scope) not in told(browser.get("/inbox/"))
        GateReview.objects.update(status="withdrawn")
        assert page_of(submitted_scope) in told(browser.get("/inbox/"))
        assert "Put it up for review" in told(browser.get(f"/scopes/{submitted_scope.pk}/"))

    def test_only_those_who_may_ask_are_told(
        self, dataset: int, submitted_scope: ScopingDocument, data_scientist: User, lead: User
    ) -> None:
        of_builder = unasked(session_actor(data_scientist))
        assert [(one.kind, one.number) for one in of_builder] == [("dataset_version", dataset)]
        assert [one.label for one in of_builder] == ["bank-marketing v1"]
        assert unasked(session_actor(User.objects.get(username="axel"))) == []

    def test_more_subjects_and_projects_take_no_more_queries(
        self, policy: Any, submitted_scope: ScopingDocument, project: Project, lead: User
    ) -> None:
        def cost() -> tuple[int, int]:
            with CaptureQueriesContext(connection) as caught:
                found = unasked(session_actor(lead))
            return len(caught), len(found)

        queries, subjects = cost()
        for number in range(4, 7):
            other = factories.ProjectFactory()
            factories.StakeholderFactory(project=other, user=lead)
            for place, name in ((project, "more"), (other, "set")):
                LineageNode.objects.create(
                    project=place, kind="dataset", label=f"{name}-{number} v1",
                    ref=f"dataset_version:{number}{place.pk}",
                )  # fmt: skip
        assert cost() == (queries, subjects + 6)
