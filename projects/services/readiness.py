"""Readiness of a scoping document: the policy in force, and what surrounds the document."""

import hashlib
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.utils.timezone import now

from projects import access
from projects.models import Project
from projects.rules import scoping as rules
from projects.rules.checks import require_complete
from projects.rules.readiness_policy import TIERS, ReadinessPolicy, parse_policy
from projects.services.reference_class import overruns

__all__ = ["circumstances_of", "judge", "load_policy", "readiness_policy", "review_tier"]


def readiness_policy() -> ReadinessPolicy:
    """Return the newest published readiness policy."""
    return load_policy(Path(settings.READINESS_POLICY_DIR))


@lru_cache(maxsize=4)
def load_policy(directory: Path) -> ReadinessPolicy:
    """Return the policy of the highest number among `<number>.yaml` in a directory.

    Raises:
        ValueError: there is none, its version is not its file's number, or a part is missing.
    """
    numbers = [int(path.stem) for path in directory.glob("*.yaml") if path.stem.isdecimal()]
    if not numbers:
        raise ValueError(f"There is no readiness policy such as 1.yaml in {directory}.")
    path = directory / f"{max(numbers)}.yaml"
    raw = path.read_bytes()
    data = yaml.safe_load(raw)
    if not isinstance(data, Mapping) or data.get("version") != max(numbers):
        raise ValueError(f"{path.name} does not say that its version is {max(numbers)}.")
    policy = parse_policy(data, digest=hashlib.sha256(raw).hexdigest())
    require_complete(policy)
    return policy


def circumstances_of(project: Project, *, authors: Collection[int]) -> rules.Circumstances:
    """Return what surrounds a document of the project that `authors` wrote."""
    return rules.Circumstances(
        tier=project.tier,
        policy=readiness_policy(),
        eligible=access.eligible_counts(project, without=authors),
        held=access.eligible_counts(project, without=()),
        overruns=overruns(without=project),
        today=now().date(),
    )


def judge(
    project: Project, content: Mapping[str, Any], *, authors: Collection[int]
) -> rules.Readiness:
    """Judge content as plain data, stored or not, as if `authors` submitted it now.

    Fields may be missing or unreadable, as they are in a form that somebody is filling in.
    """
    return rules.assess(content, circumstances_of(project, authors=authors))


def review_tier(project: Project, verdict: rules.TierVerdict) -> str:
    """Return the tier at which a document is reviewed: the strictest that anything speaks for.

    Otherwise a document could choose the people who sign it, by the tier that it claims.
    """
    tiers = {str(project.tier), verdict.computed, verdict.chosen} - {""}
    return max(tiers, key=TIERS.index)
