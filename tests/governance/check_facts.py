"""Facts of a subject that meets every check, and how tests ask one check about them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from governance.rules.checks import (
    ApprovalFact,
    CheckContext,
    DatasetFact,
    EvidenceFact,
    ScopeFact,
    WorkFact,
)
from governance.rules.families.data import DATASHEET_SECTIONS
from governance.rules.families.evidence import CARD_SECTIONS
from governance.rules.policy import RequirementRule
from governance.rules.requirements import (
    judge_requirement,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LOCKED = NOW - timedelta(days=10)
STARTED = NOW - timedelta(days=2)


def criterion(key="auc", **changes):
    return {
        "key": key,
        "title": f"Criterion {key}",
        "level": "must",
        "metric_key": "test_auc",
        "greater_is_better": True,
        "threshold": 0.7,
        "dataset_role": "test",
        "gates": ["validation"],
        **changes,
    }


def scope(*criteria, **changes):
    content = {"criteria": list(criteria), "baselines": [], "feature_notes": [], **changes}
    return ScopeFact("scope v1", content, LOCKED)


GOOD = CheckContext(
    now=NOW,
    gate="validation",
    subject_kind="model_version",
    subject_ref="model_version:7",
    attributes=MappingProxyType(
        {
            "readiness_score": 80,
            "threshold": 75,
            "blockers": [],
            "run_status": "FINISHED",
            "run_started_at": STARTED.isoformat(),
            "commit": "a" * 40,
            "commit_dirty": False,
            "signature": True,
            "format_problem": "",
            "dataset_refs": ["dataset_version:1"],
            "datasheet": {**dict.fromkeys(DATASHEET_SECTIONS, "said"), "columns": {"age": {}}},
            "leaks": ["duration"],
            "parses": True,
            "run_id": "r1",
            "seed": "7",
            "monitors": [{"ref": "monitor:1", "name": "m", "last_report_at": STARTED.isoformat()}],
            "approaches_tried": 2,
            "baseline_run": True,
            "open_time_boxes": [],
            "decision": "Build the second one.",
            "decision_matrix": True,
        }
    ),
    metrics=MappingProxyType({"test_auc": 0.8}),
    bindings=MappingProxyType({"model_files": "f" * 64, "run": "9" * 64}),
    bound=MappingProxyType({"model_files": "f" * 64, "run": "9" * 64}),
    bindings_digest="b" * 64,
    authors=MappingProxyType({"run": frozenset({1})}),
    evidence=(
        EvidenceFact(
            "model_card",
            "Card",
            NOW - timedelta(days=5),
            dict.fromkeys(CARD_SECTIONS, "said"),
            "evidence:1",
            "e" * 64,
            1,
        ),
        EvidenceFact("load_test", "Load test", NOW, {"passed": True}, "evidence:2", "d" * 64, 1),
    ),
    approvals=MappingProxyType(
        {
            "validation": ApprovalFact(
                "validation", "gate_review:3", {"model_files": "f" * 64, "run": "9" * 64}
            )
        }
    ),
    work=MappingProxyType(
        {"key": WorkFact("check_run:1", "done", "Yes.", "b" * 64, result={"outcome": "pass"})}
    ),
    datasets=(DatasetFact("dataset_version:1", "bank v1", is_approved=True),),
    scope=scope(
        criterion(),
        feature_notes=[
            {"column": "duration", "is_known_at_prediction": False, "is_used": False},
            {"column": "age", "is_known_at_prediction": True, "is_used": True},
        ],
    ),
)
PARAMS = {
    "evidence_present": {"kind": "model_card"},
    "evidence_passed": {"kind": "load_test"},
    "no_open_findings": {"severity": "high"},
    "gate_passed": {"passed": "validation"},
    "script_passes": {"script": "parity"},
}


def rule(check, *, blocking=True, **params):
    return RequirementRule("key", check, "A title", params or PARAMS.get(check, {}), blocking)


def outcomes(check, context, **params):
    return [one.outcome for one in judge_requirement(rule(check, **params), context)]


def with_attributes(**changes):
    return replace(GOOD, attributes={**GOOD.attributes, **changes})
