"""The published readiness policies: what they must hold, and that none is ever edited."""

import hashlib
import shutil
from pathlib import Path

import pytest
import yaml

from projects.models import ScopingDocument
from projects.rules.checks import FIELDS, RULES
from projects.rules.gauges import OVER_SCOPED, UNDER_SCOPED
from projects.rules.readiness_policy import parse_policy
from projects.rules.score import SHARES
from projects.services.content import CHILDREN, fields_of
from projects.services.readiness import load_policy

PUBLISHED = Path(__file__).resolve().parents[2] / "fixtures/policies/readiness"
#: A version whose file changes here was edited after it was published: write the next one.
DIGESTS = {
    "1.yaml": "2bc7fdf39447616516d4b030ecd090b24670c244520904785ed18b951afcecc6",
    "2.yaml": "8e57d44a0a0a095ff7bdeb5fa2d05819c79ca32245fe11a4e47f7ecb49a5cd7e",
}
#: Needs of a part of a field, asked by rules of their own.
PARTS = {
    "clear_regulations",
    "confidence_criteria",
    "economic_objective",
    "explained_running_cost",
    "reproduced_prior_art",
    "slice_criteria",
    "verified_assumptions",
}
DATA = yaml.safe_load((PUBLISHED / "2.yaml").read_text())
POLICY = parse_policy(DATA)


def test_published_versions_are_never_edited():
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in PUBLISHED.iterdir()
    }
    assert found == DIGESTS


def test_newest_version_judges_and_carries_its_digest():
    policy = load_policy(PUBLISHED)
    assert policy.version == max(int(name.removesuffix(".yaml")) for name in DIGESTS)
    assert policy.digest == DIGESTS[f"{policy.version}.yaml"]
    assert policy.digest in policy.name


def test_policy_speaks_of_every_field_and_every_rule():
    document = {field.name for field in fields_of(ScopingDocument)} | set(CHILDREN)
    assert set(POLICY.needs) == document | PARTS
    assert set(FIELDS) == document | {"stakeholders"}
    assert set(POLICY.rules) == set(RULES)
    assert {rule.need for rule in RULES.values()} - {""} == PARTS
    assert set(POLICY.under_scoped) == {rule.code for rule in UNDER_SCOPED}
    assert set(POLICY.over_scoped) == {rule.code for rule in OVER_SCOPED}


def test_items_name_fields_and_rules_that_exist():
    for section in POLICY.sections.values():
        for name, item in section.items.items():
            assert set(item.fields) <= set(FIELDS), name
            assert {*item.absent, *(item.weak or ())} <= set(RULES), name
            assert item.share in {"", *SHARES}, name


def test_every_rule_about_a_field_that_earns_points_can_cost_some():
    heard = set()
    for section in POLICY.sections.values():
        for item in section.items.values():
            heard |= {*item.absent, *(item.weak or ())}
            if item.listens_to_all:
                heard |= {rule.code for rule in RULES.values() if rule.field in item.fields}
    costly = {code for code, effect in POLICY.rules.items() if effect == "costs"}
    assert costly - heard == {"decision_scores_unknown"} - heard


@pytest.mark.parametrize("part", sorted(set(DATA) - {"schema", "name", "title"}))
def test_file_that_lacks_a_part_is_refused_by_its_name(part):
    data = {key: value for key, value in DATA.items() if key != part}
    with pytest.raises(ValueError, match=rf"readiness policy lacks .*{part}"):
        parse_policy(data)


@pytest.mark.parametrize(
    ("part", "value", "complaint"),
    [
        ("schema", 1, "schema 1"),
        ("thresholds", {"low": 1}, "thresholds"),
        ("needs", {"title": "always"}, "needs say always"),
        ("rules", {"text_short": "maybe"}, "rules say maybe"),
        ("tier_scorecard", [{"tier": "high", "sum_at_least": 9}], "end with a line"),
        ("tier_scorecard", [{"tier": "grave"}], "tier_scorecard say grave"),
        ("sections", {"problem": {"title": "P", "items": {}}}, "sections add up to 0"),
        ("sections", {"problem": {"title": "P"}}, "not of its shape"),
        ("gauges", {"under_scoped": {"no_expert": 10}, "over_scoped": {}}, "gauge under_scoped"),
    ],
)
def test_broken_policy_is_refused_by_the_part_that_is_wrong(part, value, complaint):
    with pytest.raises(ValueError, match=complaint):
        parse_policy({**DATA, part: value})


def test_file_whose_version_is_not_its_number_is_refused(tmp_path):
    shutil.copy(PUBLISHED / "2.yaml", tmp_path / "7.yaml")
    with pytest.raises(ValueError, match=r"7\.yaml does not say that its version is 7"):
        load_policy(tmp_path)


def test_directory_without_a_policy_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no readiness policy"):
        load_policy(tmp_path)


def test_organisation_brings_its_own_directory(tmp_path):
    text = (PUBLISHED / "2.yaml").read_text()
    own = text.replace("\nversion: 2\n", "\nversion: 3\n").replace("medium: 75", "medium: 90")
    (tmp_path / "3.yaml").write_text(own)
    policy = load_policy(tmp_path)
    assert (policy.version, policy.thresholds["medium"]) == (3, 90)
