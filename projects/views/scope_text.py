"""A scoping document's content as sections to read: prose, facts, tables, cards and a matrix."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from projects.models import ScopingDocument
from projects.rules.scope_layout import SECTIONS, Fields
from projects.services.content import CHILDREN
from projects.views.scope_words import condition_of, label_of, said

Content = Mapping[str, Any]

#: Lists whose rows are short enough for a table; the others are cards.
TABLES = frozenset(
    {"affected_parties", "constraints", "feature_notes", "feasibility", "estimates",
     "sprint_plan", "milestones", "monitoring_plan"}
)  # fmt: skip
#: Shown by pages and parts of their own.
ELSEWHERE = frozenset({"decision_weights", "decision_scores"})
#: What a card shows as badges beside its title.
BADGES: Mapping[str, tuple[str, ...]] = {
    "objectives": ("kind",),
    "criteria": ("level", "dataset_role"),
    "baselines": ("kind",),
    "prior_art": ("kind", "verdict"),
    "approaches": ("rung", "novelty"),
    "data_sources": ("access", "personal_data"),
    "risks": ("category", "treatment"),
    "regulations": ("applies", "risk_class"),
}
_TITLES = {"criteria": "title"}
#: Stand in the page's head.
_HEAD = frozenset({"title", "summary"})
#: Longer values take a card's whole width.
_LONG = 34
#: Lists whose fields mostly keep their defaults, which say nothing.
_DEFAULTS_UNSAID = frozenset({"criteria"})


@dataclass(frozen=True, slots=True)
class Fact:
    """One field with its label and what it says."""

    field: str
    label: str
    value: str

    @property
    def is_long(self) -> bool:
        return len(self.value) > _LONG or "\n" in self.value


@dataclass(frozen=True, slots=True)
class Prose:
    """Fields that are filled in, and those that are not."""

    title: str
    facts: tuple[Fact, ...]
    asked: tuple[Fact, ...]
    blank: tuple[Fact, ...]
    kind: str = "prose"


@dataclass(frozen=True, slots=True)
class Table:
    """Short rows, without the columns in which nothing stands."""

    field: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[tuple[str, str], ...], ...]
    kind: str = "table"

    @property
    def is_empty(self) -> bool:
        return not self.rows


@dataclass(frozen=True, slots=True)
class Card:
    """One long row."""

    title: str
    lead: str
    badges: tuple[str, ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Cards:
    """Long rows."""

    field: str
    title: str
    cards: tuple[Card, ...]
    kind: str = "cards"

    @property
    def is_empty(self) -> bool:
        return not self.cards


@dataclass(frozen=True, slots=True)
class Matrix:
    """Who is what for each activity: R, A, C or I."""

    field: str
    title: str
    people: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    kind: str = "matrix"

    @property
    def is_empty(self) -> bool:
        return not self.rows


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the document as it is read."""

    key: str
    title: str
    parts: tuple[Prose | Table | Cards | Matrix, ...]


def sections_of(content: Content, *, asked: Collection[str], names: Mapping[str, str]) -> Any:
    """Return the document's sections in reading order.

    `asked` are fields that something is said about: empty ones are shown, other empty ones are
    folded away. `names` gives people's names by user name.
    """
    return [
        Section(section.key, section.title, tuple(_parts(section, content, asked, names)))
        for section in SECTIONS
    ]


def _parts(
    section: Any, content: Content, asked: Collection[str], names: Mapping[str, str]
) -> Iterator[Prose | Table | Cards | Matrix]:
    for part in section.parts:
        if isinstance(part, Fields):
            yield _prose(part, content, asked, names)
        elif part.name == "responsibilities":
            yield _matrix(part.name, content, names)
        elif part.name not in ELSEWHERE:
            rows = _rows(content, part.name)
            build = _table if part.name in TABLES else _cards
            yield build(part.name, rows, names)


def _prose(
    part: Fields, content: Content, asked: Collection[str], names: Mapping[str, str]
) -> Prose:
    facts: list[Fact] = []
    wanted: list[Fact] = []
    blank: list[Fact] = []
    for name in part.names:
        if name in _HEAD:
            continue
        value = said(ScopingDocument, name, content.get(name), names)
        fact = Fact(name, label_of(ScopingDocument, name), value)
        (facts if value else wanted if name in asked else blank).append(fact)
    return Prose(part.title, tuple(facts), tuple(wanted), tuple(blank))


def _rows(content: Content, name: str) -> Sequence[Content]:
    """Return a list's rows; an earlier schema held some of them as text."""
    value = content.get(name) or ()
    if isinstance(value, str):
        value = [value]
    key = CHILDREN[name][1]
    return [row if isinstance(row, Mapping) else {key: str(row)} for row in value]


def _table(name: str, rows: Sequence[Content], names: Mapping[str, str]) -> Table:
    model = CHILDREN[name][0]
    columns = [
        column
        for column in _columns(model)
        if any(said(model, column, row.get(column), names) not in {"", "no"} for row in rows)
    ]
    return Table(
        name,
        title_of(name),
        tuple(label_of(model, column) for column in columns),
        tuple(
            tuple(
                (label_of(model, column), said(model, column, row.get(column), names))
                for column in columns
            )
            for row in rows
        ),
    )


def _cards(name: str, rows: Sequence[Content], names: Mapping[str, str]) -> Cards:
    return Cards(name, title_of(name), tuple(_card(name, row, names) for row in rows))


def _card(name: str, row: Content, names: Mapping[str, str]) -> Card:
    model, key = CHILDREN[name]
    title = _TITLES.get(name, key)
    badges = BADGES.get(name, ())
    lead = _lead(name, row)
    hidden = {title, *badges, *(_IN_LEAD.get(name, ()) if lead else ())}
    facts = (
        Fact(column, label_of(model, column), said(model, column, row.get(column), names))
        for column in _columns(model)
        if column not in hidden and not _is_unsaid_default(name, model, column, row)
    )
    return Card(
        str(row.get(title) or row.get(key) or "(no name)"),
        lead,
        tuple(text for badge in badges if (text := said(model, badge, row.get(badge), names))),
        tuple(fact for fact in facts if fact.value and fact.value != "no"),
    )


def _is_unsaid_default(name: str, model: Any, column: str, row: Content) -> bool:
    field = model._meta.get_field(column)
    return name in _DEFAULTS_UNSAID and field.has_default() and row.get(column) == field.default


_IN_LEAD: Mapping[str, tuple[str, ...]] = {
    "criteria": (
        "metric_key", "threshold", "greater_is_better", "min_absolute_change",
        "min_relative_change", "max_absolute_drop", "max_relative_drop", "baseline", "by_date",
        "by_sprint",
    ),
    "risks": ("probability", "impact"),
}  # fmt: skip


def _lead(name: str, row: Content) -> str:
    if name == "criteria":
        return f"{row.get('metric_key') or 'The metric'}: {condition_of(row)}"
    if name == "risks" and row.get("probability") and row.get("impact"):
        probability, impact = int(row["probability"]), int(row["impact"])
        score = probability * impact
        return f"Probability {probability}, impact {impact}, score {score}"
    return ""


def _matrix(name: str, content: Content, names: Mapping[str, str]) -> Matrix:
    model: Any = CHILDREN[name][0]
    rows = _rows(content, name)
    people = sorted({str(row.get("person") or "") for row in rows} - {""})
    held: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        at = (str(row.get("activity")), str(row.get("person") or ""))
        held.setdefault(at, []).append(str(row.get("raci") or " ")[0].upper())
    activities = model._meta.get_field("activity").flatchoices
    return Matrix(
        name,
        title_of(name),
        tuple(names.get(person, person) for person in people),
        tuple(
            (
                str(label),
                tuple(", ".join(sorted(held.get((key, person), ()))) for person in people),
            )
            for key, label in activities
        )
        if people
        else (),
    )


def title_of(name: str) -> str:
    """Return the title of a list of rows."""
    return str(CHILDREN[name][0]._meta.verbose_name_plural).capitalize()


def _columns(model: Any) -> list[str]:
    return [
        field.name
        for field in model._meta.concrete_fields
        if field.editable and field.name not in {"id", "scope"}
    ]
