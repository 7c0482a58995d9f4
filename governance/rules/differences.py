"""What differs between two states that reviews bound, part by part, as values that people read.

Each renderer answers for some bound parts; a part that moved and that none of them can show is
named with its digests, so that nothing moves unseen.
"""

import difflib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from governance.rules.digests import digest_of
from governance.rules.staleness import compare_bindings, is_bound_as_one, part_name
from projects.rules.changes import CRITERIA_LISTS, Difference, RowDifference, difference

ADDED, REMOVED, CHANGED, SAME, PLACE = "added", "removed", "changed", "same", "place"
TABLE, LINES = "table", "lines"
_MOST_ROWS = 200
_MOST_LINES = 400
_LONGEST = 400
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a change: what it was, what it is, and a word or a number on the step."""

    name: str
    was: str
    now: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs. `shape` says whether `rows` are a table or lines of a text."""

    part: str
    title: str
    was: str
    now: str
    rows: tuple[Row, ...] = ()
    shape: str = TABLE


@dataclass(frozen=True)
class State:
    """What a review bound: digests by part, the facts copied then, and the texts behind them.

    `scope` is None where the content of the bound scope is not known.
    """

    label: str
    bindings: Mapping[str, str]
    facts: Mapping[str, Any] = field(default_factory=dict)
    scope: Mapping[str, Any] | None = None
    policy: str = ""
    policy_text: str = ""
    subject_text: str = ""

    @property
    def attributes(self) -> Mapping[str, Any]:
        return self.facts.get("attributes") or {}


def changes_between(earlier: State, later: State) -> list[Change]:
    """Return what differs from one state to a later one; empty if nothing does."""
    changes = [*_subject(earlier, later)]
    for renderer in _RENDERERS:
        changes += renderer(earlier, later)
    return [*changes, *_unrendered(earlier, later, {one.part for one in changes})]


def digest_of_difference(changes: Iterable[Change]) -> str:
    """Return the SHA-256 over a difference as it is shown."""
    return digest_of([asdict(one) for one in changes])


def spoken(value: Any) -> str:
    """Return a value as a cell of a table holds it, cut where it is long."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if not isinstance(value, str | int):
        value = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def text_rows(was: str, now: str) -> tuple[Row, ...]:
    """Return the unified difference of two texts, line by line, with three lines around each."""
    lines = difflib.unified_diff(was.splitlines(), now.splitlines(), n=3, lineterm="")
    return _capped((_line(one) for one in list(lines)[2:]), _MOST_LINES)


def value_rows(was: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Row, ...]:
    """Return the entries that were added, removed or changed; numbers with their difference."""
    names = [name for name in dict.fromkeys([*was, *now]) if was.get(name) != now.get(name)]
    return _capped(
        (
            Row(name, spoken(was.get(name)), spoken(now.get(name)), _step(name, was, now))
            for name in names
        ),
        _MOST_ROWS,
    )


def column_rows(was: Sequence[Any], now: Sequence[Any]) -> tuple[Row, ...]:
    """Return the columns that were added, removed or given another type."""
    return value_rows(_types(was), _types(now))


def scope_rows(found: Difference, lists: Iterable[str]) -> tuple[Row, ...]:
    """Return the changed rows of the named lists of a scope."""
    chosen = [one for one in found.lists if one.field in set(lists)]
    rows = (line for one in chosen for row in one.rows for line in _scope_row(one.field, row))
    return _capped(rows, _MOST_ROWS)


def _subject(earlier: State, later: State) -> Iterator[Change]:
    if earlier.label != later.label:
        yield Change("subject", "What is judged", earlier.label, later.label)


def _run(earlier: State, later: State) -> Iterator[Change]:
    was, now = _run_line(earlier.attributes), _run_line(later.attributes)
    if rows := value_rows(was, now):
        yield Change("run", "Training run", was.get("run", ""), now.get("run", ""), rows)
    for part, title in (("metrics", "Metrics of the run"), ("params", "Parameters of the run")):
        old, new = _of_run(earlier, part), _of_run(later, part)
        if rows := value_rows(old, new):
            yield Change("run", title, _count(old, "value"), _count(new, "value"), rows)


def _features(earlier: State, later: State) -> Iterator[Change]:
    old, new = earlier.attributes.get("features"), later.attributes.get("features")
    if old is None or new is None:
        return
    if rows := column_rows(old, new):
        was, now = _count(old, "feature"), _count(new, "feature")
        yield Change("model_files", "Features of the model", was, now, rows)


def _datasets(earlier: State, later: State) -> Iterator[Change]:
    old, new = _described(earlier), _described(later)
    for part in dict.fromkeys([*old, *new]):
        was, now = old.get(part, {}), new.get(part, {})
        rows = (*value_rows(_figures(was), _figures(now)), *_columns_of(was, now))
        if rows:
            label = part_name(part)
            title = label[0].upper() + label[1:]
            yield Change(part, title, str(was.get("label", "")), str(now.get("label", "")), rows)


def _datasheet(earlier: State, later: State) -> Iterator[Change]:
    old, new = earlier.attributes.get("datasheet"), later.attributes.get("datasheet")
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return
    if rows := value_rows(flat(old), flat(new)):
        yield Change("datasheet", "Datasheet", _count(old, "section"), _count(new, "section"), rows)


def _evidence(earlier: State, later: State) -> Iterator[Change]:
    old, new = earlier.facts.get("evidence"), later.facts.get("evidence")
    if old is None or new is None:
        return
    for part in sorted({str(one["part"]) for one in [*old, *new]}):
        was = [one for one in old if one["part"] == part]
        now = [one for one in new if one["part"] == part]
        if rows := _capped(_item_rows(was, now), _MOST_ROWS):
            label = part_name(part)
            title = label[0].upper() + label[1:]
            yield Change(part, title, _count(was, "item"), _count(now, "item"), rows)


def _card(earlier: State, later: State) -> Iterator[Change]:
    old, new = earlier.facts.get("card"), later.facts.get("card")
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return
    if rows := value_rows(old, new):
        was, now = _count(old, "section"), _count(new, "section")
        yield Change("card", "Sections of the model card", was, now, rows)


def _scope(earlier: State, later: State) -> Iterator[Change]:
    if earlier.scope is None or later.scope is None:
        return
    found = difference(earlier.scope, later.scope)
    was, now = _scope_name(earlier), _scope_name(later)
    fields = tuple(
        Row(
            _words(one.field),
            spoken(one.before),
            spoken(one.after),
            "editorial" if one.is_editorial else CHANGED,
        )
        for one in found.fields
    )
    others = [one.field for one in found.lists if one.field not in CRITERIA_LISTS]
    if rows := (*fields, *scope_rows(found, others)):
        yield Change("scope", "Scope", was, now, rows)
    if rows := scope_rows(found, CRITERIA_LISTS):
        yield Change("criteria", "Criteria and baselines", was, now, rows)


def _policy(earlier: State, later: State) -> Iterator[Change]:
    if rows := text_rows(earlier.policy_text, later.policy_text):
        yield Change("policy", "Text of the policy", earlier.policy, later.policy, rows, LINES)
    if rows := text_rows(earlier.subject_text, later.subject_text):
        title = "Text that is judged"
        yield Change("policy_text", title, earlier.label, later.label, rows, LINES)


_RENDERERS = (
    _scope, _features, _run, _datasets, _datasheet, _card, _evidence, _policy,
)  # fmt: skip


def _unrendered(earlier: State, later: State, told: set[str]) -> Iterator[Change]:
    """Yield every bound part that moved and that no renderer has shown."""
    was, now = dict(earlier.bindings), dict(later.bindings)
    if is_bound_as_one(was) != is_bound_as_one(now):
        # The two never meet digest by digest: one binds its evidence whole, one kind by kind.
        for bindings in (was, now):
            _drop_evidence(bindings)
    for moved in compare_bindings(was, now):
        if moved.part not in told:
            label = part_name(moved.part)
            title = label[0].upper() + label[1:]
            yield Change(moved.part, title, moved.was[:_SHOWN], moved.now[:_SHOWN])


def _drop_evidence(bindings: dict[str, str]) -> None:
    for part in list(bindings):
        if part.partition(":")[0] in {"evidence", "card", "criteria"}:
            del bindings[part]


def _run_line(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what identifies the run and its code, without what the version has not."""
    commit = str(attributes.get("commit") or "")
    dirty = attributes.get("commit_dirty")
    state = {True: " with uncommitted changes", None: ""}.get(dirty, " clean") if commit else ""
    line = {
        "run": attributes.get("run_id"),
        "status": attributes.get("run_status"),
        "commit": f"{commit[:_SHOWN]}{state}",
        "seed": attributes.get("seed"),
    }
    return {name: value for name, value in line.items() if value not in (None, "")}


def _of_run(state: State, part: str) -> Mapping[str, Any]:
    source = state.facts if part == "metrics" else state.attributes
    return source.get(part) or {}


def _described(state: State) -> dict[str, Mapping[str, Any]]:
    """Return what is known of each bound dataset, by its part."""
    attributes = state.attributes
    if "columns" in attributes and "dataset" in state.bindings:
        return {"dataset": {**attributes, "label": state.label}}
    named = attributes.get("datasets") or {}
    return {f"dataset:{name}": about for name, about in named.items()}


def _figures(about: Mapping[str, Any]) -> dict[str, Any]:
    figures = {
        "version": about.get("label"),
        "rows": about.get("row_count"),
        "target": about.get("target"),
        "target rate": about.get("target_rate"),
    }
    return {name: value for name, value in figures.items() if value is not None}


def _columns_of(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Row]:
    old, new = was.get("columns") or (), now.get("columns") or ()
    for row in column_rows(old, new):
        yield Row(f"column {row.name}", row.was, row.now, row.note)
    shares = value_rows(was.get("missing") or {}, now.get("missing") or {})
    for row in shares:
        yield Row(f"missing in {row.name}", row.was, row.now, row.note)


def _item_rows(was: Sequence[Any], now: Sequence[Any]) -> Iterator[Row]:
    """Yield the evidence of one kind that came, went or differs, told apart by its title."""
    old, new = _by_title(was), _by_title(now)
    for key in dict.fromkeys([*old, *new]):
        before, after = old.get(key, ""), new.get(key, "")
        if before != after:
            note = ADDED if not before else REMOVED if not after else CHANGED
            yield Row(key[0], before[:_SHOWN], after[:_SHOWN], note)


def _by_title(items: Sequence[Any]) -> dict[tuple[str, int], str]:
    seen: dict[str, int] = {}
    found = {}
    for one in items:
        title = str(one["title"])
        found[title, seen.get(title, 0)] = str(one["content"])
        seen[title] = seen.get(title, 0) + 1
    return found


def _scope_row(name: str, row: RowDifference) -> Iterator[Row]:
    label = f"{_words(name)}: {row.name}"
    note = " ".join(word for word in (row.change, row.verdict) if word)
    if row.before is None or row.after is None:
        yield Row(label, _row_text(row.before), _row_text(row.after), note)
        return
    for one in row.fields:
        was, now = spoken(one.before), spoken(one.after)
        yield Row(f"{label}, {_words(one.field)}", was, now, one.verdict or CHANGED)


def _row_text(row: Mapping[str, Any] | None) -> str:
    told = {k: v for k, v in (row or {}).items() if v not in (None, "", [], {}, False)}
    return spoken("; ".join(f"{_words(name)}: {spoken(value)}" for name, value in told.items()))


def _scope_name(state: State) -> str:
    version = state.attributes.get("scope_version") or state.attributes.get("version")
    return f"version {version}" if version else ""


def _line(text: str) -> Row:
    mark, rest = text[:1], text[1:]
    if mark == "+":
        return Row("", "", rest, ADDED)
    if mark == "-":
        return Row("", rest, "", REMOVED)
    return Row(text, "", "", PLACE) if mark == "@" else Row("", rest, rest, SAME)


def _step(name: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    if name not in was:
        return ADDED
    if name not in now:
        return REMOVED
    before, after = was[name], now[name]
    if _is_number(before) and _is_number(after):
        return f"{after - before:+.6g}"
    return CHANGED


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


def _types(columns: Sequence[Any]) -> dict[str, Any]:
    return {str(one["name"]): one.get("type", "") for one in columns if isinstance(one, Mapping)}


def flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a nested mapping as one, under names such as `columns age`."""
    found: dict[str, Any] = {}
    for name, part in value.items():
        if isinstance(part, Mapping):
            found |= flat(part, f"{prefix}{name} ")
        else:
            found[f"{prefix}{name}"] = part
    return found


def _capped(rows: Iterable[Row], most: int) -> tuple[Row, ...]:
    found = list(rows)
    if len(found) <= most:
        return tuple(found)
    return (*found[:most], Row(f"and {len(found) - most} more", "", "", PLACE))


def _count(things: Any, noun: str) -> str:
    number = len(things)
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _words(name: str) -> str:
    return name.replace("_", " ")
