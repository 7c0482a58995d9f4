"""The inbox, the list of reviews and the page of one review, through the door."""

import pytest

from governance.models import GateReview
from tests.factories import session_actor
from tests.governance import faces


@pytest.fixture
def review(submitted_scope, project, lead) -> GateReview:
    faces.load_policies()
    return faces.ask_for(project, session_actor(lead), "scoping_document", submitted_scope.ref)


def test_anonymous_is_led_to_the_sign_in(client, review):
    for address in ("/inbox/", "/reviews/", f"/reviews/{review.pk}/", "/lineage/"):
        response = client.get(address)
        assert response.status_code == 302
        assert response["Location"].startswith("/admin/login/?next=")


def test_stranger_gets_404(client_for, outsider, review):
    response = client_for(outsider).get(f"/reviews/{review.pk}/")
    assert response.status_code == 404


def test_signer_sees_what_waits_and_the_form(client_for, business_owner, review):
    client = client_for(business_owner)
    inbox = client.get("/inbox/").content.decode()
    assert "Review and sign" in inbox
    page = client.get(f"/reviews/{review.pk}/").content.decode()
    assert review.bindings_digest in page
    assert 'type="password"' in page
