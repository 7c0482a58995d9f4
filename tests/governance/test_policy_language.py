"""The policy language: schema, reader and documentation know the same keys."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from governance.rules import gate_reader, policy_reader, separation
from governance.rules.policy import MODES, SIGNING_ROLES, SUBJECTS, TIERS
from governance.services.check_registry import checks
from governance.services.policy_texts import read_text, schema

BASE = Path(settings.BASE_DIR)
TEXT = (BASE / "docs" / "policies.md").read_text()
DOCUMENTED = set(re.findall(r"`([a-z_]+)`", TEXT)) | set(re.findall(r"`\{(\w+):", TEXT))


def keys_of(part: Any) -> Iterator[str]:
    """Yield every key that a part of the schema names."""
    if isinstance(part, dict):
        properties = part.get("properties", {})
        yield from properties
        for value in (*properties.values(), part.get("additionalProperties"), part.get("items")):
            yield from keys_of(value)
        for value in (*part.get("$defs", {}).values(), *part.get("anyOf", ())):
            yield from keys_of(value)


def test_every_key_of_the_schema_is_documented():
    keys = set(keys_of(schema()))
    assert {"checklist_at", "max_age_days", "keep", "timeout_seconds"} <= keys
    assert keys - DOCUMENTED == set()


def test_every_word_that_a_policy_may_use_is_documented():
    words = {*MODES, *SUBJECTS, *TIERS, *separation.SWITCHABLE, *gate_reader.COPYABLE_PARTS}
    named = checks().values()
    words |= {one.name for one in named if "countersign" in one.package}
    words |= {param for one in named for param in one.params}
    assert words - DOCUMENTED == set()


def test_schema_and_reader_know_the_same_keys():
    whole, parts = schema(), schema()["$defs"]
    assert set(whole["properties"]) == policy_reader._POLICY_KEYS
    assert set(parts["gate"]["properties"]) == gate_reader._GATE_KEYS
    assert set(parts["requirement"]["properties"]) == gate_reader._REQUIREMENT_KEYS
    assert set(parts["environment"]["properties"]) == policy_reader._ENVIRONMENT_KEYS


@pytest.mark.parametrize("name", ["standard", "small-team"])
def test_the_command_finds_nothing_wrong_with_what_ships(name: str, capsys: Any) -> None:
    file = BASE / "fixtures" / "policies" / f"{name}.yaml"
    call_command("check_policy", str(file))
    assert "can be used" in capsys.readouterr().out


def test_the_command_names_file_line_and_column_and_ends_with_an_error(
    tmp_path: Path, capsys: Any
) -> None:
    file = tmp_path / "policy.yaml"
    good = (BASE / "tests" / "policies" / "standard.yaml").read_text()
    file.write_text(good.replace("check: scope_ready", "check: scope_redy"))
    with pytest.raises(CommandError) as error:
        call_command("check_policy", str(file))
    assert error.value.returncode == 1
    (problem,) = read_text(file.read_text()).problems
    said = capsys.readouterr().out
    assert said.startswith(f"{file}:{problem.line}:{problem.column}: {problem.path}: ")
    assert "Did you mean scope_ready?" in said
    with pytest.raises(CommandError) as unreadable:
        call_command("check_policy", str(tmp_path / "nothing.yaml"))
    assert unreadable.value.returncode == 2


@pytest.mark.django_db
def test_the_schema_is_served_to_whoever_is_signed_in(lead: Any, api: Any) -> None:
    answer = api(lead).get("/api/v1/policies/schema/")
    assert answer.status_code == 200
    assert answer.json() == json.loads((BASE / "governance/schemas/policy.json").read_text())
    assert APIClient().get("/api/v1/policies/schema/").status_code in {401, 403}


@pytest.mark.django_db
def test_the_documentation_is_a_page(lead: Any, client_for: Any) -> None:
    page = client_for(lead).get("/policies/language/").content.decode()
    assert "<code>checklist_at</code>" in page
    assert page.count("<h1") == 1


def test_every_role_that_may_sign_is_a_word_of_the_shipped_policies():
    text = (BASE / "fixtures" / "policies" / "standard.yaml").read_text()
    # Data scientists and engineers build; no gate asks them to sign.
    assert {role for role in SIGNING_ROLES if role not in text} == {
        "data_scientist",
        "data_engineer",
    }
