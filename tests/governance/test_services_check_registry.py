"""Checks that a user's own packages bring, by entry points of an installed distribution."""

import importlib
import sys

import pytest

from config import checks as system_checks
from governance.models import PolicyVersion
from governance.services import check_registry, evaluating, policies, policy_texts, reviews
from projects.actors import system
from projects.errors import InvalidInput
from tests import working_policy
from tests.factories import install_policies
from tests.governance import faces

MODULE = """
from governance.rules.checks import Source, failed, passed
from governance.rules.params import Whole
from governance.rules.registry import NamedCheck

def enough(params, context):
    rows = int(context.attributes.get("row_count") or 0)
    compared = {"value": rows, "operator": ">=", "threshold": params["least"]}
    answer = passed if rows >= params["least"] else failed
    return answer(f"There are {rows} rows.", context.subject, **compared)

enough_rows = NamedCheck("acme_rows", enough, {"least": Whole("rows")}, [("least",)], "2026.1")
taken = NamedCheck("run_finished", enough)
nameless = NamedCheck(" ", enough)
text = "no check"
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a distribution whose entry points are given, and forget it afterwards."""

    def installed(*points, name="acme-checks", module="acme_checks", source=MODULE):
        site = tmp_path / name
        site.mkdir()
        (site / f"{module}.py").write_text(source)
        info = site / f"{name.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        lines = "\n".join(points)
        (info / "entry_points.txt").write_text(f"[countersign.checks]\n{lines}\n")
        monkeypatch.syspath_prepend(str(site))
        forget()

    def forget():
        importlib.invalidate_caches()
        check_registry.gathered.cache_clear()
        policy_texts.read_text.cache_clear()

    yield installed
    monkeypatch.undo()
    for module in [name for name in sys.modules if name.startswith("acme_")]:
        del sys.modules[module]
    forget()


ROWS = "rows = acme_checks:enough_rows"


def complaints():
    return [message.msg for message in system_checks.checks_of_packages_load(None)]


def test_without_packages_there_are_the_built_in_checks_and_nothing_is_wrong():
    check_registry.gathered.cache_clear()
    assert complaints() == []
    found = check_registry.checks()["run_finished"]
    assert found.full_version == f"{found.package}, check 1"
    assert found.package.startswith("countersign-ml ")


def test_a_package_brings_a_check_when_checks_are_first_asked_for(install):
    install(ROWS)
    assert "acme_checks" not in sys.modules
    found = check_registry.checks()["acme_rows"]
    assert found.full_version == "acme-checks 1.2, check 2026.1"
    assert complaints() == []


def test_entry_points_are_loaded_once(install, tmp_path):
    install(ROWS, source=MODULE + f"\nopen({str(tmp_path / 'loads')!r}, 'a').write('x')\n")
    first = check_registry.checks()
    del sys.modules["acme_checks"]
    assert check_registry.checks() is first
    assert (tmp_path / "loads").read_text() == "x"


@pytest.mark.parametrize(
    ("point", "words"),
    [
        ("a = acme_checks:taken", "the name 'run_finished' is taken by countersign-ml"),
        ("a = acme_checks:nameless", "needs a name"),
        ("a = acme_checks:text", "no governance.rules.registry.NamedCheck"),
        ("a = acme_checks:nothing", "AttributeError"),
        ("a = acme_nowhere:check", "ModuleNotFoundError"),
    ],
)
def test_a_broken_entry_point_is_named_by_the_system_check_and_hides_no_other(
    install, point, words
):
    install(point, ROWS)
    (complaint,) = complaints()
    assert words in complaint
    assert complaint.startswith(point)
    assert "acme-checks 1.2" in complaint
    assert "acme_rows" in check_registry.checks()
    assert check_registry.checks()["run_finished"].package.startswith("countersign-ml ")


def test_of_two_packages_with_one_name_the_same_one_is_always_refused(install):
    other = MODULE.replace('"2026.1"', '"other"')
    install("r = acme_zeta:enough_rows", name="zeta", module="acme_zeta", source=other)
    install(ROWS)
    (complaint,) = complaints()
    assert "zeta 1.2: ValueError: the name 'acme_rows' is taken by acme-checks 1.2" in complaint
    assert check_registry.checks()["acme_rows"].package == "acme-checks 1.2"


# --- In a policy ----------------------------------------------------------------------------------


def with_own_check(settings, directory, **params):
    """Put the check into the policy's gate for data, and return the policy's text."""
    working_policy.install(settings, directory)
    file = directory / "standard.yaml"
    text = file.read_text()
    own = f"check: acme_rows\n      params: {params}\n"
    file.write_text(
        text.replace(
            "check: evidence_present\n      key: eda\n      params:\n        kind: eda_report\n",
            own + "      key: rows\n",
            1,
        )
    )
    assert "acme_rows" in file.read_text()
    return file.read_text()


@pytest.fixture
def own_policy(install, settings, tmp_path):
    install(ROWS)
    return with_own_check(settings, tmp_path / "policies", least=100)


def test_parameters_of_an_own_check_are_judged_with_the_policy(install, settings, tmp_path):
    install(ROWS)
    text = with_own_check(settings, tmp_path / "policies", least="many")
    with pytest.raises(InvalidInput) as refusal:
        policies.parse_text(text)
    (problem,) = refusal.value.details["problems"]
    assert problem["path"].endswith("params.least")
    assert "whole number of rows" in problem["message"]


def test_a_policy_cannot_name_a_check_that_is_not_installed(own_policy):
    check_registry.gathered.cache_clear()
    policy_texts.read_text.cache_clear()
    sys.path = [place for place in sys.path if not place.endswith("acme-checks")]
    with pytest.raises(InvalidInput) as refusal:
        policies.parse_text(own_policy)
    assert "'acme_rows' is not one of" in refusal.value.message


def data_review(project, lead, data_scientist, rows):
    ref = "dataset_version:9"
    faces.FakeSubject.facts[ref] = faces.SubjectFacts(
        "calls v9",
        project,
        {"dataset": "c" * 64, "datasheet": "d" * 64},
        attributes={"row_count": rows},
        authors={"dataset": frozenset({data_scientist.pk})},
    )
    from tests.factories import session_actor

    return faces.ask_for(project, session_actor(data_scientist), "dataset_version", ref)


def result_of(review):
    return {one.key: one for one in evaluating.latest_results(review)}["rows"]


@pytest.mark.django_db
@pytest.mark.parametrize(("rows", "outcome"), [(99, "fail"), (100, "pass")])
def test_an_own_check_judges_a_review(own_policy, project, lead, data_scientist, rows, outcome):
    install_policies()
    found = result_of(data_review(project, lead, data_scientist, rows))
    assert (found.outcome, found.message) == (outcome, f"There are {rows} rows.")
    assert found.detail["compared"] == {"value": rows, "operator": ">=", "threshold": 100}
    assert found.detail["check_version"] == "acme-checks 1.2, check 2026.1"
    assert found.detail["source"][0]["ref"] == "dataset_version:9"


@pytest.mark.django_db
def test_a_published_policy_whose_check_is_gone_blocks_and_stays_readable(
    own_policy, project, lead, data_scientist
):
    install_policies()
    review = data_review(project, lead, data_scientist, 100)
    assert result_of(review).outcome == "pass"
    sys.path = [place for place in sys.path if not place.endswith("acme-checks")]
    check_registry.gathered.cache_clear()
    policy_texts.read_text.cache_clear()
    assert policies.rules_of(PolicyVersion.objects.get(policy__name="standard")).gates["data"]
    with faces.fake_subjects():
        reviews.evaluate_review(review, actor=system("governance"))
    found = result_of(review)
    assert (found.outcome, evaluating.result_holds(found)) == ("error", False)
    assert "There is no check acme_rows" in found.message
    assert found.detail["check_version"] == "not installed"
