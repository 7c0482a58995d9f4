"""The admin of governance: rows by role, states by command, drafts with their mistakes named."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from governance.models import GateReview, PolicyVersion, SignOff
from tests.factories import StakeholderFactory, UserFactory, install_policies
from tests.governance import faces

MODELS = [
    "gatereview",
    "signoff",
    "evidence",
    "requirementresult",
    "promotion",
    "override",
    "deniedattempt",
    "finding",
    "waiver",
    "delegation",
    "condition",
    "lineagenode",
    "policy",
    "policyversion",
    "environment",
]


@pytest.fixture
def review(project, lead, data_scientist) -> GateReview:
    install_policies()
    return faces.model_review(project, requester=lead, author=data_scientist)


@pytest.fixture
def policy_writer(db):
    user = UserFactory(username="paula")
    names = ["view_policyversion", "add_policyversion", "publish_policyversion", "view_policy"]
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))
    return user


@pytest.fixture
def browse(client_for, superuser):
    return client_for(superuser)


@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens_searches_and_keeps_the_strict_policy(browse, review, model):
    response = browse.get(reverse(f"admin:governance_{model}_changelist"), {"q": "term"})
    assert response.status_code == 200
    assert list(faces.offences_in(response)) == []
    assert "script-src 'self'" in response["Content-Security-Policy"]


def test_a_review_links_to_its_page_and_offers_no_change(browse, review):
    address = reverse("admin:governance_gatereview_change", args=[review.pk])
    page = browse.get(address).content.decode()
    assert f"/reviews/{review.pk}/" in page
    assert 'name="_save"' not in page
    assert browse.post(address, {"status": "approved"}).status_code == 403
    review.refresh_from_db()
    assert review.status == GateReview.Status.OPEN


def test_the_history_of_a_row_comes_from_the_ledger(browse, review):
    page = browse.get(reverse("admin:governance_gatereview_history", args=[review.pk]))
    assert b"Gate review requested" in page.content
    assert b"Lena" in page.content
    assert list(faces.offences_in(page)) == []


@pytest.mark.parametrize("model", ["signoff", "deniedattempt", "evidence", "gatereview"])
def test_records_can_be_neither_added_nor_deleted(browse, review, model):
    assert browse.get(reverse(f"admin:governance_{model}_add")).status_code == 403
    address = reverse(f"admin:governance_{model}_delete", args=[1])
    assert browse.post(address, {"post": "yes"}).status_code in {302, 403}
    assert GateReview.objects.filter(pk=review.pk).exists()


def test_rows_follow_the_roles(client_for, lead, review):
    olga = UserFactory(username="olga")
    StakeholderFactory(user=olga, role="validator")
    for user in (olga, lead):
        user.user_permissions.add(Permission.objects.get(codename="view_gatereview"))
    address = reverse("admin:governance_gatereview_changelist")
    detail = reverse("admin:governance_gatereview_change", args=[review.pk])
    assert review.subject_label in client_for(lead).get(address).content.decode()
    stranger = client_for(olga)
    assert review.subject_label not in stranger.get(address).content.decode()
    assert stranger.get(detail).status_code == 302


class TestPolicyDrafts:
    @pytest.fixture
    def version(self, db) -> PolicyVersion:
        install_policies()
        return PolicyVersion.objects.get(policy__name="standard")

    @pytest.fixture
    def text(self, version) -> str:
        return version.text

    def post(self, client, version, text, **more):
        address = reverse("admin:governance_policyversion_add")
        return client.post(address, {"policy": version.policy_id, "text": text, **more})

    @pytest.fixture
    def draft(self, client_for, policy_writer, version, text) -> PolicyVersion:
        self.post(client_for(policy_writer), version, text + "\n# mine\n", note="Because.")
        return PolicyVersion.objects.get(policy=version.policy, number=2)

    def test_a_text_becomes_the_next_draft(self, draft, policy_writer):
        assert (draft.status, draft.note) == (PolicyVersion.Status.DRAFT, "Because.")
        assert list(draft.editors.all()) == [policy_writer]

    def test_a_wrong_text_is_kept_and_its_mistakes_are_named(
        self, client_for, policy_writer, version, text
    ):
        broken = text.replace("roles: [validator], people: 1", "roles: [wizard], people: 1")
        client = client_for(policy_writer)
        assert self.post(client, version, broken).status_code == 302
        draft = PolicyVersion.objects.get(policy=version.policy, number=2)
        assert draft.text == broken.replace("\r\n", "\n")
        page = client.get(reverse("admin:governance_policyversion_changelist")).content.decode()
        assert re.search(r"Line \d+, column \d+, gates.validation.sign_offs.low.roles.0", page)

    def test_a_draft_is_edited_in_place_by_whoever_read_the_newest(
        self, client_for, policy_writer, draft, text
    ):
        editor = UserFactory(username="eddy")
        editor.user_permissions.add(*policy_writer.user_permissions.all())
        address = reverse("admin:governance_policyversion_change", args=[draft.pk])
        typed = {"text": text + "\n# two\n", "note": "", "read_version": draft.version_lock}
        assert client_for(editor).post(address, typed).status_code == 302
        late = {"text": "lost?", "note": "", "read_version": draft.version_lock}
        kept = client_for(policy_writer).post(address, late)
        assert "What you typed is still here" in kept.content.decode()
        assert "lost?" in kept.content.decode()
        draft.refresh_from_db()
        assert draft.text.endswith("# two\n")
        assert set(draft.editors.all()) == {policy_writer, editor}
        assert PolicyVersion.objects.filter(policy=draft.policy).count() == 2

    def test_the_form_checks_while_typing_and_by_a_button(self, client_for, policy_writer, draft):
        address = reverse("admin:governance_policyversion_change", args=[draft.pk])
        page = client_for(policy_writer).get(address)
        assert 'formaction="/policies/check/"' in page.content.decode()
        assert 'hx-post="/policies/check/"' in page.content.decode()
        assert list(faces.offences_in(page)) == []

    def test_a_published_text_cannot_be_changed(self, client_for, policy_writer, version, text):
        address = reverse("admin:governance_policyversion_change", args=[version.pk])
        typed = {"text": "schema: 1", "note": "", "read_version": version.version_lock}
        response = client_for(policy_writer).post(address, typed)
        assert response.status_code == 403
        version.refresh_from_db()
        assert version.text == text


def test_sign_offs_have_no_form(browse, review, validator):
    sign_off = SignOff.objects.create(
        review=review, signer=validator, printed_name="Vera", role="validator",
        outcome="approved", meaning="I approve.", statement="I, Vera", sequence=0,
        bindings_digest=review.bindings_digest, policy_digest="0" * 64, method="session+password",
    )  # fmt: skip
    page = browse.get(reverse("admin:governance_signoff_change", args=[sign_off.pk]))
    assert page.status_code == 200
    assert b"<textarea" not in page.content


def test_the_overview_counts_what_waits(client_for, validator, review):
    page = client_for(validator).get("/admin/").content.decode()
    assert "waiting for me" in page
    assert 'class="count" title="1 waiting for you"' in page


def test_people_without_the_admin_sign_in_and_out(client, validator):
    validator.is_staff = False
    validator.save()
    signed_in = client.post(
        "/admin/login/?next=/inbox/",
        {"username": "vera", "password": "correct horse", "next": "/inbox/"},
    )
    assert signed_in["Location"] == "/inbox/"
    assert client.get("/inbox/").status_code == 200
    assert client.get("/admin/").status_code == 302
    assert client.get("/admin/login/")["Location"] == "/"
    assert client.post("/admin/logout/").status_code == 200
    assert client.get("/inbox/").status_code == 302
