"""Policies: every mistake is named with its key, and what was published stays readable."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from governance.rules.policy import PolicyError
from governance.rules.policy_reader import parse_policy
from governance.rules.requirements import VOCABULARY
from projects.models import Stakeholder

FILE = Path(settings.BASE_DIR) / "tests" / "policies" / "standard.yaml"
STANDARD: dict[str, Any] = yaml.safe_load(FILE.read_text())


def problems_of(change: Any) -> dict[str, str]:
    raw = copy.deepcopy(STANDARD)
    change(raw)
    with pytest.raises(PolicyError) as error:
        parse_policy(raw, VOCABULARY)
    return {problem.where: problem.message for problem in error.value.problems}


def test_every_role_but_the_auditor_may_be_asked_to_sign():
    from governance.rules.policy import SIGNING_ROLES

    assert set(Stakeholder.Role.values) - {"auditor"} == SIGNING_ROLES


@pytest.mark.parametrize(
    ("change", "where", "words"),
    [
        (lambda p: p.update(schema=2), "schema", "must be 1"),
        (lambda p: p.pop("gates"), "gates", "is missing"),
        (lambda p: p.update(colour="red"), "colour", "is not known here"),
        (lambda p: p.update(validity_days=0), "validity_days", "at least 1"),
        (lambda p: p.update(on_breach={"suspend": "yes"}), "on_breach.suspend", "true or false"),
        (
            lambda p: p["gates"]["scope"]["requirements"][0].update(check="magic"),
            "gates.scope.requirements.0.check",
            "'magic' is not one of",
        ),
        (
            lambda p: p["gates"]["scope"]["requirements"][0].update(params={"x": 1}),
            "gates.scope.requirements.0.params.x",
            "is not known here",
        ),
        (
            lambda p: p["gates"]["scope"].update(requirements=[]),
            "gates.scope.requirements",
            "at least one blocking requirement",
        ),
        (
            lambda p: p["gates"]["scope"]["requirements"][0].update(blocking=False),
            "gates.scope.requirements",
            "at least one blocking requirement",
        ),
        (
            lambda p: p["gates"]["data"]["requirements"][1].update(key="datasheet"),
            "gates.data.requirements",
            "uses the key 'datasheet' twice",
        ),
        (
            lambda p: p["gates"]["scope"].update(separation=["scope_author_not_approver"]),
            "gates.scope.separation",
            "requester_not_approver",
        ),
        (
            lambda p: p["gates"]["scope"]["separation"].append("nobody"),
            "gates.scope.separation.2",
            "'nobody' is not one of",
        ),
        (
            lambda p: p["gates"]["scope"]["sign_offs"]["low"].update(roles=["auditor"]),
            "gates.scope.sign_offs.low.roles.0",
            "'auditor' is not one of",
        ),
        (
            lambda p: p["gates"]["scope"]["sign_offs"]["low"].update(roles=["lead", "lead"]),
            "gates.scope.sign_offs.low.roles",
            "twice",
        ),
        (
            lambda p: p["gates"]["scope"]["sign_offs"]["low"].update(people=0),
            "gates.scope.sign_offs.low.people",
            "at least 1",
        ),
        (
            lambda p: p["environments"][0].update(gate="nowhere"),
            "environments.0.gate",
            "there is no gate 'nowhere'",
        ),
        (
            lambda p: p["environments"][0].update(gate="scope"),
            "environments.0.gate",
            "does not judge model versions",
        ),
        (
            lambda p: p["gates"]["data"].update(checklist_at=["none"]),
            "gates.data.checklist_at.0",
            "is not one of",
        ),
        (
            lambda p: p["environments"][0].update(mode="off"),
            "environments.0.mode",
            "'off' is not one of",
        ),
        (
            lambda p: p["environments"][0].update(alias="Champion"),
            "environments.0.alias",
            "lower case",
        ),
        (
            lambda p: p["environments"].append(dict(p["environments"][0], name="other")),
            "environments",
            "have the same alias",
        ),
    ],
)
def test_a_mistake_is_named_with_its_key(change, where, words):
    assert words in problems_of(change)[where]


def test_all_mistakes_are_named_at_once():
    def change(policy):
        policy.pop("title")
        policy["gates"]["scope"]["requirements"][0]["check"] = "magic"

    assert set(problems_of(change)) == {"title", "gates.scope.requirements.0.check"}


@pytest.mark.parametrize("raw", [None, [], "text", {"gates": []}, {"gates": {"a": None}}])
def test_whatever_is_no_policy_is_refused_in_words(raw):
    with pytest.raises(PolicyError) as error:
        parse_policy(raw, VOCABULARY)
    assert error.value.problems


@pytest.mark.parametrize(
    ("check", "params", "where", "words"),
    [
        ("evidence_present", {"kind": "eda_report", "max_age_days": 1.5}, "max_age_days", "whole"),
        ("evidence_present", {"kind": "eda_report", "max_age_days": True}, "max_age_days", "whole"),
        ("evidence_present", {"kind": "eda_report", "max_age_days": 0}, "max_age_days", "least 1"),
        ("evidence_present", {"kind": " "}, "kind", "must be a text"),
        ("evidence_present", {"any_of": []}, "any_of", "at least one name"),
        ("evidence_present", {"any_of": ["a", "a"]}, "any_of", "names one twice"),
        ("evidence_present", {"any_of": "a"}, "any_of", "must be a list"),
        ("evidence_present", {}, "", "must say exactly one of any_of, kind"),
        ("evidence_present", {"kind": "a", "any_of": ["b"]}, "", "must say exactly one of"),
        (
            "no_open_findings",
            {"severity": "huge"},
            "severity",
            "one of low, medium, high, critical",
        ),
        ("commit_recorded", {"allow_dirty": "yes"}, "allow_dirty", "true or false"),
        ("reproducible", {"tolerance": 2}, "tolerance", "from 0 to 1"),
        ("reproducible", {"tolerance": float("nan")}, "tolerance", "from 0 to 1"),
        ("reproducible", {"tolerance": "0.1"}, "tolerance", "must be a number"),
        ("waivers_within", {"most": -1}, "most", "at least 0"),
        ("gate_passed", {}, "", "must say passed"),
        ("gate_passed", {"passed": "nowhere"}, "passed", "there is no 'nowhere'"),
        ("script_passes", {"script": "nothing"}, "script", "there is no 'nothing'"),
        ("run_finished", {"status": "FINISHED"}, "status", "is not known here; allowed: none"),
    ],
)
def test_a_parameter_of_the_wrong_kind_is_named_with_its_key(check, params, where, words):
    def change(policy):
        policy["gates"]["data"]["requirements"][0].update(check=check, params=params)

    key = "gates.data.requirements.0.params" + (f".{where}" if where else "")
    assert words in problems_of(change)[key]


def test_a_policy_that_was_published_stays_readable_when_a_check_is_gone():
    raw = copy.deepcopy(STANDARD)
    raw["gates"]["data"]["requirements"][0].update(check="own", params={"least": "many"})
    gone = replace(VOCABULARY, is_open=True)
    assert parse_policy(raw, gone).gates["data"].requirements[0].check == "own"
