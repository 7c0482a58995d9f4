"""Writing, assessing, submitting and deciding scoping documents."""

import copy
import math

import pytest

from ledger.models import LedgerEntry
from projects import errors
from projects.actors import system
from projects.models import Criterion, ScopingDocument
from projects.services import projects, scoping
from tests import factories


@pytest.fixture
def draft(project, lead, scope_content, actor):
    return scoping.write_draft(project, actor=actor(lead), content=scope_content)


def events_of(document):
    entries = LedgerEntry.objects.filter(subject=document.ref).order_by("seq")
    return list(entries.values_list("event", flat=True))


def complaints(project, actor, lead, **fields):
    with pytest.raises(errors.InvalidInput) as refusal:
        scoping.write_draft(project, actor=actor(lead), content={"title": "T", **fields})
    assert refusal.value.code == "invalid_scope"
    assert not ScopingDocument.objects.exists()
    return {error["field"]: error["message"] for error in refusal.value.details["errors"]}


def test_balanced_scope_may_be_submitted(draft):
    readiness = scoping.assess(draft)
    assert readiness.reasons == []
    assert readiness.score >= readiness.threshold == 75


def test_content_comes_back_as_it_was_written(draft, scope_content):
    stored = scoping.content_of(draft)
    for name, value in scope_content.items():
        if not isinstance(value, list):
            assert stored[name] == value, name
            continue
        assert len(stored[name]) == len(value)
        for row in value:
            assert any(row.items() <= other.items() for other in stored[name]), (name, row)


def test_content_written_again_has_the_same_hash(draft, project, lead, actor):
    content = scoping.content_of(draft)
    again = scoping.write_draft(project, actor=actor(lead), content=content)
    assert scoping.content_hash(scoping.content_of(again)) == scoping.content_hash(content)


def test_hash_ignores_the_order_of_rows_and_sees_every_value(draft):
    content = scoping.content_of(draft)
    turned = {**content, "risks": content["risks"][::-1]}
    assert scoping.content_hash(turned) == scoping.content_hash(content)
    looser = copy.deepcopy(content)
    looser["criteria"][0]["threshold"] -= 0.01
    assert scoping.content_hash(looser) != scoping.content_hash(content)


def test_draft_saves_with_gaps(project, lead, actor):
    draft = scoping.write_draft(project, actor=actor(lead), content={"title": "Only a title"})
    assert scoping.assess(draft).blockers
    assert events_of(draft) == ["scope.draft_saved"]


def test_every_wrong_field_is_named_at_once(project, lead, actor):
    wrong = complaints(
        project,
        actor,
        lead,
        colour="red",
        summary=["a", "list"],
        is_time_ordered="yes",
        ml_task="magic",
        annual_benefit="NaN",
        false_positive_cost=-1,
        experts_interviewed=2.5,
        risks="none",
        estimates=["a lot"],
        objectives=[{"kind": "ml", "statement": "S", "baseline_value": math.nan}],
        data_sources=[{"name": "D", "owner": "nobody", "acces": "granted"}],
        baselines=[{"name": "B", "kind": "heuristic", "metrics": {"auc": math.inf}}],
        criteria=[
            {"key": "k", "title": "T", "level": "kill", "metric_key": "m", "by_date": "soon"}
        ],
    )
    assert set(wrong) >= {
        "colour",
        "summary",
        "is_time_ordered",
        "ml_task",
        "annual_benefit",
        "false_positive_cost",
        "experts_interviewed",
        "risks",
        "estimates[0]",
        "objectives[0].baseline_value",
        "data_sources[0].owner",
        "data_sources[0].acces",
        "baselines[0].metrics",
        "criteria[0].greater_is_better",
        "criteria[0].by_date",
    }
    assert wrong["data_sources[0].owner"] == "There is no user named 'nobody'."


def test_rows_out_of_order_or_named_twice_are_refused(project, lead, actor):
    estimate = {"phase": "P", "optimistic_days": 3, "likely_days": 2, "pessimistic_days": 1}
    note = {"column": "age", "is_known_at_prediction": True, "is_used": True}
    wrong = complaints(project, actor, lead, estimates=[estimate], feature_notes=[note, dict(note)])
    assert "must rise" in wrong["estimates[0]"]
    assert "used twice" in wrong["feature_notes.column"]


def test_criterion_without_a_condition_is_refused(project, lead, actor):
    criterion = {"key": "k", "title": "T", "level": "must", "metric_key": "m"}
    wrong = complaints(project, actor, lead, criteria=[{**criterion, "greater_is_better": True}])
    assert "threshold" in wrong["criteria[0]"]


def test_title_is_the_one_thing_a_draft_needs(project, lead, actor):
    assert "title" in complaints(project, actor, lead, title="")


def test_replacing_a_draft_empties_what_is_left_out(draft, project, data_scientist, actor):
    scoping.write_draft(
        project, actor=actor(data_scientist), content={"title": "Shorter"}, document=draft
    )
    assert (draft.version, draft.title, draft.problem_statement) == (1, "Shorter", "")
    assert not draft.criteria.exists()
    assert data_scientist in draft.editors.all()


def test_draft_read_before_somebody_elses_save_is_stale(draft, project, lead, actor):
    read_earlier = ScopingDocument.objects.get(pk=draft.pk)
    scoping.write_draft(project, actor=actor(lead), content={"title": "A"}, document=draft)
    with pytest.raises(errors.StaleState):
        scoping.write_draft(
            project, actor=actor(lead), content={"title": "B"}, document=read_earlier
        )
    draft.refresh_from_db()
    assert draft.title == "A"


def test_draft_of_another_project_is_refused(draft, lead, actor):
    other = factories.ProjectFactory()
    factories.StakeholderFactory(project=other, user=lead)
    with pytest.raises(errors.InvalidInput) as refusal:
        scoping.write_draft(other, actor=actor(lead), content={"title": "T"}, document=draft)
    assert refusal.value.code == "wrong_project"


def test_submission_freezes_content_and_hash(draft, lead, actor):
    content = scoping.content_of(draft)
    scoping.submit_scoping_document(draft, actor=actor(lead))
    assert draft.status == "submitted"
    assert draft.snapshot == content
    assert draft.content_hash == scoping.content_hash(content)
    assert draft.submitted_by == lead
    assert events_of(draft) == ["scope.draft_saved", "scope.submitted"]


def test_copied_scope_is_refused_with_every_blocker(project, lead, actor):
    content = factories.scope_content_of("term-deposit-blog")
    draft = scoping.write_draft(project, actor=actor(lead), content=content)
    with pytest.raises(errors.RuleViolated) as refusal:
        scoping.submit_scoping_document(draft, actor=actor(lead))
    assert refusal.value.code == "scope_not_ready"
    assert len(refusal.value.details["reasons"]) >= 15
    draft.refresh_from_db()
    assert (draft.status, draft.content_hash, draft.snapshot) == ("draft", "", None)
    assert "scope.submitted" not in events_of(draft)


def test_scope_without_a_criterion_is_refused(project, lead, scope_content, actor):
    draft = scoping.write_draft(
        project, actor=actor(lead), content={**scope_content, "criteria": []}
    )
    with pytest.raises(errors.RuleViolated) as refusal:
        scoping.submit_scoping_document(draft, actor=actor(lead))
    codes = [blocker["code"] for blocker in refusal.value.details["blockers"]]
    assert codes == [
        "criteria_missing",
        "constraint_without_guardrail",
        "latency_without_guardrail",
    ]


def test_role_held_only_by_an_author_blocks(project, lead, data_owner, scope_content, actor):
    projects.assign_role(project, actor=actor(lead), user=data_owner, role="data_engineer")
    draft = scoping.write_draft(project, actor=actor(data_owner), content=scope_content)
    with pytest.raises(errors.RuleViolated) as refusal:
        scoping.submit_scoping_document(draft, actor=actor(lead))
    assert "data owner" in refusal.value.details["reasons"][0]


@pytest.mark.parametrize("who", ["data_scientist", "business_owner", "auditor"])
def test_only_the_lead_submits(draft, actor, who, request):
    with pytest.raises(errors.NotPermitted) as refusal:
        scoping.submit_scoping_document(draft, actor=actor(request.getfixturevalue(who)))
    assert refusal.value.code == "role_missing"
    assert events_of(draft) == ["scope.draft_saved"]


@pytest.mark.parametrize("who", ["business_owner", "data_owner", "risk_officer", "auditor"])
def test_those_who_sign_do_not_write(project, actor, who, request):
    with pytest.raises(errors.NotPermitted):
        scoping.write_draft(
            project, actor=actor(request.getfixturevalue(who)), content={"title": "T"}
        )
    assert not ScopingDocument.objects.exists()


def test_system_writes_no_scope(project):
    with pytest.raises(errors.NotPermitted) as refusal:
        scoping.write_draft(project, actor=system("retraining"), content={"title": "T"})
    assert refusal.value.code == "system_not_listed"


def test_approval_locks_the_criteria(approved_scope):
    assert approved_scope.status == "approved"
    assert scoping.approved_scope(approved_scope.project) == approved_scope
    assert not Criterion.objects.filter(scope=approved_scope, locked_at=None).exists()


def test_approval_supersedes_the_version_before(approved_scope, lead, business_owner, actor):
    later = scoping.start_from_version(approved_scope, actor=actor(lead))
    scoping.submit_scoping_document(later, actor=actor(lead))
    scoping.approve_scoping_document(later, actor=actor(business_owner), review_ref="gate_review:2")
    approved_scope.refresh_from_db()
    assert approved_scope.status == "superseded"
    assert scoping.approved_scope(later.project) == later
    assert events_of(approved_scope)[-1] == "scope.superseded"


def test_governance_decides_in_its_own_name(submitted_scope):
    scoping.approve_scoping_document(
        submitted_scope, actor=system("governance"), review_ref="gate_review:1"
    )
    assert submitted_scope.status == "approved"


@pytest.mark.parametrize("part", ["retraining", "monitoring", "gateway"])
def test_no_other_part_of_the_system_decides(submitted_scope, part):
    with pytest.raises(errors.NotPermitted):
        scoping.approve_scoping_document(
            submitted_scope, actor=system(part), review_ref="gate_review:1"
        )


def test_author_cannot_approve(submitted_scope, lead, actor):
    with pytest.raises(errors.NotPermitted) as refusal:
        scoping.approve_scoping_document(
            submitted_scope, actor=actor(lead), review_ref="gate_review:1"
        )
    assert refusal.value.code == "author_cannot_decide"
    submitted_scope.refresh_from_db()
    assert submitted_scope.status == "submitted"


def test_decision_names_its_review(submitted_scope, business_owner, actor):
    with pytest.raises(errors.InvalidInput) as refusal:
        scoping.approve_scoping_document(
            submitted_scope, actor=actor(business_owner), review_ref=""
        )
    assert refusal.value.code == "review_ref_missing"


def test_row_changed_behind_the_service_stops_approval(submitted_scope, business_owner, actor):
    submitted_scope.criteria.update(threshold=0.1)
    with pytest.raises(errors.RuleViolated) as refusal:
        scoping.approve_scoping_document(
            submitted_scope, actor=actor(business_owner), review_ref="gate_review:1"
        )
    assert refusal.value.code == "scope_changed"
    assert scoping.approved_scope(submitted_scope.project) is None


def test_draft_cannot_be_approved(draft, business_owner, actor):
    with pytest.raises((errors.InvalidTransition, errors.RuleViolated)):
        scoping.approve_scoping_document(
            draft, actor=actor(business_owner), review_ref="gate_review:1"
        )
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_rejected_and_withdrawn_documents_stay(submitted_scope, lead, business_owner, actor):
    scoping.reject_scoping_document(
        submitted_scope, actor=actor(business_owner), review_ref="gate_review:1"
    )
    assert submitted_scope.status == "rejected"
    with pytest.raises(errors.InvalidTransition):
        scoping.withdraw_scoping_document(submitted_scope, actor=actor(lead))
    again = scoping.start_from_version(submitted_scope, actor=actor(lead))
    scoping.withdraw_scoping_document(again, actor=actor(lead))
    assert (again.version, again.parent, again.status) == (2, submitted_scope, "withdrawn")
