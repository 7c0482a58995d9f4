"""The published weights, thresholds and limits by which readiness is judged, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TIERS = ("low", "medium", "high")
FULL_SCORE = 100


@dataclass(frozen=True, slots=True)
class ReadinessPolicy:
    """One version of the readiness policy."""

    version: int
    thresholds: Mapping[str, int]
    sign_off_roles: Mapping[str, tuple[str, ...]]
    points: Mapping[str, Mapping[str, float]]
    limits: Mapping[str, float]
    under_scoped: Mapping[str, int]
    over_scoped: Mapping[str, int]

    def limit(self, name: str) -> float:
        return self.limits[name]


def parse_policy(data: Mapping[str, Any]) -> ReadinessPolicy:
    """Return the policy held in parsed YAML.

    Raises:
        ValueError: the file does not hold what a policy needs; the message says which part.
    """
    missing = [key for key in _PARTS if key not in data]
    if missing:
        raise ValueError(f"The readiness policy lacks {', '.join(missing)}.")
    gauges = data["gauges"]
    policy = ReadinessPolicy(
        version=int(data["version"]),
        thresholds=dict(data["thresholds"]),
        sign_off_roles={tier: tuple(roles) for tier, roles in data["sign_off_roles"].items()},
        points={section: dict(items) for section, items in data["points"].items()},
        limits=dict(data["limits"]),
        under_scoped=dict(gauges["under_scoped"]),
        over_scoped=dict(gauges["over_scoped"]),
    )
    _check(policy)
    return policy


_PARTS = ("version", "thresholds", "sign_off_roles", "points", "limits", "gauges")


def _check(policy: ReadinessPolicy) -> None:
    for name, table in (("thresholds", policy.thresholds), ("roles", policy.sign_off_roles)):
        if set(table) != set(TIERS):
            raise ValueError(f"The readiness policy's {name} must name the tiers {TIERS}.")
    for name, total in (
        ("points", sum(sum(items.values()) for items in policy.points.values())),
        ("gauge under_scoped", sum(policy.under_scoped.values())),
        ("gauge over_scoped", sum(policy.over_scoped.values())),
    ):
        if total != FULL_SCORE:
            raise ValueError(f"The readiness policy's {name} add up to {total}, not {FULL_SCORE}.")
