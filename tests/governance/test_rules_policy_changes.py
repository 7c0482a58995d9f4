"""What a new version of a policy loosens or tightens: nothing weaker goes unsaid."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from hypothesis import assume, given
from hypothesis import strategies as st

from governance.rules.policy import TIERS, PolicyRules
from governance.rules.policy_changes import PolicyChanges, changes_between
from governance.rules.policy_reader import parse_policy
from governance.rules.requirements import VOCABULARY

FILE = Path(settings.BASE_DIR) / "fixtures" / "policies" / "standard.yaml"
STANDARD: dict[str, Any] = yaml.safe_load(FILE.read_text())
STANDARD["scripts"] = {"parity": {"source": "print(1)"}}
Raw = dict[str, Any]
Change = Callable[[Raw], None]


def rules(raw: Raw) -> PolicyRules:
    return parse_policy(raw, VOCABULARY)


def after(*changes: Change) -> PolicyRules:
    raw = copy.deepcopy(STANDARD)
    for change in changes:
        change(raw)
    return rules(raw)


BEFORE = rules(STANDARD)


def compare(*changes: Change) -> PolicyChanges:
    return changes_between(BEFORE, after(*changes))


def weakenings() -> Iterator[tuple[str, Change]]:
    """Yield every way to remove or weaken one part of the standard policy."""
    yield "no suspension", lambda p: p.update(on_breach={"suspend": False})
    yield "kept shorter", lambda p: p.update(retention_days=p["retention_days"] - 1)
    yield "kept for no time", lambda p: p.pop("retention_days", None)
    yield "asked later", lambda p: p.update(renewal_days=1)
    yield "script gone", lambda p: p["scripts"].pop("parity", None)
    yield "script rewritten", lambda p: p["scripts"].update(parity={"source": "print(2)"})
    yield (
        "break-glass wider",
        lambda p: p["break_glass"].update(roles=[*p["break_glass"]["roles"], "lead"]),
    )
    yield "break-glass reviewed later", lambda p: p["break_glass"].update(review_within_days=30)
    yield from _weaker_numbers()
    for number in range(len(STANDARD["environments"])):
        for mode in ("warn", "observe"):
            yield f"environment {number} {mode}", _set(("environments", number), mode=mode)
    for name, gate in STANDARD["gates"].items():
        yield from _weaker_gate(name, gate)


def _weaker_numbers() -> Iterator[tuple[str, Change]]:
    for kind in STANDARD["evidence_types"]:
        yield f"{kind} older", _set(("evidence_types", kind), max_age_days=9999)
    for tier in TIERS:
        yield f"longer at {tier}", _set(("validity_days",), **{tier: 9999})
        yield f"for ever at {tier}", _drop(("validity_days",), tier)


def _weaker_gate(name: str, gate: Raw) -> Iterator[tuple[str, Change]]:
    at = ("gates", name)
    yield f"{name} later", _set(at, decide_within_days=999)
    yield f"{name} a checklist", _set(at, checklist_at=list(TIERS))
    for tier, quorum in gate["sign_offs"].items():
        here = (*at, "sign_offs", tier)
        if quorum["people"] > 1:
            yield f"{name} {tier} fewer", _set(here, people=quorum["people"] - 1)
            yield f"{name} {tier} roles", _set(here, roles=quorum["roles"][:-1])
    for number, rule in enumerate(gate["separation"]):
        if rule != "requester_not_approver":
            yield f"{name} separation {number}", _replace((*at, "separation"), number, None)
            weaker = {"rule": _rule(rule), "tiers": _tiers_of(rule)[1:]}
            if weaker["tiers"]:
                yield (
                    f"{name} separation {number} tiers",
                    _replace((*at, "separation"), number, weaker),
                )
    for number, requirement in enumerate(gate["requirements"]):
        yield from _weaker_requirement(name, number, requirement)
    for number in range(len(gate.get("copy_conditions", ()))):
        here = (*at, "copy_conditions", number)
        yield f"{name} copies {number}", _set(here, changed=["card", "scope", "run"], keep="all")


def _weaker_requirement(name: str, number: int, rule: Raw) -> Iterator[tuple[str, Change]]:
    here = ("gates", name, "requirements", number)
    label = f"{name} {rule['key']}"
    if rule.get("blocking", True):
        yield f"{label} informs", _set(here, blocking=False)
    if not rule.get("waivable", True):
        yield f"{label} waivable", _set(here, waivable=True)
    if rule["check"] != "run_finished":
        yield f"{label} another check", _set(here, check="run_finished", params={})
    tiers = rule.get("tiers", list(TIERS))
    if len(tiers) > 1:
        yield f"{label} tiers", _set(here, tiers=tiers[1:])
    weaker = {"severity": "critical", "least": 1, "most": 99}
    for param, value in rule.get("params", {}).items():
        if param in weaker and value != weaker[param]:
            yield f"{label} {param}", _set(here, params={param: weaker[param]})
    if number and not _is_only_blocking(name, number):
        yield f"{label} gone", _replace(("gates", name, "requirements"), number, None)


def _is_only_blocking(name: str, number: int) -> bool:
    others = [
        one for place, one in enumerate(STANDARD["gates"][name]["requirements"]) if place != number
    ]
    return any(
        not any(one.get("blocking", True) and tier in one.get("tiers", TIERS) for one in others)
        for tier in TIERS
    )


def _rule(rule: Any) -> str:
    return str(rule["rule"] if isinstance(rule, dict) else rule)


def _tiers_of(rule: Any) -> list[str]:
    return list(rule["tiers"] if isinstance(rule, dict) else TIERS)


def _at(raw: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        raw = raw[step]
    return raw


def _set(path: tuple[Any, ...], **values: Any) -> Change:
    return lambda raw: _at(raw, path).update(copy.deepcopy(values))


def _drop(path: tuple[Any, ...], key: str) -> Change:
    return lambda raw: _at(raw, path).pop(key, None)


def _replace(path: tuple[Any, ...], place: int, value: Any) -> Change:
    def change(raw: Raw) -> None:
        _at(raw, path)[place : place + 1] = [] if value is None else [copy.deepcopy(value)]

    return change


def usable() -> dict[str, tuple[Change, PolicyRules]]:
    """Return the weakenings that leave a policy which can be used, by name."""
    found = {}
    for name, change in weakenings():
        try:
            found[name] = (change, after(change))
        except ValueError:
            # A gate without a blocking requirement at some tier is refused by the reader.
            continue
    return found


WEAKER = usable()
UNORDERED = ("another check", "script rewritten")


def test_there_is_much_to_weaken():
    assert len(WEAKER) > 200


@given(st.sampled_from(sorted(WEAKER)))
def test_removing_or_weakening_any_part_is_said_and_undoing_it_is_stricter(name):
    _, weaker = WEAKER[name]
    assert changes_between(BEFORE, weaker).looser
    undone = changes_between(weaker, BEFORE)
    # What cannot be put in order counts as looser whichever way it goes.
    assert undone.looser if name.endswith(UNORDERED) else undone.stricter


@given(st.sampled_from(sorted(WEAKER)), st.sampled_from(sorted(WEAKER)))
def test_nothing_hides_behind_another_change(first, second):
    assume(first.split()[0] != second.split()[0])
    assume({first.split()[0], second.split()[0]} != {"longer", "for"})
    both = changes_between(BEFORE, after(WEAKER[first][0], WEAKER[second][0]))
    alone = [changes_between(BEFORE, WEAKER[name][1]) for name in (first, second)]
    assert set(both.looser) == {*alone[0].looser, *alone[1].looser}


@given(st.sampled_from(sorted(WEAKER)))
def test_a_policy_against_itself_says_nothing(name):
    same = WEAKER[name][1]
    assert changes_between(same, same) == PolicyChanges()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            _set(("environments", 2), mode="warn"),
            "The environment production is in the mode warn instead of enforce.",
        ),
        (
            _set(("environments", 2), gate="validation"),
            "The environment production stands behind the gate validation instead of production.",
        ),
        (
            lambda p: p["environments"].pop(),
            "The environment production is gone: nothing guards a promotion there any more.",
        ),
        (lambda p: p["gates"].pop("retirement"), "The gate retirement is gone."),
        (
            _set(("gates", "scope", "sign_offs", "high"), people=3),
            "At the gate scope, at high risk, 3 instead of 4 people have to sign.",
        ),
        (
            _set(("gates", "scope", "sign_offs", "low"), roles=["lead"]),
            "At the gate scope, at low risk, it takes no sign-off any more as business owner.",
        ),
        (
            _replace(("gates", "scope", "separation"), 1, None),
            (
                "At the gate scope, the separation rule scope_author_not_approver holds no longer "
                "at high, low, medium risk."
            ),
        ),
        (
            _set(("validity_days",), high=365),
            (
                "At high risk an approval lasts 365 days instead of 182 days: data, "
                "experiment_review, policy, pre_production, production, retirement, "
                "revalidation, scope, validation."
            ),
        ),
        (
            lambda p: p["evidence_types"].pop("security_scan"),
            "Evidence of the kind security_scan may be any time old instead of 30 days.",
        ),
        (
            _set(("gates", "data", "copy_conditions", 1), keep="all"),
            (
                "At the gate data, a change of evidence:eda_report ends no sign-off any more as "
                "business owner, data engineer, data owner, data scientist, executive, lead, "
                "ml engineer, operations, risk officer, subject matter expert, validator."
            ),
        ),
    ],
)
def test_what_got_looser_is_said_in_a_sentence(change, sentence):
    assert sentence in compare(change).looser


def test_a_title_is_neither_looser_nor_stricter():
    assert compare(_set(("gates", "scope"), title="Agreement")) == PolicyChanges()


def test_a_new_alias_is_a_door_that_was_not_there():
    def change(raw: Raw) -> None:
        raw["environments"].append({"name": "shadow", "alias": "shadow", "gate": "validation"})

    (sentence,) = compare(change).looser
    assert "the alias shadow, which nobody could set" in sentence
