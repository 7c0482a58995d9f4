"""What goes stale and when: at once where a command moves it, by the sweep whatever else moves."""

from importlib import import_module

import pytest

from governance.models import Evidence, GateReview, PolicyVersion, SignOff
from governance.rules.digests import digest_of
from governance.services import moves, reviews, sweeping
from governance.services.differences import difference_since_approval, last_approval
from governance.services.evidence import Material, record_evidence
from ledger.models import LedgerEntry
from pipeline.schedules import SCHEDULES
from projects.actors import system
from projects.errors import NotPermitted, RuleViolated, Unavailable
from projects.models import ScopingDocument, Stakeholder
from tests import factories
from tests.factories import edit_past_the_triggers, session_actor
from tests.governance import fakes

pytestmark = [pytest.mark.django_db, pytest.mark.no_ledger_guard]

GOVERNANCE = system("governance")


def let_stand(policy, changed, keep):
    """Give the gate of model versions a copy condition, as if the policy had been written so."""
    condition = f"    copy_conditions: [{{changed: {changed}, keep: {keep}}}]\n    subject: model"
    text = policy.text.replace("    subject: model", condition, 1)
    edit_past_the_triggers(
        PolicyVersion.objects.filter(pk=policy.pk), text=text, digest=digest_of(text)
    )
    policy.refresh_from_db()


def add(project, user, kind="report", ref=fakes.MODEL, **data):
    material = Material(project, "model_version", ref, kind, "Report", data=data or {"ok": True})
    return record_evidence(material, actor=session_actor(user))


def status(review):
    review.refresh_from_db()
    return review.status


def carried(review):
    rows = SignOff.objects.counting(review).exclude(carried_from=None)
    return {one.role for one in rows}


# --- At once -----------------------------------------------------------------------------------


def test_evidence_makes_open_reviews_of_its_subject_stale_at_once(
    review, second, data_scientist, project
):
    GateReview.objects.filter(pk=review.pk).update(status="withdrawn")
    add(project, data_scientist, ref=second.subject_ref, kind="note", text="late")
    assert (status(review), status(second)) == ("withdrawn", "stale")
    assert second.status_reason.startswith("The evidence note was added")
    (change,) = second.facts["moved"]
    assert (change["part"], change["rows"][0]["note"]) == ("evidence:note", "added")
    entry = LedgerEntry.objects.get(subject=second.ref, event="review.went_stale")
    assert entry.data["parts"] == ["evidence:note"]


def test_evidence_after_an_approval_leaves_it_standing(applied, data_scientist):
    add(applied.project, data_scientist, kind="drift_report")
    applied.refresh_from_db()
    assert (status(applied.review), applied.status) == ("approved", "applied")


def test_a_new_scope_makes_reviews_by_the_former_one_stale_and_halts_what_rests_on_them(
    applied, second, approved_scope
):
    document = ScopingDocument.objects.get(pk=approved_scope.pk)
    document.snapshot = {**document.snapshot, "title": "Another", "risks": []}
    document.content_hash = fakes.sha("1")
    document.version = 2
    moves.scope_approved(document)
    applied.refresh_from_db()
    assert (status(applied.review), status(second)) == ("stale", "stale")
    assert (applied.status, second.promotion.status) == ("suspended", "requested")
    assert "The scope changed" in applied.status_reason


def test_a_new_scope_through_its_gate_tells_reviews_of_model_versions(
    review, project, lead, sign, business_owner, data_owner
):
    content = factories.scope_content_of()
    content["title"] = "Another"
    document = factories.submit_scope(project, lead, content)
    request = reviews.ReviewRequest("scope", project, "scoping_document", document.ref)
    scope = reviews.request_review(request, actor=session_actor(lead))
    sign(scope, business_owner, "business_owner")
    assert status(review) == "open"
    sign(scope, data_owner, "data_owner")
    assert status(review) == "stale"


# --- The sweep ---------------------------------------------------------------------------------


def test_sweep_finds_nothing_where_nothing_moved(applied, second):
    swept = sweeping.sweep(actor=GOVERNANCE)
    assert (swept.stale, swept.unread) == ([], [])
    assert swept.read == GateReview.objects.filter(status__in=["open", "approved"]).count()


@pytest.mark.parametrize("part", ["model_files", "run", "dataset:train", "scope"])
def test_sweep_ends_an_approval_whose_part_moved_and_suspends_the_promotion(applied, world, part):
    world.change(fakes.MODEL, bindings={part: fakes.sha("9")})
    swept = sweeping.sweep(actor=GOVERNANCE)
    assert swept.stale == [applied.review.ref]
    applied.refresh_from_db()
    assert (status(applied.review), applied.status) == ("stale", "suspended")
    assert applied.status_reason == applied.review.status_reason
    assert [one["part"] for one in applied.review.facts["moved"]] == [part]


def test_sweep_sees_what_differs_within_a_part(review, world):
    world.change(fakes.MODEL, bindings={"run": fakes.sha("9")}, metrics={"test_roc_auc": 0.99})
    sweeping.sweep(actor=GOVERNANCE)
    assert status(review) == "stale"
    (change,) = review.facts["moved"]
    assert change["rows"] == [
        {"name": "test_roc_auc", "was": "0.79", "now": "0.99", "note": "+0.2"}
    ]


def test_sweep_sees_evidence_changed_past_the_services(applied):
    Evidence.objects.filter(subject_ref=fakes.MODEL).update(data={"text": "Better"})
    assert sweeping.sweep(actor=GOVERNANCE).stale == [applied.review.ref]


def test_sweep_takes_a_subject_that_is_gone_for_moved(review, world):
    del world.facts[fakes.MODEL]
    assert sweeping.sweep(actor=GOVERNANCE).stale == [review.ref]
    assert "The training run is gone" in GateReview.objects.get(pk=review.pk).status_reason


@pytest.mark.parametrize("error", [Unavailable("MLflow is down."), OSError("broken")])
def test_sweep_passes_over_what_cannot_be_read_and_comes_back(applied, world, error):
    world.change(fakes.MODEL, bindings={"run": fakes.sha("9")})
    world.error = error
    swept = sweeping.sweep(actor=GOVERNANCE)
    assert applied.review.ref in swept.unread
    assert swept.stale == []
    assert status(applied.review) == "approved"
    world.error = None
    assert sweeping.sweep(actor=GOVERNANCE).stale == [applied.review.ref]


def test_sweep_reads_a_bounded_number_and_goes_on_where_it_stopped(applied, second, world):
    count = GateReview.objects.filter(status__in=["open", "approved"]).count()
    assert count > 2
    world.change(second.subject_ref, bindings={"run": fakes.sha("9")})
    found = [sweeping.sweep(actor=GOVERNANCE, at_once=1) for _ in range(count)]
    assert {one.read for one in found} == {1}
    assert [ref for one in found for ref in one.stale] == [second.ref]


def test_who_acts_on_a_review_meanwhile_is_not_overruled(review, world, monkeypatch, lead):
    world.change(fakes.MODEL, bindings={"run": fakes.sha("9")})
    read = sweeping.resolve

    def read_slowly(kind, ref):
        facts = read(kind, ref)
        reviews.withdraw_review(GateReview.objects.get(pk=review.pk), actor=session_actor(lead))
        return facts

    monkeypatch.setattr(sweeping, "resolve", read_slowly)
    GateReview.objects.exclude(pk=review.pk).update(status="withdrawn")
    assert sweeping.sweep(actor=GOVERNANCE).stale == []
    assert status(review) == "withdrawn"


def test_nobody_but_governance_sweeps(review, world, lead):
    world.change(fakes.MODEL, bindings={"run": fakes.sha("9")})
    for actor in (session_actor(lead), system("monitoring")):
        with pytest.raises(NotPermitted):
            sweeping.look_again(review, actor=actor)
    assert status(review) == "open"


# --- Copy conditions ---------------------------------------------------------------------------


def under(changed, keep):
    """Let the gate of model versions keep the sign-offs of `keep` when `changed` changes."""
    return pytest.mark.parametrize("condition", [(changed, keep)], ids=[""])


@pytest.fixture(autouse=True)
def condition_of_the_test(request):
    params = getattr(request.node, "callspec", None)
    if params is not None and "condition" in params.params:
        let_stand(request.getfixturevalue("policy"), *params.params["condition"])


@pytest.fixture
def condition():
    return None


@pytest.fixture
def signed(condition, review, sign, validator):
    """The validator's sign-off of an open review, under the copy condition of the test."""
    return sign(review, validator, "validator")


def refreshed(review, user):
    found = reviews.refresh_review(review, actor=session_actor(user))
    review.refresh_from_db()
    return {one.survival.role: one.survival for one in found.fates}


@under("[evidence]", "all")
def test_a_covered_sign_off_is_carried_as_a_row_that_says_so(
    signed, review, lead, data_scientist, project
):
    add(project, data_scientist)
    assert status(review) == "stale"
    fates = refreshed(review, lead)
    assert fates["validator"].survives
    one = SignOff.objects.counting(review).get()
    assert (one.method, one.carried_from) == ("carried over", signed)
    assert one.bindings_digest == review.bindings_digest != signed.bindings_digest
    assert "Nobody signed this" in one.statement
    entry = LedgerEntry.objects.get(event="review.sign_off_carried")
    assert entry.data["from"] == signed.ref
    assert "A sign-off as validator is missing." not in reviews.unmet_requirements(review)


@under("[evidence]", "[business_owner]")
def test_a_role_that_is_not_kept_is_asked_again(signed, review, lead, data_scientist, project):
    add(project, data_scientist)
    fates = refreshed(review, lead)
    assert fates["validator"].reason == (
        "The policy asks again when this changes: the evidence report."
    )
    assert carried(review) == set()


@under("[evidence]", "all")
def test_one_part_more_ends_the_sign_off(signed, review, world, lead, data_scientist, project):
    add(project, data_scientist)
    world.change(fakes.MODEL, bindings={"run": fakes.sha("e")})
    assert not refreshed(review, lead)["validator"].survives
    assert carried(review) == set()


def test_without_a_condition_nothing_is_kept(signed, review, lead, data_scientist, project):
    add(project, data_scientist)
    assert not refreshed(review, lead)["validator"].survives
    assert carried(review) == set()


@under("[evidence, run]", "all")
def test_a_carried_sign_off_is_not_carried_again(
    signed, review, world, lead, data_scientist, project
):
    add(project, data_scientist)
    refreshed(review, lead)
    world.change(fakes.MODEL, bindings={"run": fakes.sha("e")})
    fates = refreshed(review, lead)
    assert "carried over itself" in fates["validator"].reason
    assert carried(review) == set()


@under("[evidence]", "all")
def test_who_became_an_author_keeps_none(signed, review, validator, lead, project):
    add(project, validator)
    fates = refreshed(review, lead)
    assert "evidence" in fates["validator"].reason
    assert carried(review) == set()


@under("[evidence]", "all")
def test_who_lost_the_role_keeps_none(signed, review, validator, lead, data_scientist, project):
    Stakeholder.objects.filter(user=validator, role="validator").update(role="auditor")
    add(project, data_scientist)
    assert "does not hold the role" in refreshed(review, lead)["validator"].reason
    assert carried(review) == set()


@under("[evidence]", "all")
def test_carried_sign_offs_alone_decide_nothing(signed, review, sign, world, request):
    world.change(fakes.MODEL, attributes={"signature": False})
    sign(review, request.getfixturevalue("business_owner"), "business_owner")
    assert review.status == "open"
    add(review.project, request.getfixturevalue("data_scientist"))
    world.change(fakes.MODEL, attributes={"signature": True})
    refreshed(review, request.getfixturevalue("lead"))
    assert carried(review) == {"validator", "business_owner"}
    assert review.status == "open"
    assert "carried over" in reviews.unmet_requirements(review)[-1]


@under("[scope]", "all")
def test_an_approval_outlives_what_the_policy_lets_all_its_sign_offs_outlive(
    signed, review, sign, business_owner, world
):
    sign(review, business_owner, "business_owner")
    world.change(fakes.MODEL, bindings={"scope": fakes.sha("9")})
    assert sweeping.sweep(actor=GOVERNANCE).stale == []
    assert status(review) == "approved"
    world.change(fakes.MODEL, bindings={"criteria": fakes.sha("9")})
    assert sweeping.sweep(actor=GOVERNANCE).stale == [review.ref]


# --- Bound anew --------------------------------------------------------------------------------


def test_a_review_that_was_approved_differs_from_its_former_self_when_bound_anew(
    applied, world, lead
):
    review = applied.review
    world.change(fakes.MODEL, bindings={"run": fakes.sha("9")}, metrics={"test_roc_auc": 0.7})
    sweeping.sweep(actor=GOVERNANCE)
    refreshed(review, lead)
    assert (review.status, review.decided_at) == ("open", None)
    assert last_approval(review).bindings["run"] == fakes.sha("b")
    (change,) = difference_since_approval(review)
    assert [(row.name, row.note) for row in change.rows] == [("test_roc_auc", "-0.09")]
    world.change(fakes.MODEL, metrics={"test_roc_auc": 0.6}, bindings={"run": fakes.sha("8")})
    refreshed(review, lead)
    assert last_approval(review).bindings["run"] == fakes.sha("b")


def test_a_review_that_has_not_moved_keeps_its_sign_offs(signed, review, lead):
    digest = review.bindings_digest
    assert refreshed(review, lead) == {}
    assert review.bindings_digest == digest
    assert list(SignOff.objects.counting(review)) == [signed]


def test_a_refused_refresh_carries_nothing(signed, review, world, lead):
    world.change(fakes.MODEL, bindings={"model_files": fakes.sha("9")})
    with pytest.raises(RuleViolated) as error:
        reviews.refresh_review(review, actor=session_actor(lead))
    assert error.value.code == "files_changed"
    assert SignOff.objects.filter(review=review).count() == 1


def test_the_schedule_sweeps(applied, world):
    world.change(fakes.MODEL, bindings={"run": fakes.sha("9")})
    module, _, name = SCHEDULES["sweep reviews"].task.rpartition(".")
    assert getattr(import_module(module), name)() == 1
    assert status(applied.review) == "stale"
