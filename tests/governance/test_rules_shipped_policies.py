"""The shipped policies: all gates with their roles, more people for more risk, nothing unused."""

from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from governance.rules import separation
from governance.rules.policy import SUBJECTS, TIERS, GateRules, PolicyRules
from governance.rules.policy_reader import parse_policy
from governance.rules.requirements import VOCABULARY

DIRECTORY = Path(settings.BASE_DIR) / "fixtures" / "policies"
#: Gate -> subject, tiers at which it is a checklist, roles by tier; what the templates ask for.
GATES: dict[str, tuple[str, set[str], dict[str, set[str]]]] = {
    "scope": ("scoping_document", set(), {
        "low": {"business_owner"}, "medium": {"business_owner", "risk_officer"},
        "high": {"business_owner", "risk_officer", "data_owner", "operations"}}),
    "data": ("dataset_version", {"low"}, {
        "low": {"data_owner"}, "medium": {"data_owner", "lead"},
        "high": {"data_owner", "lead", "privacy_officer"}}),
    "experiment_review": ("sprint", {"low"}, {
        "low": {"business_owner"}, "medium": {"business_owner", "ml_engineer"},
        "high": {"business_owner", "ml_engineer", "subject_matter_expert"}}),
    "validation": ("model_version", set(), {
        "low": {"validator"}, "medium": {"validator", "risk_officer"},
        "high": {"validator", "risk_officer", "subject_matter_expert"}}),
    "pre_production": ("model_version", {"low"}, {
        "low": {"operations"}, "medium": {"operations", "risk_officer"},
        "high": {"operations", "risk_officer", "business_owner"}}),
    "production": ("model_version", set(), {
        "low": {"business_owner"}, "medium": {"business_owner", "risk_officer", "operations"},
        "high": {"business_owner", "risk_officer", "operations", "executive"}}),
    "revalidation": ("model_version", set(), {
        "low": {"validator"}, "medium": {"validator", "business_owner"},
        "high": {"validator", "business_owner", "risk_officer"}}),
    "retirement": ("model_version", set(), {
        "low": {"business_owner"}, "medium": {"business_owner", "operations"},
        "high": {"business_owner", "operations", "risk_officer"}}),
    "policy": ("policy_version", set(), {
        "low": {"risk_officer", "business_owner"}, "medium": {"risk_officer", "business_owner"},
        "high": {"risk_officer", "business_owner", "executive"}}),
}  # fmt: skip


def rules_of(name: str) -> PolicyRules:
    return parse_policy(yaml.safe_load((DIRECTORY / f"{name}.yaml").read_text()), VOCABULARY)


STANDARD, SMALL = rules_of("standard"), rules_of("small-team")


def requirements(gate: GateRules, tier: str, *, blocking: bool = True) -> set[tuple[str, str]]:
    """Return each check that counts at a tier with the parameters it is asked with."""
    return {
        (rule.check, str(sorted(rule.params.items())))
        for rule in gate.requirements_at(tier)
        if rule.blocking or not blocking
    }


def test_every_gate_of_the_templates_is_there_with_its_named_roles():
    assert set(STANDARD.gates) == set(GATES)
    for name, (subject, checklist, roles) in GATES.items():
        gate = STANDARD.gates[name]
        assert (gate.subject, set(gate.checklist_at)) == (subject, checklist)
        assert {tier: set(rule.roles) for tier, rule in gate.sign_offs.items()} == roles
        # Nobody may be counted for two of the roles that the template names.
        assert all(rule.people == len(rule.roles) for rule in gate.sign_offs.values())


def test_every_kind_of_subject_has_a_gate():
    assert {gate.subject for gate in STANDARD.gates.values()} == set(SUBJECTS)


@pytest.mark.parametrize("gate", STANDARD.gates.values(), ids=lambda gate: gate.name)
def test_more_risk_never_means_fewer_people_roles_separation_rules_or_requirements(gate):
    for less, more in pairwise(TIERS):
        assert gate.sign_offs[less].people <= gate.sign_offs[more].people
        assert set(gate.sign_offs[less].roles) <= set(gate.sign_offs[more].roles)
        assert set(gate.separation_at(less)) <= set(gate.separation_at(more))
        assert strictness(gate, less) <= strictness(gate, more)


def strictness(gate: GateRules, tier: str) -> set[str]:
    """Return which checks block at a tier; how far each goes is held in tests of its own."""
    return {check for check, _ in requirements(gate, tier)}


def test_a_version_takes_the_gates_in_their_order():
    gates = {one.name: one.gate for one in STANDARD.environments}
    assert gates == {
        "staging": "validation",
        "canary": "pre_production",
        "production": "production",
    }
    assert all(one.mode == "enforce" for one in STANDARD.environments)
    for tier in TIERS:
        before = "[('passed', 'validation')]"
        assert ("gate_passed", before) in requirements(STANDARD.gates["pre_production"], tier)
        assert ("gate_passed", before) in requirements(STANDARD.gates["production"], tier)


def test_at_low_risk_no_later_gate_waits_for_a_checklist():
    production = STANDARD.gates["production"]
    rehearsed = ("gate_passed", "[('passed', 'pre_production')]")
    for tier in TIERS:
        assert (rehearsed in requirements(production, tier)) is (tier != "low")
        checks = {check for check, _ in requirements(STANDARD.gates["validation"], tier)}
        assert ("dataset_approved" in checks) is (tier != "low")


def test_who_is_independent_enough_to_validate_follows_the_tier():
    gate = STANDARD.gates["validation"]
    assert "builder_not_validator" not in gate.separation_at("low")
    assert "builder_not_validator" in gate.separation_at("medium")
    assert "other_reporting_line" not in gate.separation_at("medium")
    assert "other_reporting_line" in gate.separation_at("high")


def test_every_separation_rule_and_every_built_in_check_is_used_or_left_to_scripts():
    used = {rule.name for gate in STANDARD.gates.values() for rule in gate.separation_rules}
    assert used == set(separation.SWITCHABLE)
    checks = {rule.check for gate in STANDARD.gates.values() for rule in gate.requirements}
    assert set(VOCABULARY.checks) - checks == {"script_passes"}


def test_every_kind_of_evidence_that_a_gate_asks_for_has_an_age():
    for policy in (STANDARD, SMALL):
        asked = {
            str(kind)
            for gate in policy.gates.values()
            for rule in gate.requirements
            for kind in (rule.params.get("kind"), *rule.params.get("any_of", ()))
            if kind
        }
        assert asked <= set(policy.evidence_types)
        assert all(one.max_age_days for one in policy.evidence_types.values())


def test_approvals_last_shorter_where_more_is_at_stake():
    assert dict(STANDARD.validity_days) == {"low": 730, "medium": 365, "high": 182}
    assert STANDARD.break_glass is not None
    assert set(STANDARD.break_glass.roles) == {"operations", "business_owner"}
    assert (STANDARD.break_glass.max_hours, STANDARD.break_glass.review_within_days) == (72, 5)
    assert all(gate.decide_within_days for gate in STANDARD.gates.values())


def test_a_corrected_card_or_another_scope_ends_no_sign_off_but_what_was_trained_always_does():
    for gate in STANDARD.gates.values():
        kept = {part for one in gate.copy_conditions for part in one.changed}
        assert not {part.partition(":")[0] for part in kept} - {"card", "evidence", "scope"}
        if gate.subject == "model_version" and gate.name != "retirement":
            free = [one.changed for one in gate.copy_conditions if one.roles is None]
            assert free == [{"card"}, {"scope"}]
        for one in gate.copy_conditions:
            assert one.roles is None or one.roles <= set(gate.sign_offs["high"].roles)


def test_a_small_team_works_at_low_risk_only_with_a_validator_from_outside():
    tiers = {
        tier for gate in SMALL.gates.values() for tier in gate.sign_offs if gate.name != "policy"
    }
    assert tiers == {"low"}
    # Whoever loosens a policy is judged at the strictest tier in a small team too.
    assert set(SMALL.gates["policy"].sign_offs) == {"low", "high"}
    validation = SMALL.gates["validation"]
    assert {"builder_not_validator", "other_reporting_line"} <= set(validation.separation_at("low"))
    assert ("gate_passed", "[('passed', 'validation')]") in requirements(
        SMALL.gates["production"], "low"
    )


def test_a_small_team_s_reviews_show_the_missing_independence_without_blocking():
    for name in ("scope", "data", "production"):
        (rule,) = [one for one in SMALL.gates[name].requirements if one.key == "independence"]
        assert not rule.blocking
        assert rule.params == {"kind": "independent_view"}
