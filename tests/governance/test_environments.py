"""Environments: what stands where, who set the mode, and no door but a policy that changes it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from governance.models import Environment, Finding, PolicyVersion, Promotion
from governance.services import enforcement, environments, policies, policy_publishing
from governance.services.enforcement import AliasChange
from ledger.models import LedgerEntry
from projects.actors import system
from projects.errors import RuleViolated
from tests.factories import session_actor

pytestmark = pytest.mark.django_db
MODEL = "term-deposit-calls"
PAGE, REST = "/environments/", "/api/v1/environments/overview/"


def declare(policy: PolicyVersion, was: str, to: str) -> PolicyVersion:
    """Let the environments be as the policy's next version says, as if its gate were passed."""
    text = policy.text.replace(was, to)
    version = policies.write_draft("standard", title="S", text=text, actor=system("setup"))
    for one in policies.rules_of(version).environments:
        policy_publishing._declare(one, version, actor=system("setup"))
    return version


@pytest.fixture
def weakened(policy: PolicyVersion) -> PolicyVersion:
    return declare(policy, "mode: enforce", "mode: warn")


def move(user: User, version: int | None = 1) -> enforcement.LetThrough | None:
    change = AliasChange(MODEL, "champion", version)
    return enforcement.require_alias_change(change, actor=session_actor(user))


def mode() -> str:
    return str(Environment.objects.get().mode)


def test_a_warning_comes_with_an_entry_and_one_finding(
    promotion: Promotion, ml_engineer: User
) -> None:
    Environment.objects.declare("production", mode="warn")
    for _ in range(2):
        passed = move(ml_engineer)
    assert passed is not None
    assert f"{MODEL} v1 is not approved for production" in passed.warning
    assert LedgerEntry.objects.filter(event="registry.change_let_through").count() == 2
    finding = Finding.objects.get()
    assert (finding.severity, finding.subject_ref) == ("high", promotion.subject_ref)


def test_observing_records_and_says_nothing(promotion: Promotion, ml_engineer: User) -> None:
    Environment.objects.declare("production", mode="observe")
    passed = move(ml_engineer)
    assert passed is not None
    assert passed.warning == ""
    entry = LedgerEntry.objects.get(event="registry.change_let_through")
    assert (entry.data["mode"], entry.data["why_not"]) == ("observe", "promotion_not_approved")
    assert not Finding.objects.exists()


@pytest.mark.parametrize("door", ["save", "update", "bulk_update", "delete", "delete_many"])
def test_no_door_of_the_models_changes_a_mode(policy: PolicyVersion, door: str) -> None:
    environment = Environment.objects.get()
    environment.mode = "observe"
    doors: dict[str, Any] = {
        "save": environment.save,
        "update": lambda: Environment.objects.update(mode="observe"),
        "bulk_update": lambda: Environment.objects.bulk_update([environment], ["mode"]),
        "delete": environment.delete,
        "delete_many": Environment.objects.all().delete,
    }
    with pytest.raises(RuleViolated) as refusal, transaction.atomic():
        doors[door]()
    assert refusal.value.code == "set_by_policy"
    assert mode() == "enforce"


def test_neither_rest_nor_the_admin_changes_a_mode(
    policy: PolicyVersion, superuser: User, api: Any, client_for: Any
) -> None:
    pk = Environment.objects.get().pk
    caller, browser = api(superuser), client_for(superuser)
    for method in ("post", "put", "patch", "delete"):
        for address in ("/api/v1/environments/", f"/api/v1/environments/{pk}/"):
            told = getattr(caller, method)(address, {"mode": "observe"}, format="json")
            assert told.status_code == 405
    for door in ("change", "delete"):
        address = f"/admin/governance/environment/{pk}/{door}/"
        assert browser.post(address, {"mode": "observe", "post": "yes"}).status_code == 403
    assert mode() == "enforce"


def test_it_names_what_stands_and_which_policy_set_the_mode(
    applied: Promotion, policy: PolicyVersion, lead: User
) -> None:
    standing = environments.overview(session_actor(lead))[0]
    assert (standing.environment.name, standing.environment.mode) == ("production", "enforce")
    assert standing.promotions == (applied,)
    assert standing.origin is not None
    assert (standing.origin.version, standing.origin.signers) == (policy, ())
    assert standing.let_through == 0


def test_a_version_that_leaves_the_mode_alone_did_not_set_it(
    weakened: PolicyVersion, lead: User
) -> None:
    declare(weakened, "gate: validation,", "gate: retirement,")
    standing = environments.overview(session_actor(lead))[0]
    assert standing.environment.gate == "retirement"
    assert standing.origin is not None
    assert standing.origin.version == weakened


def test_the_page_and_rest_count_what_was_let_through(
    promotion: Promotion,
    weakened: PolicyVersion,
    lead: User,
    outsider: User,
    api: Any,
    client_for: Any,
) -> None:
    move(User.objects.get(username="mia"))
    told = api(lead).get(REST).json()[0]
    assert (told["environment"]["mode"], told["let_through"]) == ("warn", 1)
    assert told["origin"]["policy_version"] == str(weakened)
    assert "1 unapproved change" in client_for(lead).get(PAGE).content.decode()
    own = client_for(lead).get(f"{PAGE}production/").content.decode()
    assert f"{MODEL}@champion" in own
    strange = client_for(outsider).get(f"{PAGE}production/").content.decode()
    assert MODEL not in strange
    assert client_for(lead).get(f"{PAGE}moon/").status_code == 404


def test_strangers_see_no_versions(applied: Promotion, outsider: User, api: Any) -> None:
    assert api(outsider).get(REST).json()[0]["promotions"] == []


def test_the_overview_takes_as_many_queries_however_much_stands(
    applied: Promotion, lead: User, django_assert_num_queries: Any
) -> None:
    actor = session_actor(lead)
    environments.overview(actor)
    with django_assert_num_queries(6):
        environments.overview(actor)


def test_nothing_declared_is_said(lead: User, client_for: Any) -> None:
    assert "No environment is declared yet." in client_for(lead).get(PAGE).content.decode()
