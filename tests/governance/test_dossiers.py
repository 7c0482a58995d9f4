"""The dossier of a review: one document, the same bytes for the same record, known by digest."""

import hashlib
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from governance.models import Dossier, GateReview
from governance.services import dossiers, findings, reviews
from ledger.models import LedgerEntry
from projects import content_store
from projects.errors import NotFound
from tests.factories import install_policies, session_actor
from tests.governance import faces

pytestmark = pytest.mark.django_db
V1 = "/api/v1"


@pytest.fixture(autouse=True)
def own_files(settings, tmp_path):
    settings.CONTENT_STORE = tmp_path / "content"


@pytest.fixture
def review(project, lead, data_scientist) -> GateReview:
    install_policies()
    return faces.model_review(project, requester=lead, author=data_scientist)


def issued_entries():
    return LedgerEntry.objects.filter(event="dossier.issued")


def test_everything_that_was_judged_and_said_is_in_it(review, project, validator, lead):
    new = findings.NewFinding(project, "model_version", review.subject_ref, "Leak", "Why", "low")
    findings.open_finding(new, actor=session_actor(validator))
    reviews.give_feedback(review, actor=session_actor(validator), text="Watch <pdays>.")
    document = dossiers.compose(review).decode()
    evidence = [row.digest for row in reviews_evidence(review)]
    for shown in (
        review.bindings_digest,
        *review.bindings.values(),
        review.policy_version.digest,
        *evidence,
        "The training run finished",
        "data:image/svg+xml;base64,",
        "Leak",
        "Watch &lt;pdays&gt;.",
        "Gate review requested",
    ):
        assert shown in document
    first = LedgerEntry.objects.filter(subject=review.ref).order_by("seq").first()
    assert f"<td>{first.seq}</td>" in document


def reviews_evidence(review):
    from governance.models import Evidence

    return Evidence.objects.of_subject(review.subject_kind, review.subject_ref)


def test_a_signature_is_in_it_with_its_statement(scope_review, sign, business_owner):
    given = sign(scope_review, business_owner, "business_owner", reason="All criteria read.")
    document = dossiers.compose(scope_review).decode()
    assert given.statement.split("\n")[0].replace("'", "&#x27;") in document
    assert "All criteria read." in document


def test_it_loads_nothing_and_runs_nothing(review):
    document = dossiers.compose(review).decode()
    assert not re.search(r"<(script|link|iframe|object)\b", document)
    assert not re.search(r"\b(src|href)=\"(?!data:)", document)


def test_an_unchanged_review_gives_the_same_bytes_and_the_same_dossier(
    review, validator, auditor, lead
):
    first = dossiers.issue_dossier(review, actor=session_actor(validator))
    again = dossiers.issue_dossier(
        GateReview.objects.get(pk=review.pk), actor=session_actor(auditor)
    )
    assert again == first
    (entry,) = issued_entries()
    assert entry.data["digest"] == first.digest
    assert entry.data["review"] == review.ref
    data = content_store.read(first.digest)
    assert hashlib.sha256(data).hexdigest() == first.digest
    assert first.digest not in data.decode()


def test_a_change_gives_another_dossier(review, validator):
    first = dossiers.issue_dossier(review, actor=session_actor(validator))
    reviews.give_feedback(review, actor=session_actor(validator), text="Sound.")
    second = dossiers.issue_dossier(review, actor=session_actor(validator))
    assert second.digest != first.digest
    assert content_store.read(first.digest) != content_store.read(second.digest)
    assert issued_entries().count() == 2


def test_a_stranger_issues_none(review, outsider):
    with pytest.raises(NotFound):
        dossiers.issue_dossier(review, actor=session_actor(outsider))
    assert not Dossier.objects.exists()
    assert not issued_entries().exists()


class TestPages:
    def test_issued_opened_and_downloaded(self, client_for, review, auditor):
        client = client_for(auditor)
        place = f"/reviews/{review.pk}/dossier/"
        assert b"No dossier was issued yet" in client.get(place).content
        document = client.get(f"{place}document/")
        assert "'unsafe" not in document["Content-Security-Policy"]
        assert "sandbox" in document["Content-Security-Policy"]
        assert not Dossier.objects.exists(), "to look at it issues nothing"
        page = client.post(f"{place}issue/", follow=True)
        row = Dossier.objects.get()
        assert row.digest in page.content.decode()
        kept = client.get(f"/dossiers/{row.digest}/")
        assert kept.content == document.content
        assert hashlib.sha256(kept.content).hexdigest() == row.digest
        assert list(faces.offences_in(page)) == []

    def test_strangers_and_unknown_digests_get_404(self, client_for, review, validator, outsider):
        row = dossiers.issue_dossier(review, actor=session_actor(validator))
        place = f"/reviews/{review.pk}/dossier/"
        stranger = client_for(outsider)
        for address in (place, f"{place}document/", f"/dossiers/{row.digest}/"):
            assert stranger.get(address).status_code == 404
        assert stranger.post(f"{place}issue/").status_code == 404
        assert client_for(validator).get(f"/dossiers/{'0' * 64}/").status_code == 404
        assert client_for(validator).get(f"{place}issue/").status_code == 405


class TestOverRest:
    def test_issued_listed_and_sent(self, api, review, validator, outsider):
        client = api(validator)
        place = f"{V1}/gate-reviews/{review.pk}/dossiers/"
        answer = client.post(place)
        assert answer.status_code == 201
        digest = answer.json()["digest"]
        assert client.post(place).json()["id"] == answer.json()["id"]
        assert [one["digest"] for one in client.get(place).json()] == [digest]
        sent = client.get(f"{place}{digest}/")
        assert hashlib.sha256(sent.content).hexdigest() == digest
        assert client.get(f"{place}{'0' * 64}/").status_code == 404
        for address in (place, f"{place}{digest}/"):
            assert api(outsider).get(address).status_code == 404
        assert api(outsider).post(place).status_code == 404


class TestVerifying:
    def verify(self, path):
        out = StringIO()
        call_command("verify_dossier", str(path), stdout=out)
        return out.getvalue()

    def test_the_record_knows_what_was_issued(self, review, validator, tmp_path):
        row = dossiers.issue_dossier(review, actor=session_actor(validator))
        file = tmp_path / "dossier.html"
        file.write_bytes(dossiers.read_dossier(row))
        said = self.verify(file)
        assert f"issued of {review.ref} on " in said
        assert "by Vera" in said
        assert f"ledger entry {issued_entries().get().seq}" in said

    def test_and_nothing_else(self, review, validator, tmp_path):
        row = dossiers.issue_dossier(review, actor=session_actor(validator))
        file = tmp_path / "dossier.html"
        file.write_bytes(dossiers.read_dossier(row) + b" ")
        with pytest.raises(CommandError, match="the file was changed"):
            self.verify(file)
        with pytest.raises(CommandError, match="cannot be read"):
            self.verify(tmp_path / "none.html")

    def test_the_ledger_is_asked_and_not_the_row(self, review, validator, tmp_path):
        forged = b"<html>approved</html>"
        digest = content_store.put(forged)
        Dossier.objects.create(review=review, digest=digest, issued_by=validator)
        file = tmp_path / "forged.html"
        file.write_bytes(forged)
        with pytest.raises(CommandError):
            self.verify(file)
