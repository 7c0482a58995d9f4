"""Sign-offs of the approved scope under a new version: kept, reset, or kept where untouched."""

import pytest

from governance.models import GateReview, PolicyVersion, SignOff
from governance.rules.digests import digest_of
from governance.services import carrying, reviews
from governance.services.binding import moved_parts, subject_of
from governance.services.reviews import ReviewRequest
from ledger.models import LedgerEntry
from projects.facts import survivals_of
from projects.models import ScopingDocument, Stakeholder
from projects.services import deviations, scoping
from projects.services.scope_changes import edit_editorially
from tests import factories
from tests.factories import edit_past_the_triggers, session_actor
from tests.remembering import remembered

pytestmark = [pytest.mark.django_db, pytest.mark.no_ledger_guard]


SIGNERS = {"bruno": "business_owner", "dora": "data_owner"}


def mode(policy, carry_over):
    """Let the published policy carry sign-offs over, as if it had been written so."""
    text = policy.text.replace("carry_over: reset_all", f"carry_over: {carry_over}")
    edit_past_the_triggers(
        PolicyVersion.objects.filter(pk=policy.pk), text=text, digest=digest_of(text)
    )
    policy.refresh_from_db()


@pytest.fixture
def agreed(policy, request, project, sign):
    """Approve a first version through its gate, under the mode that the test names."""
    mode(policy, request.node.callspec.params["carry_over"])
    return approve_first(project=project, sign=sign)


@remembered
def approve_first(project, sign):
    lead = project.created_by
    document = factories.submit_scope(project, lead)
    review = asked(document, lead)
    for name, role in SIGNERS.items():
        sign(review, factories.UserFactory(username=name), role)
    assert review.status == "approved"
    return ScopingDocument.objects.get(pk=document.pk)


def asked(document, user):
    request = ReviewRequest("scope", document.project, "scoping_document", document.ref)
    return reviews.request_review(request, actor=session_actor(user))


def next_version(project, lead, **changes):
    content = factories.scope_content_of()
    content.update(changes)
    return factories.submit_scope(project, lead, content)


HARDER = {"criteria": factories.scope_content_of()["criteria"]}
HARDER["criteria"][0]["threshold"] = 0.6
OTHER_DATA = {"target": "z"}


def carried(review):
    return {one.role for one in SignOff.objects.counting(review).exclude(carried_from=None)}


@pytest.mark.parametrize(
    ("carry_over", "changes", "kept"),
    [
        ("reset_all", HARDER, set()),
        ("reset_all", {"title": "Another"}, set()),
        ("reset_affected", HARDER, {"data_owner"}),
        ("reset_affected", OTHER_DATA, set()),
        ("reset_affected", {"title": "Another"}, {"business_owner", "data_owner"}),
        ("keep", HARDER, {"business_owner", "data_owner"}),
    ],
)
def test_policy_decides_what_is_carried_over(agreed, project, lead, carry_over, changes, kept):
    second = next_version(project, lead, **changes)
    told = {one.role for one in survivals_of(second) if one.survives}
    review = asked(second, lead)
    assert carried(review) == told == kept
    assert review.status == "open"


@pytest.mark.parametrize("carry_over", ["reset_affected"])
def test_carried_sign_off_is_a_row_of_its_own_that_says_so(agreed, project, lead, carry_over):
    review = asked(next_version(project, lead, **HARDER), lead)
    one = SignOff.objects.counting(review).get()
    assert (one.method, one.carried_from.review.subject_ref) == ("carried over", agreed.ref)
    assert one.bindings_digest == review.bindings_digest
    assert "Nobody signed this" in one.statement
    entry = LedgerEntry.objects.get(event="review.sign_off_carried")
    assert entry.data["from"] == one.carried_from.ref


@pytest.mark.parametrize("carry_over", ["reset_affected"])
def test_missing_role_signs_and_the_version_is_approved(
    agreed, project, lead, sign, business_owner, carry_over
):
    second = next_version(project, lead, **HARDER)
    review = asked(second, lead)
    sign(review, business_owner, "business_owner")
    second.refresh_from_db()
    agreed.refresh_from_db()
    assert (review.status, second.status, agreed.status) == ("approved", "approved", "superseded")


@pytest.mark.parametrize("carry_over", ["keep"])
def test_carried_sign_offs_alone_decide_nothing(
    agreed, project, lead, sign, data_owner, carry_over
):
    second = next_version(project, lead, **HARDER)
    review = asked(second, lead)
    assert review.status == "open"
    assert "carried over" in reviews.unmet_requirements(review)[-1]
    sign(review, data_owner, "data_owner")
    assert review.status == "approved"


@pytest.mark.parametrize("carry_over", ["keep"])
def test_author_of_the_new_version_keeps_none(agreed, project, lead, data_owner, carry_over):
    second = next_version(project, lead, **HARDER)
    second.editors.add(data_owner)
    told = {one.role: one for one in survivals_of(second)}
    assert not told["data_owner"].survives
    assert "wrote the scope" in told["data_owner"].reason
    factories.StakeholderFactory(
        project=project, user=factories.UserFactory(username="dan"), role="data_owner"
    )
    assert carried(asked(second, lead)) == {"business_owner"}


@pytest.mark.parametrize("carry_over", ["keep"])
def test_who_lost_the_role_keeps_none(agreed, project, lead, data_owner, carry_over):
    second = next_version(project, lead, **HARDER)
    Stakeholder.objects.filter(project=project, user=data_owner).delete()
    factories.StakeholderFactory(
        project=project, user=factories.UserFactory(username="dan"), role="data_owner"
    )
    assert carried(asked(second, lead)) == {"business_owner"}


@pytest.mark.parametrize("carry_over", ["keep"])
def test_approval_that_no_longer_stands_gives_nothing(agreed, project, lead, carry_over):
    GateReview.objects.filter(subject_ref=agreed.ref).update(status="suspended")
    assert carried(asked(next_version(project, lead, **HARDER), lead)) == set()


@pytest.mark.parametrize("carry_over", ["keep"])
def test_carried_sign_off_is_not_carried_again(
    agreed, project, lead, sign, business_owner, carry_over
):
    review = asked(next_version(project, lead, **HARDER), lead)
    sign(review, business_owner, "business_owner")
    third = next_version(project, lead, title="A third", **HARDER)
    assert carried(asked(third, lead)) == {"business_owner"}


@pytest.mark.parametrize("carry_over", ["keep"])
def test_first_and_agreed_version_have_nothing_to_carry(agreed, carry_over):
    assert carrying.survivals_of(agreed) == []


@pytest.mark.parametrize("carry_over", ["reset_all"])
def test_editorial_edit_leaves_the_approval_standing(agreed, project, lead, carry_over):
    review = GateReview.objects.get(subject_ref=agreed.ref)
    edit_editorially(agreed, {"title": "Ring likely buyers"}, actor=session_actor(lead))
    assert moved_parts(review, subject_of(review)) == []
    agreed.risks.update(impact=1)
    assert [part.part for part in moved_parts(review, subject_of(review))] == ["scope"]


@pytest.mark.parametrize("carry_over", ["reset_all"])
def test_undecided_deviation_keeps_the_review_open_and_the_signatures(
    agreed, project, sign, data_scientist, validator, carry_over
):
    lead = project.created_by
    criteria = factories.scope_content_of()["criteria"]
    criteria[0]["threshold"] = 0.5
    second = next_version(project, lead, criteria=criteria)
    review = asked(second, lead)
    for name, role in SIGNERS.items():
        sign(review, factories.UserFactory(username=name), role)
    assert (review.status, review.sign_offs.count()) == ("open", 2)
    assert any("deviation" in one for one in reviews.unmet_requirements(review))
    deviation = second.deviations.get()
    deviations.explain_deviation(
        deviation, actor=session_actor(data_scientist), reason="Hard months.", is_result_seen=True
    )
    deviations.decide_deviation(deviation, actor=session_actor(validator), is_accepted=True)
    reviews.evaluate_review(review, actor=session_actor(lead))
    second.refresh_from_db()
    review.refresh_from_db()
    assert (review.status, second.status) == ("approved", "approved")


def test_first_scope_has_no_fates(project, lead, policy):
    document = factories.submit_scope(project, lead)
    assert scoping.approved_scope(project) is None
    assert survivals_of(document) == []
