"""Which sign-offs of an approved scope survive a new version, and why.

A gate of the policy names one of three modes: `keep` takes every sign-off over, `reset_all` none,
and `reset_affected` those of the roles whose part of the scope nobody touched.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

KEEP, RESET_ALL, RESET_AFFECTED = "keep", "reset_all", "reset_affected"
MODES = (KEEP, RESET_ALL, RESET_AFFECTED)

_DATA = frozenset(
    {
        "data_sources", "feature_notes", "ml_task", "target", "is_time_ordered", "split_strategy",
        "ground_truth", "ground_truth_delay_days", "ground_truth_method", "dpia", "retention_days",
        "demo_dataset",
    }
)  # fmt: skip
_JUDGED = frozenset({"criteria", "baselines", "objectives"})
_OPERATION = frozenset(
    {
        "deployment_mode", "consumer", "target_environment", "latency_limit_ms", "freshness_limit",
        "volume_per_day", "fallback", "rollback", "oversight_person", "oversight_override",
        "oversight_stop", "oversight_training", "retraining_policy", "retraining_triggers",
        "retirement_criteria", "monitoring_plan",
    }
)  # fmt: skip
_USE = frozenset(
    {"intended_use", "out_of_scope_use", "foreseeable_misuse", "in_scope", "out_of_scope"}
)
_ETHICS = frozenset(
    {
        "affected_parties", "regulations", "ethics_outcome", "ethics_conditions",
        "ethics_reviewer", "ethics_reviewed_on", "protected_attributes", "fairness_slices",
        "fairness_metrics", "fairness_tolerances", "fairness_justification",
    }
)  # fmt: skip

#: What a role's sign-off of a scope speaks for. A role that is not listed speaks for everything:
#: the business owner, the lead and the executive answer for the whole.
SIGNED_PARTS: Mapping[str, frozenset[str]] = {
    "data_owner": _DATA | _USE,
    "data_engineer": _DATA,
    "privacy_officer": _DATA | _USE | _ETHICS,
    "validator": _JUDGED | _DATA | _USE | _ETHICS,
    "ml_engineer": _OPERATION | _JUDGED,
    "operations": _OPERATION,
}


@dataclass(frozen=True, slots=True)
class Survival:
    """Whether a role's sign-off outlives a change, and why."""

    role: str
    survives: bool
    reason: str


def survivals(mode: str, roles: Iterable[str], touched: frozenset[str]) -> list[Survival]:
    """Return the fate of each role's sign-off when the material parts `touched` change."""
    return [_survival(mode, role, touched) for role in roles]


def _survival(mode: str, role: str, touched: frozenset[str]) -> Survival:
    if mode == KEEP:
        return Survival(role, survives=True, reason="The policy keeps every sign-off.")
    if mode != RESET_AFFECTED:
        reason = "The policy asks everybody again whenever the scope changes."
        return Survival(role, survives=False, reason=reason)
    if not touched:
        return Survival(role, survives=True, reason="Nothing material changed.")
    signed = SIGNED_PARTS.get(role)
    if signed is None:
        reason = "This role answers for the whole scope, and the scope changed."
        return Survival(role, survives=False, reason=reason)
    affected = sorted(name.replace("_", " ") for name in touched & signed)
    if affected:
        return Survival(role, survives=False, reason=f"Changed: {', '.join(affected)}.")
    return Survival(role, survives=True, reason="Nothing that this role signs for changed.")
