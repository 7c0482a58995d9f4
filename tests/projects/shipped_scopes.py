"""The shipped scopes, changed in one place at a time, and what surrounds them."""

import copy
import json
from datetime import date
from pathlib import Path

import yaml

from projects.rules.readiness_policy import parse_policy
from projects.rules.scoping import Circumstances, assess
from projects.rules.tier import ANSWERS

ROOT = Path(__file__).resolve().parents[2]
POLICY_DATA = yaml.safe_load((ROOT / "fixtures/policies/readiness/2.yaml").read_text())
POLICY = parse_policy(POLICY_DATA)
ROLES = {"business_owner": 1, "data_owner": 1, "risk_officer": 1, "ml_engineer": 1}
TODAY = date(2026, 11, 25)


def around(tier="medium", eligible=ROLES, held=ROLES, **more):
    return Circumstances(tier, POLICY, eligible, held, today=TODAY, **more)


MEDIUM = around()


def shipped(name):
    return json.loads((ROOT / f"fixtures/scopes/{name}.json").read_text())


BALANCED = shipped("term-deposit")
BLOG = shipped("term-deposit-blog")
#: Tier answers decide what else is needed, so laws about the other fields leave them in place.
REMOVABLE = sorted(set(BALANCED) - set(ANSWERS) - {"is_time_ordered"})


def codes(content, circumstances=MEDIUM):
    return [blocker.code for blocker in assess(content, circumstances).blockers]


def changed(**fields):
    return {**copy.deepcopy(BALANCED), **fields}


def with_rows(name, **fields):
    """Return the balanced content with fields changed in every row of a list."""
    return changed(**{name: [{**row, **fields} for row in BALANCED[name]]})


def with_row(name, index=0, **fields):
    """Return the balanced content with fields changed in one row of a list."""
    rows = copy.deepcopy(BALANCED[name])
    rows[index].update(fields)
    return changed(**{name: rows})


def plan(*sprints):
    return changed(
        sprint_plan=[
            {"kind": kind, "goal": "G", "length_days": days, "max_count": count}
            for kind, days, count in sprints
        ]
    )
