"""The tier of a project: assessed anew by those who oversee it, lowered by two."""

import pytest

from ledger.models import LedgerEntry
from projects import errors
from projects.actors import system
from projects.models import TierAssessment, TierDecision
from projects.rules.tier import ANSWERS
from projects.services import scoping, tiers
from projects.services.readiness import readiness_policy
from tests.factories import StakeholderFactory, session_actor
from tests.governance.fakes import acting

pytestmark = pytest.mark.django_db
HIGH, MEDIUM, LOW = (4, 1, 1, 1), (3, 0, 0, 0), (1, 1, 1, 0)


def new(values, reason="The reach has changed.", chosen=""):
    return tiers.NewAssessment(dict(zip(ANSWERS, values, strict=True)), reason, chosen)


def state_of(project):
    project.refresh_from_db()
    return (
        project.tier,
        TierAssessment.objects.count(),
        TierDecision.objects.count(),
        LedgerEntry.objects.count(),
    )


@pytest.fixture
def told(settings):
    """What a listener was told."""
    settings.TIER_LISTENERS = [f"{__name__}.listener"]
    HEARD.clear()
    return HEARD


HEARD = []


def listener(project, **about):
    HEARD.append((project.tier, about["former"]))


@pytest.fixture
def lowering(project, risk_officer, told):
    """An assessment by the risk officer that would make the tier low."""
    return tiers.assess_tier(project, new(LOW), actor=session_actor(risk_officer))


@pytest.mark.parametrize("who", ["risk_officer", "validator"])
def test_a_graver_assessment_holds_at_once_and_everybody_is_told(project, who, told, request):
    user = request.getfixturevalue(who)
    row = tiers.assess_tier(project, new(HIGH), actor=session_actor(user))
    project.refresh_from_db()
    assert (project.tier, row.state, row.former, row.computed) == (
        "high",
        "in force",
        "medium",
        "high",
    )
    assert row.scorecard == readiness_policy().name
    assert row.answers == dict(zip(ANSWERS, HIGH, strict=True))
    assert told == [("high", "medium")]
    events = LedgerEntry.objects.filter(subject=project.ref).order_by("seq")
    assert list(events.values_list("event", flat=True)) == [
        "project.tier_assessed",
        "project.tier_changed",
    ]


def test_the_reason_is_kept_out_of_the_hashed_bytes(project, risk_officer, told):
    tiers.assess_tier(project, new(HIGH, "Anna complained."), actor=session_actor(risk_officer))
    bodies = b"".join(bytes(one.body) for one in LedgerEntry.objects.all())
    assert b"Anna" not in bodies
    assert TierAssessment.objects.get().reason == "Anna complained."


@pytest.mark.parametrize("who", ["lead", "data_scientist", "business_owner", "auditor"])
def test_others_assess_no_tier(project, who, told, request):
    user, before = request.getfixturevalue(who), state_of(project)
    with pytest.raises(errors.NotPermitted) as refusal:
        tiers.assess_tier(project, new(HIGH), actor=session_actor(user))
    assert refusal.value.code == "role_missing"
    assert state_of(project) == before


def test_strangers_learn_nothing(project, outsider, told):
    before = state_of(project)
    with pytest.raises(errors.NotFound):
        tiers.assess_tier(project, new(HIGH), actor=session_actor(outsider))
    assert state_of(project) == before


def test_no_part_of_the_system_assesses(project, told):
    before = state_of(project)
    with pytest.raises(errors.NotPermitted):
        tiers.assess_tier(project, new(HIGH), actor=system("governance"))
    assert state_of(project) == before


@pytest.mark.parametrize(
    ("assessment", "code"),
    [
        (new((5, 0, 0, 0)), "invalid_answers"),
        (new((-1, 0, 0, 0)), "invalid_answers"),
        (new((True, 0, 0, 0)), "invalid_answers"),
        (tiers.NewAssessment({"tier_exposure": 1}, "Why not."), "invalid_answers"),
        (new(HIGH, " "), "reason_missing"),
        (new(HIGH, chosen="extreme"), "unknown_tier"),
    ],
)
def test_a_wrong_assessment_is_refused(project, risk_officer, told, assessment, code):
    before = state_of(project)
    with pytest.raises(errors.InvalidInput) as refusal:
        tiers.assess_tier(project, assessment, actor=session_actor(risk_officer))
    assert refusal.value.code == code
    assert state_of(project) == before


def test_a_lower_tier_waits_for_a_second_person(project, lowering, told):
    project.refresh_from_db()
    assert (project.tier, lowering.state, told) == ("medium", "waiting", [])
    assert tiers.assessment_in_force(project) is None


@pytest.mark.parametrize("who", ["business_owner", "validator"])
def test_a_second_person_makes_a_lower_tier_hold(project, lowering, told, who, request):
    user = request.getfixturevalue(who)
    decision = tiers.decide_assessment(lowering, actor=session_actor(user), is_agreed=True)
    project.refresh_from_db()
    assert (project.tier, decision.assessment.state) == ("low", "in force")
    assert told == [("low", "medium")]
    assert tiers.assessment_in_force(project) == lowering


def test_a_declined_assessment_changes_nothing(project, lowering, told, business_owner):
    actor = session_actor(business_owner)
    tiers.decide_assessment(lowering, actor=actor, is_agreed=False, note="It reaches too many.")
    project.refresh_from_db()
    lowering = TierAssessment.objects.get(pk=lowering.pk)
    assert (project.tier, lowering.state, told) == ("medium", "declined", [])


@pytest.mark.parametrize(
    ("who", "method", "code"),
    [
        ("risk_officer", "session", "own_assessment"),
        ("validator", "token", "deciding_needs_session"),
        ("lead", "session", "role_missing"),
        ("ml_engineer", "session", "role_missing"),
    ],
)
def test_who_may_not_agree_changes_nothing(lowering, who, method, code, request):
    user, before = request.getfixturevalue(who), state_of(lowering.project)
    with pytest.raises(errors.NotPermitted) as refusal:
        tiers.decide_assessment(lowering, actor=acting(user, method), is_agreed=True)
    assert refusal.value.code == code
    assert state_of(lowering.project) == before


def test_who_declines_says_why(lowering, validator):
    before = state_of(lowering.project)
    with pytest.raises(errors.InvalidInput) as refusal:
        tiers.decide_assessment(lowering, actor=session_actor(validator), is_agreed=False)
    assert refusal.value.code == "reason_missing"
    assert state_of(lowering.project) == before


@pytest.mark.parametrize("role", ["lead", "data_scientist", "ml_engineer"])
def test_who_builds_lowers_nothing_whatever_else_they_are(project, lowering, validator, role, told):
    StakeholderFactory(project=project, user=validator, role=role)
    before, actor = state_of(project), session_actor(validator)
    with pytest.raises(errors.NotPermitted) as refusal:
        tiers.decide_assessment(lowering, actor=actor, is_agreed=True)
    assert refusal.value.code == "builder_cannot_lower"
    with pytest.raises(errors.NotPermitted) as refusal:
        tiers.assess_tier(project, new(LOW), actor=actor)
    assert refusal.value.code == "builder_cannot_lower"
    assert state_of(project) == before


def test_only_a_risk_officer_chooses_below_what_the_answers_give(
    project, risk_officer, validator, business_owner, told
):
    before = state_of(project)
    with pytest.raises(errors.NotPermitted) as refusal:
        tiers.assess_tier(project, new(HIGH, chosen="medium"), actor=session_actor(validator))
    assert refusal.value.code == "risk_officer_needed"
    assert state_of(project) == before
    actor = session_actor(risk_officer)
    row = tiers.assess_tier(project, new(HIGH, chosen="medium"), actor=actor)
    # The tier would not even change; the lower choice takes a second person all the same.
    assert row.state == "waiting"


def test_an_overtaken_assessment_can_no_longer_be_agreed_to(
    project, lowering, risk_officer, business_owner, told
):
    tiers.assess_tier(project, new(HIGH), actor=session_actor(risk_officer))
    before = state_of(project)
    with pytest.raises(errors.InvalidTransition) as refusal:
        tiers.decide_assessment(lowering, actor=session_actor(business_owner), is_agreed=True)
    assert refusal.value.code == "assessment_overtaken"
    assert state_of(project) == before


def test_it_is_decided_once(project, lowering, business_owner, validator, told):
    tiers.decide_assessment(lowering, actor=session_actor(business_owner), is_agreed=True)
    before = state_of(project)
    with pytest.raises(errors.InvalidTransition) as refusal:
        tiers.decide_assessment(lowering, actor=session_actor(validator), is_agreed=True)
    assert refusal.value.code == "assessment_decided"
    assert state_of(project) == before


def test_an_approved_scope_writes_down_its_assessment(
    project, submitted_scope, business_owner, told
):
    scoping.approve_scoping_document(
        submitted_scope, actor=session_actor(business_owner), review_ref="gate_review:0"
    )
    row = TierAssessment.objects.get()
    assert (row.scope, row.state) == (submitted_scope, "in force")
    assert row.answers == {name: submitted_scope.snapshot[name] for name in ANSWERS}
    assert tiers.assessments_of(project) == [row]


def test_an_assessment_is_never_changed(lowering):
    lowering.reason = "Another."
    with pytest.raises(errors.RuleViolated) as refusal:
        lowering.save()
    assert refusal.value.code == "append_only"
    with pytest.raises(errors.RuleViolated):
        TierAssessment.objects.update(reason="Another.")
    lowering.refresh_from_db()
    assert lowering.reason == "The reach has changed."
