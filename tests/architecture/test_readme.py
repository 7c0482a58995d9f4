"""What the README names exists: its tests, its settings, its commands, its files."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
SETTINGS = (ROOT / "config" / "settings.py").read_text()


def named_tests() -> list[str]:
    return sorted(set(re.findall(r"`(tests/[\w/]+\.py::test_\w+)`", README)))


def test_it_names_proofs():
    assert len(named_tests()) >= 10


@pytest.mark.parametrize("name", named_tests())
def test_a_named_test_exists(name):
    path, _, function = name.partition("::")
    assert f"def {function}(" in (ROOT / path).read_text()


def test_every_setting_is_in_the_table_and_no_other():
    section = README.partition("## Settings")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE))
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', SETTINGS))
    assert listed == read


def test_every_named_command_exists():
    named = set(re.findall(r"manage\.py (\w+)", README))
    assert named <= set(get_commands())


@pytest.mark.parametrize(
    "name",
    sorted(
        set(
            re.findall(
                r"`((?:config|ledger|projects|governance|pipeline|fixtures)/[\w./-]+)`", README
            )
        )
    ),
)
def test_a_named_file_exists(name):
    assert (ROOT / name).exists()
