"""Policies: written, read with line numbers, published by somebody else, never changed."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from governance.models import Environment, GateReview, PolicyVersion
from governance.rules.digests import digest_of
from governance.services import policies, reviews
from governance.services.reviews import ReviewRequest
from ledger.models import LedgerEntry
from projects.actors import system
from projects.errors import (
    InvalidInput,
    InvalidTransition,
    NotFound,
    NotPermitted,
    RuleViolated,
)
from projects.models import Project
from tests.factories import UserFactory, session_actor

pytestmark = pytest.mark.django_db
TEXT = (Path(settings.BASE_DIR) / "tests" / "policies" / "standard.yaml").read_text()
WARNING_TEXT = TEXT.replace("mode: enforce}", "mode: warn}")


def officer(name: str, *permissions: str) -> User:
    user = UserFactory(username=name)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def writer(db: None) -> User:
    return officer("paula", "add_policyversion", "publish_policyversion")


@pytest.fixture
def publisher(db: None) -> User:
    return officer("peter", "publish_policyversion")


@pytest.fixture
def draft(policy: PolicyVersion, writer: User) -> PolicyVersion:
    return policies.install_policy(
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
            policies.install_policy("standard", title="x", text=TEXT, actor=actor)
        assert error.value.code == "may_not_write_policies"
    assert PolicyVersion.objects.filter(policy__name="standard").count() == 1


def test_a_version_is_numbered_and_waits_as_a_draft(draft: PolicyVersion, policy: Any) -> None:
    assert (draft.number, draft.status) == (2, "draft")
    assert policies.published_policy(None) == policy  # type: ignore[arg-type]
    assert LedgerEntry.objects.filter(event="policy.installed", subject=draft.ref).exists()


@pytest.mark.parametrize(
    ("change", "path", "line"),
    [
        (("check: scope_ready", "check: magic"), "gates.scope.requirements.0.check", "magic"),
        (("schema: 1", "schema: 2"), "schema", "schema: 2"),
        (("    title: Scope\n", "    titel: Scope\n"), "gates.scope", "  scope:"),
        (("on_breach:", "on_breech:"), "the policy", ""),
        (("people: 3}", "people: none}"), "gates.scope.sign_offs.high.people", "people: none}"),
    ],
)
def test_a_mistake_is_named_with_key_and_line(
    writer: User, change: tuple[str, str], path: str, line: str
) -> None:
    text = TEXT.replace(*change, 1)
    with pytest.raises(InvalidInput) as error:
        policies.install_policy("standard", title="x", text=text, actor=session_actor(writer))
    assert error.value.code == "invalid_policy"
    problem = error.value.details["problems"][0]
    assert problem["path"] == path
    assert line in text.splitlines()[problem["line"] - 1]
    assert not PolicyVersion.objects.exists()


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
    with pytest.raises(InvalidInput) as error:
        policies.install_policy("other", title="x", text=TEXT, actor=session_actor(writer))
    assert error.value.code == "wrong_policy_name"


def test_the_author_does_not_publish(draft: PolicyVersion, writer: User) -> None:
    with pytest.raises(NotPermitted) as error:
        policies.publish_policy_version(draft, actor=session_actor(writer))
    assert error.value.code == "author_cannot_publish"
    assert Environment.objects.get().mode == "enforce"


def test_a_change_of_policy_must_be_signed_before_it_is_published(
    draft: PolicyVersion, publisher: User
) -> None:
    with pytest.raises(RuleViolated) as error:
        policies.publish_policy_version(draft, actor=session_actor(publisher))
    assert error.value.code == "policy_not_approved"
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_a_weaker_mode_is_a_signed_change(
    draft: PolicyVersion, publisher: User, project: Project, sign: Any, request: Any
) -> None:
    wanted = ReviewRequest("policy", project, "policy_version", draft.ref)
    review = reviews.request_review(wanted, actor=session_actor(request.getfixturevalue("lead")))
    for role in ("risk_officer", "business_owner"):
        sign(review, request.getfixturevalue(role), role)
    assert review.status == "approved"
    policies.publish_policy_version(draft, actor=session_actor(publisher))
    assert Environment.objects.get().mode == "warn"
    assert list(PolicyVersion.objects.filter(policy__name="standard").values_list("status")) == [
        ("published",),
        ("retired",),
    ]
    assert LedgerEntry.objects.filter(event="environment.changed").count() == 1


def test_a_published_version_is_not_published_again(policy: PolicyVersion, publisher: User) -> None:
    with pytest.raises(InvalidTransition):
        policies.publish_policy_version(policy, actor=session_actor(publisher))


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
