"""Policies: written, read with line numbers, published by somebody else, never changed."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.utils import timezone

from governance.models import Environment, GateReview, PolicyVersion
from governance.rules.digests import digest_of
from governance.services import policies, reviews
from governance.services.rerouting import reroute_reviews
from governance.services.reviews import ReviewRequest
from ledger.models import LedgerEntry
from projects.actors import system
from projects.errors import (
    InvalidInput,
    InvalidTransition,
    NotFound,
    NotPermitted,
    RuleViolated,
    StaleState,
)
from projects.models import Project
from tests.factories import PASSWORD, StakeholderFactory, UserFactory, granted, session_actor
from tests.governance.fakes import acting

pytestmark = pytest.mark.django_db
TEXT = (Path(settings.BASE_DIR) / "tests" / "policies" / "standard.yaml").read_text()
WARNING_TEXT = TEXT.replace("mode: enforce}", "mode: warn}")


@pytest.fixture
def writer(db: None) -> User:
    return granted("paula", "add_policyversion", "publish_policyversion")


@pytest.fixture
def publisher(db: None) -> User:
    return granted("peter", "publish_policyversion")


@pytest.fixture
def executive(project: Project) -> User:
    user: User = UserFactory(username="eva")
    StakeholderFactory(project=project, user=user, role="executive")
    return user


def publish(version: PolicyVersion, user: User, **changes: Any) -> PolicyVersion:
    password = changes.get("password", PASSWORD)
    actor = acting(user, changes.get("method", "session"))
    version.refresh_from_db()
    return policies.publish_policy_version(version, actor=actor, password=password)


def ask(version: PolicyVersion, project: Project, user: User) -> GateReview:
    wanted = ReviewRequest("policy", project, "policy_version", version.ref)
    return reviews.request_review(wanted, actor=session_actor(user))


@pytest.fixture
def approved_draft(
    draft: PolicyVersion, project: Project, lead: User, executive: User, sign: Any
) -> PolicyVersion:
    """The draft that loosens a mode, signed by everybody whom the strictest tier asks."""
    review = ask(draft, project, lead)
    for username, role in (("rita", "risk_officer"), ("bruno", "business_owner")):
        sign(review, User.objects.get(username=username), role)
    assert review.status == "open"
    sign(review, executive, "executive")
    assert review.status == "approved"
    return draft


@pytest.fixture
def draft(policy: PolicyVersion, writer: User) -> PolicyVersion:
    return policies.write_draft(
        "standard", title="x", text=WARNING_TEXT, actor=session_actor(writer)
    )


def test_loading_publishes_the_shipped_policies_once(project: Project, settings: Any) -> None:
    settings.POLICY_DIR = settings.BASE_DIR / "fixtures" / "policies"
    first = policies.load_standard_policies(actor=system("setup"))
    assert [str(version) for version in first] == ["small-team v1", "standard v1"]
    assert policies.load_standard_policies(actor=system("setup")) == []
    shipped = (settings.POLICY_DIR / "standard.yaml").read_text()
    assert policies.published_policy(project).digest == digest_of(shipped)
    declared = Environment.objects.values_list("name", "alias", "gate", "mode")
    assert list(declared) == [
        ("staging", "candidate", "validation", "enforce"),
        ("canary", "canary", "pre_production", "enforce"),
        ("production", "champion", "production", "enforce"),
    ]


def test_without_a_policy_nothing_is_judged(project: Project) -> None:
    with pytest.raises(NotFound) as error:
        policies.published_policy(project)
    assert error.value.code == "no_policy"


def test_only_who_may_writes_policies(policy: PolicyVersion, lead: User) -> None:
    for actor in (session_actor(lead), system("monitoring")):
        with pytest.raises(NotPermitted) as error:
            policies.write_draft("standard", title="x", text=TEXT, actor=actor)
        assert error.value.code == "may_not_write_policies"
    assert PolicyVersion.objects.filter(policy__name="standard").count() == 1


def test_a_version_is_numbered_and_waits_as_a_draft(draft: PolicyVersion, policy: Any) -> None:
    assert (draft.number, draft.status) == (2, "draft")
    assert policies.published_policy(None) == policy  # type: ignore[arg-type]
    assert LedgerEntry.objects.filter(event="policy.installed", subject=draft.ref).exists()


@pytest.mark.parametrize(
    ("change", "path", "place", "hint"),
    [
        (("check: scope_ready", "check: scope_redy"), "gates.scope.requirements.0.check",
         "check: scope_redy", "Did you mean scope_ready?"),
        (("schema: 1", "schema: 2"), "schema", "schema: 2", "docs/policies.md"),
        (("    title: Scope\n", "    titel: Scope\n"), "gates.scope.titel", "titel: Scope",
         "Did you mean title?"),
        (("on_breach:", "on_breech:"), "on_breech", "on_breech:", "Did you mean on_breach?"),
        (("people: 3}", "people: none}"), "gates.scope.sign_offs.high.people", "people: none}",
         "docs/policies.md"),
        (("validity_days: 365", "validity_days: [365"), "", "", "Mend the YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_key_line_column_and_what_to_do(
    change: tuple[str, str], path: str, place: str, hint: str
) -> None:
    text = TEXT.replace(*change, 1)
    with pytest.raises(InvalidInput) as error:
        policies.parse_text(text)
    assert error.value.code == "invalid_policy"
    problems = error.value.details["problems"]
    (problem,) = [one for one in problems if one["path"] == path]
    line = text.splitlines()[problem["line"] - 1]
    assert line[problem["column"] - 1 :].startswith(place)
    assert hint in problem["hint"]
    assert all(one["line"] >= 1 and one["column"] >= 1 for one in problems)


@pytest.mark.parametrize("text", [TEXT.replace("check: scope_ready", "check: magic"), "a: ["])
def test_a_draft_is_saved_with_whatever_is_wrong_in_it(writer: User, text: str) -> None:
    draft = policies.write_draft("standard", title="x", text=text, actor=session_actor(writer))
    assert draft.text == text
    standing = policies.standing_of(draft)
    assert not standing.is_usable
    assert LedgerEntry.objects.get(event="policy.installed", subject=draft.ref)


def test_a_key_that_stands_twice_is_a_mistake(writer: User) -> None:
    text = TEXT + "validity_days: 9999\n"
    with pytest.raises(InvalidInput) as error:
        policies.parse_text(text)
    (problem,) = error.value.details["problems"]
    assert problem["path"] == "validity_days"
    assert "twice" in problem["message"]


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "!!python/object:os.system {}", "\x00"])
def test_what_is_no_policy_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidInput) as error:
        policies.parse_text(text)
    assert error.value.code == "invalid_policy"


def test_a_text_belongs_to_the_policy_it_names(writer: User) -> None:
    draft = policies.write_draft("other", title="x", text=TEXT, actor=session_actor(writer))
    (problem,) = policies.standing_of(draft).problems
    assert TEXT.splitlines()[problem.line - 1] == "name: standard"
    assert problem.hint == "Write `name: other`."


def test_every_editor_of_a_draft_is_kept_and_edits_go_over_nobody_s_head(
    draft: PolicyVersion, publisher: User, writer: User
) -> None:
    publisher.user_permissions.add(Permission.objects.get(codename="add_policyversion"))
    second = User.objects.get(pk=publisher.pk)
    read = draft.version_lock
    edited = policies.edit_draft(
        draft, text=TEXT, note="Back again.", actor=session_actor(second), read_version=read
    )
    assert set(edited.editors.all()) == {writer, second}
    assert (edited.digest, edited.note) == (digest_of(TEXT), "Back again.")
    with pytest.raises(StaleState):
        policies.edit_draft(draft, text="lost", actor=session_actor(writer), read_version=read)
    draft.refresh_from_db()
    assert draft.text == TEXT
    assert LedgerEntry.objects.filter(event="policy.draft_saved").count() == 1


def test_only_a_draft_is_edited_and_only_by_who_may(
    policy: PolicyVersion, draft: PolicyVersion, writer: User, lead: User
) -> None:
    with pytest.raises(InvalidTransition) as error:
        policies.edit_draft(policy, text="x", actor=session_actor(writer), read_version=0)
    assert error.value.code == "policy_not_draft"
    with pytest.raises(NotPermitted) as refused:
        policies.edit_draft(draft, text="x", actor=session_actor(lead), read_version=0)
    assert refused.value.code == "may_not_write_policies"
    for version in (policy, draft):
        before = version.text
        version.refresh_from_db()
        assert version.text == before


@pytest.mark.parametrize("status", ["published", "retired"])
def test_what_was_published_refuses_every_change_through_the_orm(
    policy: PolicyVersion, status: str
) -> None:
    PolicyVersion.objects.filter(pk=policy.pk).update(status=status)
    policy.refresh_from_db()
    rows = PolicyVersion.objects.filter(pk=policy.pk)
    policy.text = "schema: 1"
    for change in (
        policy.save,
        policy.delete,
        rows.delete,
        lambda: rows.update(text="schema: 1"),
        lambda: rows.update(digest="0" * 64),
        lambda: PolicyVersion.objects.bulk_update([policy], ["text"]),
    ):
        with pytest.raises(RuleViolated) as error, transaction.atomic():
            change()
        assert error.value.code == "policy_version_immutable"
    assert PolicyVersion.objects.get(pk=policy.pk).text == TEXT


def test_nobody_who_wrote_on_it_publishes_it(
    draft: PolicyVersion, writer: User, publisher: User
) -> None:
    draft.editors.add(publisher)
    for user in (writer, publisher):
        with pytest.raises(NotPermitted) as error:
            publish(draft, user)
        assert error.value.code == "author_cannot_publish"
    assert Environment.objects.get().mode == "enforce"


def test_a_change_of_policy_must_be_signed_before_it_is_published(
    draft: PolicyVersion, publisher: User
) -> None:
    with pytest.raises(RuleViolated) as error:
        publish(draft, publisher)
    assert error.value.code == "policy_not_approved"
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_a_weaker_mode_takes_the_strictest_quorum_and_a_password(
    approved_draft: PolicyVersion, publisher: User, project: Project
) -> None:
    review = GateReview.objects.get(gate="policy")
    assert (project.tier, review.tier) == ("medium", "high")
    sentence = "The environment production is in the mode warn instead of enforce."
    assert review.facts["attributes"]["looser"] == [sentence]
    assert set(review.sign_offs.values_list("role", flat=True)) == {
        "risk_officer", "business_owner", "executive",
    }  # fmt: skip
    for refused in ({"password": "wrong"}, {"method": "token"}):
        with pytest.raises(NotPermitted):
            publish(approved_draft, publisher, **refused)
        assert Environment.objects.get().mode == "enforce"
    publish(approved_draft, publisher)
    assert Environment.objects.get().mode == "warn"
    versions = PolicyVersion.objects.filter(policy__name="standard")
    assert list(versions.values_list("status")) == [("published",), ("retired",)]
    assert LedgerEntry.objects.filter(event="environment.changed").count() == 1
    entry = LedgerEntry.objects.get(event="policy.published", subject=approved_draft.ref)
    assert entry.data["review"] == review.ref


def test_an_approval_is_of_one_text_only(
    approved_draft: PolicyVersion, writer: User, publisher: User
) -> None:
    policies.edit_draft(
        approved_draft,
        text=WARNING_TEXT + "# And one word more.\n",
        actor=session_actor(writer),
        read_version=approved_draft.version_lock,
    )
    with pytest.raises(RuleViolated) as error:
        publish(approved_draft, publisher)
    assert error.value.code == "policy_not_approved"
    approved_draft.refresh_from_db()
    assert approved_draft.status == "draft"


def test_what_loosens_is_not_published_on_a_review_at_a_lower_tier(
    approved_draft: PolicyVersion, publisher: User
) -> None:
    GateReview.objects.filter(gate="policy").update(tier="medium")
    with pytest.raises(RuleViolated) as error:
        publish(approved_draft, publisher)
    assert error.value.code == "policy_not_approved"
    assert "have it reviewed at high risk" in error.value.message
    assert Environment.objects.get().mode == "enforce"


def test_a_project_of_lower_risk_takes_no_loosening_to_a_smaller_quorum(
    draft: PolicyVersion, project: Project, lead: User, executive: User
) -> None:
    review = ask(draft, project, lead)
    Project.objects.filter(pk=project.pk).update(tier="low")
    project.refresh_from_db()
    reroute_reviews(project, former="medium", actor=session_actor(lead), because="test")
    review.refresh_from_db()
    assert (review.tier, review.status_reason) == ("high", "")


def test_what_only_tightens_is_reviewed_at_the_project_s_tier(
    policy: PolicyVersion, writer: User, project: Project, lead: User
) -> None:
    text = TEXT.replace("validity_days: 365", "validity_days: 90")
    draft = policies.write_draft("standard", title="x", text=text, actor=session_actor(writer))
    review = ask(draft, project, lead)
    assert review.tier == "medium"
    assert review.facts["attributes"]["looser"] == []
    assert review.facts["attributes"]["stricter"] != []


def test_a_draft_edited_to_loosen_is_judged_at_the_strictest_tier_once_bound_anew(
    policy: PolicyVersion, writer: User, project: Project, lead: User
) -> None:
    text = TEXT.replace("validity_days: 365", "validity_days: 90")
    draft = policies.write_draft("standard", title="x", text=text, actor=session_actor(writer))
    review = ask(draft, project, lead)
    policies.edit_draft(draft, text=WARNING_TEXT, actor=session_actor(writer), read_version=0)
    reviews.refresh_review(review, actor=session_actor(lead))
    review.refresh_from_db()
    assert review.tier == "high"


def test_a_text_that_cannot_be_read_is_not_put_up_for_review(
    policy: PolicyVersion, writer: User, project: Project, lead: User
) -> None:
    draft = policies.write_draft("standard", title="x", text="a: [", actor=session_actor(writer))
    with pytest.raises(RuleViolated) as error:
        ask(draft, project, lead)
    assert error.value.code == "policy_not_readable"
    assert "line 2, column 1" in error.value.details["reasons"][0]
    assert not GateReview.objects.exists()


def test_nobody_who_wrote_on_it_signs_it(
    draft: PolicyVersion, project: Project, lead: User, business_owner: User, executive: User
) -> None:
    draft.editors.add(business_owner)
    with pytest.raises(RuleViolated) as error:
        ask(draft, project, lead)
    assert error.value.code == "no_eligible_signer"
    assert error.value.details["roles"] == ["business_owner"]


@pytest.mark.parametrize("asked", [None, date(2027, 1, 4)])
def test_a_review_is_due_when_the_policy_says_unless_the_request_names_a_day(
    policy: PolicyVersion, project: Project, submitted_scope: Any, lead: User, asked: date | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    friday = datetime(2026, 11, 27, 12, tzinfo=UTC)
    monkeypatch.setattr(reviews, "now", lambda: friday)
    gate = replace(policies.gate_rules(policy, "scope"), decide_within_days=5)
    monkeypatch.setattr(reviews, "gate_rules", lambda *_: gate)
    wanted = ReviewRequest("scope", project, "scoping_document", submitted_scope.ref, asked)
    review = reviews.request_review(wanted, actor=session_actor(lead))
    assert review.due_on == (asked or date(2026, 12, 4))


def test_a_published_version_is_not_published_again(policy: PolicyVersion, publisher: User) -> None:
    with pytest.raises(InvalidTransition):
        publish(policy, publisher)


def test_running_reviews_stay_on_their_version(
    scope_review: GateReview, draft: PolicyVersion
) -> None:
    before = reviews.unmet_requirements(scope_review)
    PolicyVersion.objects.filter(status="published").update(status="retired")
    PolicyVersion.objects.filter(pk=draft.pk).update(
        status="published", published_at=timezone.now()
    )
    scope_review.refresh_from_db()
    assert scope_review.policy_version.number == 1
    assert reviews.unmet_requirements(scope_review) == before
