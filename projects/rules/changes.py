"""What differs between two versions of a scope, which of it matters, and whose sign-off it touches.

Contents are what `projects.services.content` writes out. A field that is not known to be editorial
is material, so that a new field cannot slip through.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from projects.rules.loosening import (
    LOOSENED,
    TIGHTENED,
    FieldChange,
    baselines_of,
    compare_criteria,
    verdict_of,
)

Content = Mapping[str, Any]
Row = Mapping[str, Any]

#: Words about the scope that are not part of what is agreed: they may change after the approval.
EDITORIAL_FIELDS = frozenset({"title", "summary", "parked_ideas"})

#: What later gates judge by; the rest of a scope says what is built, and why.
CRITERIA_LISTS = ("criteria", "baselines")

#: Child lists with the fields that tell their rows apart.
ROW_KEYS: Mapping[str, tuple[str, ...]] = {
    "affected_parties": ("group",),
    "constraints": ("kind", "statement"),
    "assumptions": ("statement",),
    "objectives": ("kind", "statement"),
    "criteria": ("key",),
    "baselines": ("name",),
    "prior_art": ("reference",),
    "approaches": ("name",),
    "decision_weights": ("role", "criterion"),
    "decision_scores": ("approach", "criterion"),
    "data_sources": ("name",),
    "feature_notes": ("column",),
    "feasibility": ("dimension",),
    "estimates": ("phase",),
    "risks": ("title",),
    "regulations": ("framework",),
    "responsibilities": ("activity", "person"),
    "monitoring_plan": ("signal", "metric"),
    "sprint_plan": ("kind", "goal"),
    "milestones": ("kind",),
    "open_questions": ("question",),
}

SAME, ADDED, REMOVED, CHANGED = "same", "added", "removed", "changed"
_WORD = re.compile(r"\S+\s*|\s+")
#: From this product of probability and impact on, a risk is of the named band.
_RISK_BANDS = ((15, "critical"), (10, "high"), (5, "medium"), (0, "low"))


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words that stayed, were added or were removed."""

    change: str
    text: str


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One changed field; `pieces` is the word-level difference where both sides are texts."""

    field: str
    before: Any
    after: Any
    pieces: tuple[Piece, ...]
    is_editorial: bool = False
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class RiskScore:
    """Probability times impact, with its band; empty where either is unknown."""

    score: int | None
    band: str


@dataclass(frozen=True, slots=True)
class RowDifference:
    """One row that was added, removed or changed.

    Criteria carry a verdict (`tightened`, `loosened`, `neutral`), risks their score on both sides.
    """

    name: str
    change: str
    before: Row | None
    after: Row | None
    fields: tuple[FieldDifference, ...]
    verdict: str = ""
    score_before: RiskScore | None = None
    score_after: RiskScore | None = None


@dataclass(frozen=True, slots=True)
class ListDifference:
    """The changed rows of one child list."""

    field: str
    rows: tuple[RowDifference, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that differs between two contents."""

    fields: tuple[FieldDifference, ...]
    lists: tuple[ListDifference, ...]

    @property
    def touched(self) -> frozenset[str]:
        """Return the names of the fields and lists that differ."""
        return frozenset(one.field for one in self.fields) | {one.field for one in self.lists}

    @property
    def material(self) -> frozenset[str]:
        """Return those of them whose change needs a new version."""
        return self.touched - EDITORIAL_FIELDS

    @property
    def loosened(self) -> tuple[str, ...]:
        """Return the keys of the criteria that became easier to pass."""
        rows = (row for one in self.lists if one.field == "criteria" for row in one.rows)
        return tuple(row.name for row in rows if row.verdict == LOOSENED)


def difference(before: Content, after: Content) -> Difference:
    """Return what changed from one content to another, fields first, then lists."""
    names = [name for name in dict.fromkeys([*before, *after]) if name not in ROW_KEYS]
    fields = [
        _field(name, before.get(name), after.get(name), is_editorial=name in EDITORIAL_FIELDS)
        for name in names
        if not same_value(before.get(name), after.get(name))
    ]
    baselines = (baselines_of(before), baselines_of(after))
    lists = [
        ListDifference(name, rows)
        for name in ROW_KEYS
        if (rows := _rows(name, before.get(name) or (), after.get(name) or (), baselines))
    ]
    return Difference(tuple(fields), tuple(lists))


def material_part(content: Content) -> dict[str, Any]:
    """Return the content without its editorial fields: what has to stay as it was signed."""
    return {name: value for name, value in content.items() if name not in EDITORIAL_FIELDS}


def word_pieces(before: str, after: str) -> tuple[Piece, ...]:
    """Return the two texts as one, with the words that went and the words that came."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    pieces: list[Piece] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            pieces.append(Piece(SAME, "".join(old[i1:i2])))
            continue
        if i2 > i1:
            pieces.append(Piece(REMOVED, "".join(old[i1:i2])))
        if j2 > j1:
            pieces.append(Piece(ADDED, "".join(new[j1:j2])))
    return tuple(pieces)


def risk_score(row: Row | None) -> RiskScore | None:
    """Return a risk's score; None where there is no risk."""
    if row is None:
        return None
    probability, impact = row.get("probability"), row.get("impact")
    if not isinstance(probability, int) or not isinstance(impact, int):
        return RiskScore(None, "")
    score = probability * impact
    return RiskScore(score, next(band for least, band in _RISK_BANDS if score >= least))


def _rows(
    name: str,
    before: Iterable[Row],
    after: Iterable[Row],
    baselines: tuple[Mapping[str, Any], Mapping[str, Any]],
) -> tuple[RowDifference, ...]:
    old, new = by_key(name, before), by_key(name, after)
    found = []
    for key in dict.fromkeys([*old, *new]):
        row = _row(name, old.get(key), new.get(key), baselines)
        if row is not None:
            found.append(row)
    return tuple(found)


def by_key(name: str, rows: Iterable[Row]) -> dict[tuple[str, int], Row]:
    """Return rows by their key; rows that share one are told apart by their order."""
    seen: dict[str, int] = defaultdict(int)
    found = {}
    for row in rows:
        key = row_name(name, row)
        found[key, seen[key]] = row
        seen[key] += 1
    return found


def row_name(name: str, row: Row) -> str:
    """Return what tells a row of a list apart, as people read it."""
    parts = (str(row.get(field) or "").strip() for field in ROW_KEYS[name])
    return ": ".join(part for part in parts if part) or "(unnamed)"


def _row(
    name: str,
    before: Row | None,
    after: Row | None,
    baselines: tuple[Mapping[str, Any], Mapping[str, Any]],
) -> RowDifference | None:
    changes = _criterion_changes(before, after, baselines) if name == "criteria" else []
    fields = _row_fields(before, after, changes)
    if before is not None and after is not None and not fields:
        return None
    known = before if after is None else after
    risky = name == "risks"
    return RowDifference(
        name=row_name(name, known or {}),
        change=ADDED if before is None else REMOVED if after is None else CHANGED,
        before=before,
        after=after,
        fields=tuple(fields),
        verdict=_criterion_verdict(before, after, changes) if name == "criteria" else "",
        score_before=risk_score(before) if risky else None,
        score_after=risk_score(after) if risky else None,
    )


def _row_fields(
    before: Row | None, after: Row | None, changes: Sequence[FieldChange]
) -> list[FieldDifference]:
    if before is None or after is None:
        return []
    verdicts = {change.field: change.verdict for change in changes}
    fields = [
        _field(name, before.get(name), after.get(name), verdict=verdicts.get(name, ""))
        for name in dict.fromkeys([*before, *after])
        if not same_value(before.get(name), after.get(name))
    ]
    named = {field.field for field in fields}
    return fields + [
        _field(change.field, change.before, change.after, verdict=change.verdict)
        for change in changes
        if change.field == "baseline_value" and change.field not in named
    ]


def _criterion_changes(
    before: Row | None,
    after: Row | None,
    baselines: tuple[Mapping[str, Any], Mapping[str, Any]],
) -> list[FieldChange]:
    if before is None or after is None:
        return []
    return compare_criteria(
        before, after, baselines_before=baselines[0], baselines_after=baselines[1]
    )


def _criterion_verdict(before: Row | None, after: Row | None, changes: list[FieldChange]) -> str:
    if before is None:
        return TIGHTENED
    return LOOSENED if after is None else verdict_of(changes)


def _field(
    name: str, before: Any, after: Any, *, is_editorial: bool = False, verdict: str = ""
) -> FieldDifference:
    texts = isinstance(before, str | None) and isinstance(after, str | None)
    pieces = word_pieces(before or "", after or "") if texts else ()
    return FieldDifference(name, before, after, pieces, is_editorial, verdict)


def same_value(before: Any, after: Any) -> bool:
    """Return whether two values mean the same; an empty text is as good as none."""
    return before == after or (before in ("", None) and after in ("", None))
