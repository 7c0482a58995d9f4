"""A draft policy over past reviews: what would differ, why, and what nobody can tell."""

import contextlib
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.models import Evidence, GateReview, SignOff
from governance.rules.past import APPROVED, DECISIONS, NOT_ASKED, REJECTED, UNDECIDED, UNKNOWN
from governance.rules.replay import Replay
from governance.services import findings, replay, reviews, waivers
from governance.services.evidence import Material, record_evidence
from governance.services.findings import NewFinding
from governance.services.replay import Selection, replay_text
from governance.services.reviews import NewCondition, ReviewRequest
from governance.services.waivers import NewWaiver
from projects.actors import system
from projects.errors import DomainError, InvalidInput, NotPermitted
from tests.factories import PASSWORD, UserFactory, session_actor
from tests.governance import fakes
from tests.governance.test_services_rerouting import take

pytestmark = pytest.mark.django_db
SOMEBODY = system("replay")
UNSIGNED = {"signature": False}
VALIDATION = "medium: {roles: [validator, business_owner], people: 2}"


@pytest.fixture
def text(policy):
    return policy.text


def run(text, **selection):
    return replay_text(text, Selection(**selection), actor=SOMEBODY)


def of(outcome, review):
    return next(one for one in outcome.reviews if one.past.pk == review.pk)


def changed(text, before, after, count=1):
    assert text.count(before) >= 1
    return text.replace(before, after, count)


def asking_risk_officer(text):
    return changed(
        text, VALIDATION, "medium: {roles: [validator, business_owner, risk_officer], people: 3}"
    )


@pytest.fixture
def another(applied, world, data_scientist):
    """Put another version of the model before the gate: `another(21, metrics={...})`."""
    project = applied.project

    def requested(number, **changes):
        ref = f"model_version:{number}"
        scope = applied.review.bindings["scope"]
        world.facts[ref] = fakes.model_facts(project, data_scientist.pk, scope)
        attributes = {"model_number": number, **changes.pop("attributes", {})}
        world.change(ref, attributes=attributes, **changes)
        compared = {"champion_version": 1}
        material = Material(
            project, "model_version", ref, "champion_comparison", "Against v1", data=compared
        )
        record_evidence(material, actor=session_actor(data_scientist))
        wanted = ReviewRequest("validation", project, "model_version", ref)
        return reviews.request_review(wanted, actor=session_actor(UserFactory(username="mia")))

    return requested


@pytest.fixture
def agree(sign):
    """Let validator and business owner approve a review."""

    def both(review):
        sign(review, UserFactory(username="vera"), "validator")
        sign(review, UserFactory(username="bruno"), "business_owner")

    return both


@pytest.fixture
def many_fates(applied, another, agree, sign):
    """Reviews that ended in every way there is, by name."""
    vera, bruno = UserFactory(username="vera"), UserFactory(username="bruno")
    found = {
        "approved": applied.review, "rejected": another(21),
        "waived": _waived(another(24, attributes=UNSIGNED)),
        "held": another(22, metrics={"test_roc_auc": 0.2}), "conditional": another(25),
        "suspended": another(26), "withdrawn": another(27), "asked": another(28),
        "data": GateReview.objects.get(gate="data"),
    }  # fmt: skip
    sign(found["rejected"], vera, "validator", outcome="rejected", reason="It is unfair.")
    for name in ("held", "waived", "suspended"):
        agree(found[name])
    promise = NewCondition("Watch it.", timezone.now().date() + timedelta(days=9))
    on_conditions = {"outcome": "approved_with_conditions", "reason": "Not yet whole."}
    sign(found["conditional"], vera, "validator", conditions=[promise], **on_conditions)
    sign(found["conditional"], bruno, "business_owner")
    reviews.suspend_review(found["suspended"], actor=session_actor(bruno), reason="A breach.")
    reviews.withdraw_review(found["withdrawn"], actor=session_actor(UserFactory(username="lena")))
    sign(found["asked"], vera, "validator", outcome="changes_requested", reason="More tests.")
    for one in found.values():
        one.refresh_from_db()
    return found


def _waived(review):
    """Let a review pass without the signature that the model lacks."""
    until = timezone.now() + timedelta(days=9)
    grant = NewWaiver("signature", "Later.", "By hand.", "risk_officer", until, PASSWORD)
    waivers.grant_waiver(review, grant, actor=session_actor(UserFactory(username="rita")))
    return review


THEN = {
    "approved": APPROVED, "rejected": REJECTED, "held": UNDECIDED, "waived": APPROVED,
    "conditional": APPROVED, "suspended": APPROVED, "withdrawn": UNDECIDED, "asked": UNDECIDED,
    "data": APPROVED,
}  # fmt: skip


def test_the_version_of_then_gives_the_decision_of_then(many_fates, text):
    outcome = run(text)
    told = {name: of(outcome, one) for name, one in many_fates.items()}
    assert {name: one.past.decision for name, one in told.items()} == THEN
    assert {name: one.decision for name, one in told.items()} == THEN
    assert (outcome.summary.changed, outcome.summary.unknown_reviews) == (0, 0)


def test_the_facts_on_record_alone_give_the_decision_of_then(many_fates, text, monkeypatch):
    monkeypatch.setattr(Replay, "_says_the_same", lambda *_: False)
    outcome = run(text)
    told = {name: of(outcome, one).decision for name, one in many_fates.items()}
    assert told == THEN
    sources = {line.source for one in outcome.reviews for line in one.lines}
    assert sources == {"judged"}


def test_facts_that_were_other_at_the_decision_are_unknown_and_not_guessed(
    another, agree, world, text, monkeypatch
):
    review = another(30, attributes=UNSIGNED)
    world.change(review.subject_ref, attributes={"signature": True})
    agree(review)
    assert of(run(text), review).decision == APPROVED, "the outcome of then is on record"
    monkeypatch.setattr(Replay, "_says_the_same", lambda *_: False)
    one = of(run(text), review)
    assert one.decision == UNKNOWN
    (words,) = one.unknown
    assert words.endswith("The facts on record do not give what was found then.")


def test_a_replay_changes_nothing(many_fates, text):
    with CaptureQueriesContext(connection) as asked:
        run(asking_risk_officer(text))
    assert [one for one in asked if not one["sql"].startswith("SELECT")] == []


def test_a_role_more_holds_back_what_was_approved_and_says_who_is_missing(many_fates, text):
    outcome = run(asking_risk_officer(text), gate="validation")
    one = of(outcome, many_fates["approved"])
    assert (one.past.decision, one.decision, one.is_changed) == (APPROVED, UNDECIDED, True)
    assert one.missing_roles == ("risk_officer",)
    assert "A sign-off as risk officer is missing." in one.reasons
    (gate,) = outcome.summary.gates
    assert (gate.added, gate.without_data) == (None, 4), "no risk officer ever signed here"
    assert gate.draft[UNDECIDED] == 7
    assert not of(outcome, many_fates["rejected"]).is_changed


def test_waiting_is_estimated_from_what_the_role_took_before(applied, text, project):
    review = applied.review
    asked = review.requested_at
    rita = UserFactory(username="rita")
    for days in (2, 4, 6):
        past = GateReview.objects.create(
            project=review.project, gate="scope", policy_version=review.policy_version,
            subject_kind="scoping_document", subject_ref=f"scoping_document:{900 + days}",
            subject_label="Old", bindings_digest="0" * 64, tier="high", status="withdrawn",
            requested_as="user:1", requested_at=asked,
        )  # fmt: skip
        GateReview.objects.filter(pk=past.pk).update(decided_at=None)
        SignOff.objects.create(
            review=past, signer=rita, printed_name="Rita", role="risk_officer",
            outcome="approved", meaning="x", statement="x", bindings_digest="0" * 64,
            policy_digest="0" * 64, method="session+password", sequence=1,
            signed_at=asked + timedelta(days=days),
        )  # fmt: skip
        past.results.create(
            evaluation=1, key="ready", title="Ready", check_name="scope_ready", outcome="pass",
            message="x", evaluated_at=asked + timedelta(days=days, hours=1),
        )  # fmt: skip
    outcome = run(asking_risk_officer(text))
    span = outcome.summary.roles["risk_officer"]
    assert (span.low, span.median, span.high, span.count) == (72.0, 96.0, 120.0, 3)
    gate = next(one for one in outcome.summary.gates if one.gate == "validation")
    took = of(outcome, review).past.waited / timedelta(hours=1)
    assert gate.added.median == pytest.approx(96.0 - took)
    assert gate.without_data == 0


def test_a_stricter_requirement_refuses_and_a_dropped_one_lets_pass(many_fates, text):
    strict = changed(text, "        blocking: false\n", "")
    assert run(strict).summary.changed == 0, "every run records its commit"
    without = changed(
        text,
        "      - key: criteria\n        check: criteria_met\n        params: {gate: validation}\n"
        "        title: The criteria of the approved scope are met\n",
        "",
    )
    one = of(run(without), many_fates["held"])
    assert (one.past.decision, one.decision) == (UNDECIDED, APPROVED)
    assert any("no longer stands in the way" in reason for reason in one.reasons)


def test_evidence_counts_only_if_it_was_there_then(many_fates, text, data_scientist):
    review = many_fates["approved"]
    late = Material(
        review.project,
        review.subject_kind,
        review.subject_ref,
        "bias_report",
        "Late",
        data={"a": 1},
    )
    record_evidence(late, actor=session_actor(data_scientist))
    draft = changed(text, "any_of: [model_card, champion_comparison]", "kind: bias_report")
    one = of(run(draft), review)
    assert one.decision == UNDECIDED
    (line,) = [line for line in one.lines if line.key == "documented"]
    assert (line.outcome, line.was, line.source) == ("missing", "pass", "judged")


def test_a_finding_counts_only_while_it_was_open(many_fates, text, auditor):
    review = many_fates["approved"]
    new = NewFinding(
        review.project, review.subject_kind, review.subject_ref, "Bias", "Found later.", "low"
    )
    findings.open_finding(new, actor=session_actor(auditor))
    draft = text.replace("params: {severity: high}", "params: {severity: low}")
    assert of(run(draft), review).decision == APPROVED


def test_a_waiver_stands_only_where_the_draft_allows_one(many_fates, text):
    at = "        title: The model declares its inputs and outputs\n"
    one = of(run(changed(text, at, at + "        waivable: false\n")), many_fates["waived"])
    assert (one.past.decision, one.decision) == (APPROVED, UNDECIDED)
    assert any("declares its inputs" in reason for reason in one.reasons)


def test_a_rule_that_refuses_a_signer_takes_the_vote_away(many_fates, text):
    draft = changed(text, "      - evidence_author_not_approver\n", "")
    assert of(run(draft), many_fates["approved"]).decision == APPROVED
    strict = changed(
        text, "      - run_author_not_approver\n",
        "      - run_author_not_approver\n      - builder_not_validator\n",
    )  # fmt: skip
    assert of(run(strict), many_fates["approved"]).decision == APPROVED


@pytest.mark.parametrize("rule", ["deployer_not_approver", "other_reporting_line"])
def test_a_rule_about_what_nobody_recorded_is_unknown_and_not_guessed(many_fates, text, rule):
    draft = changed(
        text,
        "      - run_author_not_approver\n",
        f"      - run_author_not_approver\n      - {rule}\n",
    )
    outcome = run(draft, gate="validation")
    one = of(outcome, many_fates["approved"])
    assert (one.decision, one.is_changed) == (UNKNOWN, False)
    assert any("would count" in words for words in one.unknown)
    # What was refused anyway needs no answer.
    assert of(outcome, many_fates["held"]).decision == UNDECIDED
    assert outcome.summary.unknown_facts >= len(one.unknown)


def test_a_check_of_what_nobody_recorded_is_unknown(many_fates, text):
    seed = (
        "      - key: seed\n        check: seed_recorded\n        title: A seed is recorded\n"
        "      - key: run\n"
    )
    one = of(run(changed(text, "      - key: run\n", seed)), many_fates["approved"])
    assert one.decision == UNKNOWN
    assert "A seed is recorded: Nobody recorded then: seed." in one.unknown


def test_a_gate_that_is_gone_asks_nobody(many_fates, text):
    start, end = text.index("  data:\n"), text.index("  validation:\n")
    one = of(run(text[:start] + text[end:]), many_fates["data"])
    assert (one.decision, one.is_changed) == (NOT_ASKED, True)


def test_a_tier_that_is_not_covered_is_held_back(many_fates, text):
    start = text.index("  validation:")
    draft = text[:start] + text[start:].replace(f"      {VALIDATION}\n", "", 1)
    one = of(run(draft), many_fates["approved"])
    assert (one.decision, one.is_changed) == (UNDECIDED, True)
    assert "medium risk" in one.reasons[0]


def test_requirements_that_never_and_always_fail_are_named(many_fates, text):
    draft = changed(text, "any_of: [model_card, champion_comparison]", "kind: bias_report")
    totals = {(one.gate, one.key): one for one in run(draft).summary.requirements}
    run_finished, documented = totals["validation", "run"], totals["validation", "documented"]
    assert run_finished.never_fails
    assert run_finished.judged == documented.judged == documented.failed
    assert documented.always_fails
    signature = totals["validation", "signature"]
    assert (signature.waived, signature.never_fails, signature.always_fails) == (1, False, False)


def test_a_policy_that_cannot_be_used_is_refused(text):
    with pytest.raises(InvalidInput) as refusal:
        run(text.replace("schema: 1", "schema: 2"))
    assert refusal.value.code == "invalid_policy"


def test_only_reviews_that_are_visible_are_judged(many_fates, text, outsider, auditor):
    assert replay_text(text, Selection(), actor=session_actor(outsider)).summary.reviews == 0
    seen = replay_text(text, Selection(), actor=session_actor(auditor)).summary.reviews
    assert seen == GateReview.objects.count()


def test_days_gates_and_a_limit_choose_the_reviews(many_fates, text):
    today = timezone.now().date()
    assert run(text, gate="data").summary.reviews == 1
    assert run(text, since=today + timedelta(days=1)).summary.reviews == 0
    assert run(text, until=today - timedelta(days=1)).summary.reviews == 0
    few = run(text, limit=2)
    assert (few.summary.reviews, few.left_out) == (2, GateReview.objects.count() - 2)


def test_as_many_queries_for_many_reviews_as_for_few(many_fates, text):
    draft = asking_risk_officer(text)
    with CaptureQueriesContext(connection) as few:
        run(draft, limit=1, gate="validation")
    with CaptureQueriesContext(connection) as many:
        run(draft, limit=50)
    assert len(many) <= len(few) + 2
    assert len(many) < 25


def test_on_record_it_is_evidence_that_signers_sign(many_fates, policy, project, risk_officer):
    row = replay.record_replay(policy, project, Selection(), actor=session_actor(risk_officer))
    assert (row.kind, row.subject_ref) == ("policy_replay", policy.ref)
    assert row.data["summary"]["reviews"] == GateReview.objects.count()
    assert row.data["digest"] == policy.digest
    assert Evidence.objects.get(kind="policy_replay") == row


def test_who_may_record_nothing_puts_no_replay_on_record(many_fates, policy, project, auditor):
    with pytest.raises(NotPermitted):
        replay.record_replay(policy, project, Selection(), actor=session_actor(auditor))
    assert not Evidence.objects.filter(kind="policy_replay").exists()


WHO = {"validator": "vera", "business_owner": "bruno", "risk_officer": "rita"}
ACTS = st.lists(
    st.one_of(
        st.sampled_from(["low", "medium", "high", "evaluate", "move", "refresh", "lose", "spoil"]),
        st.tuples(
            st.sampled_from(sorted(WHO)),
            st.sampled_from(["approved", "changes_requested", "rejected"]),
        ),
    ),
    max_size=7,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_whatever_happened_its_own_version_decides_as_then(review, sign, world, text, acts):
    with transaction.atomic():
        review.refresh_from_db()
        for number, act in enumerate(acts):
            _do(act, number, review, sign, world)
            review.refresh_from_db()
        decided = {"approved": APPROVED, "rejected": REJECTED}.get(review.status, UNDECIDED)
        one = of(run(text), review)
        assert (one.past.decision, one.decision) == (decided, decided)
        assert one.decision in DECISIONS
        transaction.set_rollback(True)


def _do(act, number, review, sign, world):
    lead = session_actor(UserFactory(username="lena"))
    yesterday = timezone.now().date() - timedelta(days=1)
    commands = {
        "evaluate": lambda: reviews.evaluate_review(review, actor=lead),
        "refresh": lambda: reviews.refresh_review(review, actor=lead),
        "move": lambda: world.change(
            fakes.MODEL, bindings={"dataset:train": fakes.sha(str(number))}
        ),
        "spoil": lambda: world.change(fakes.MODEL, attributes={"signature": False}),
        "lose": lambda: review.project.stakeholders.filter(role="validator").update(
            valid_to=yesterday
        ),
    }
    with contextlib.suppress(DomainError), transaction.atomic():
        if isinstance(act, tuple):
            role, outcome = act
            sign(review, UserFactory(username=WHO[role]), role, outcome=outcome, reason="So.")
        elif act in commands:
            commands[act]()
        else:
            take(review.project, act)
