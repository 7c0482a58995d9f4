"""Versions of a scope side by side: how each leans, and what each misses that another has."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from projects.models import Approach, Project, ScopingDocument
from projects.rules.decision_matrix import grid_of, judge
from projects.rules.scope_terms import Blocker
from projects.rules.scoping import Readiness
from projects.services import scoping

#: More columns than this cannot be read side by side.
MOST = 4
_LIVE = ("draft", "submitted", "approved")


@dataclass(frozen=True, slots=True)
class ComparedScope:
    """One column: a version, how ready it is, its facts, and what another has over it."""

    document: ScopingDocument
    readiness: Readiness
    facts: tuple[tuple[str, str], ...]
    misses: tuple[Blocker, ...]


def to_compare(project: Project, ids: Sequence[int] = ()) -> list[ScopingDocument]:
    """Return the project's versions with these ids, or its newest ones that are in play."""
    documents = project.scoping_documents.select_related("project")
    chosen = documents.filter(pk__in=ids) if ids else documents.filter(status__in=_LIVE)
    return sorted(chosen.order_by("-version")[:MOST], key=lambda document: document.version)


def compare(documents: Sequence[ScopingDocument]) -> list[ComparedScope]:
    """Return a column for each document; what all of them lack is nobody's advantage."""
    judged = [scoping.assess(document) for document in documents]
    lacking = Counter(code for one in judged for code in {b.code for b in one.blockers})
    return [
        ComparedScope(
            document,
            readiness,
            tuple(facts_of(scoping.content_of(document), readiness)),
            tuple(_misses(readiness.blockers, lacking, len(documents))),
        )
        for document, readiness in zip(documents, judged, strict=True)
    ]


def facts_of(content: dict[str, Any], readiness: Readiness) -> Iterable[tuple[str, str]]:
    """Yield what tells scopes apart at a glance, by label."""
    rungs = dict(Approach.Rung.choices)
    approaches = sorted(content.get("approaches") or (), key=lambda row: row.get("rank") or 0)
    yield (
        "Approaches",
        "; ".join(
            f"{row['name']} ({rungs.get(row['rung'], '')}, {_box(row)})" for row in approaches
        )
        or "none",
    )
    yield "Prior art", _counted(row["kind"] for row in content.get("prior_art") or ())
    tried = [row for row in content.get("prior_art") or () if row.get("reproduced") != "no"]
    yield "Reproduced on our data", str(len(tried))
    yield "Baselines", "; ".join(row["name"] for row in content.get("baselines") or ()) or "none"
    yield "Criteria", _counted(row["level"] for row in content.get("criteria") or ())
    yield "Split", (content.get("split_strategy") or "not stated")
    yield "Experts interviewed", str(content.get("experts_interviewed") or 0)
    yield "Data access", _counted(row["access"] for row in content.get("data_sources") or ())
    yield "Risks", str(len(content.get("risks") or ()))
    yield "Deployment", (content.get("deployment_mode") or "not stated")
    yield "Decision matrix", _decision(content)
    yield (
        "Tier",
        f"{readiness.tier.chosen}" + ("" if readiness.tier.computed else " (not assessed)"),
    )
    days = readiness.estimate
    yield "Effort", f"{days.expected_days:.0f} days, at most {days.p80_days:.0f} four times in five"
    yield "Money", readiness.money.sentence


def _misses(blockers: Iterable[Blocker], lacking: Counter[str], count: int) -> list[Blocker]:
    return [blocker for blocker in blockers if lacking[blocker.code] < count]


def _box(row: dict[str, Any]) -> str:
    days = row.get("time_box_days")
    return f"{days} days" if days else "no time box"


def _counted(values: Iterable[str]) -> str:
    counted = Counter(str(value).replace("_", " ") for value in values)
    return ", ".join(f"{name} ({number})" for name, number in counted.items()) or "none"


def _decision(content: dict[str, Any]) -> str:
    verdict = judge(grid_of(content))
    if verdict.grid.is_empty:
        return "none"
    if not verdict.rankings:
        return "begun"
    asked = f"{len(verdict.rankings)} roles"
    return f"{asked} agree" if verdict.is_agreed else f"{asked} disagree"
