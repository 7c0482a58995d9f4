"""Forms of work items, built from the fields of the kind."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.datastructures import MultiValueDict

from projects.errors import DomainError
from projects.models import Project, Sprint, Stakeholder, WorkItem
from projects.rules.transitions import FINISHED_ITEM_STATUSES
from projects.rules.work_item_kinds import SIZED_BY, Field, fields_of
from projects.services.definitions import values_of
from projects.services.item_moves import outcomes_of
from projects.services.work_item_checks import OPEN_SPRINTS

#: What a number column refuses is told by the command, beside everything else that is wrong.
_SIZES: Mapping[str, Callable[[], forms.Field]] = {
    "points": lambda: forms.IntegerField(label="Points", required=False),
    "hours": lambda: forms.FloatField(label="Estimated hours", required=False),
}
_ROWS = {"long_text": 3, "list": 3}


class ItemForm(forms.Form):
    """What an item says: the columns of every kind, its sizes, and the kind's own fields."""

    title = forms.CharField(max_length=200)
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 4}))
    assignee = forms.ChoiceField(required=False)
    parent = forms.TypedChoiceField(label="Epic", required=False, coerce=int, empty_value=None)
    due_on = forms.DateField(
        label="Due on", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, project: Project, kind: str, *, flavour: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.kind, self.project = kind, project
        people = _people(project)
        self._offer("assignee", [("", "Nobody"), *people])
        if kind == WorkItem.Kind.EPIC:
            del self.fields["parent"]
        else:
            self._offer("parent", [("", "None"), *_epics(project)])
        for name in [name for name in _SIZES if name in SIZED_BY[kind]]:
            self.fields[name] = _SIZES[name]()
        self.own = fields_of(kind, flavour)
        for one in self.own:
            self.fields[one.name] = field_of(one, project, people)

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the fields as the page shows them: before the start, and at the end."""
        late = {one.name for one in self.own if one.needed == "done"}
        own = {one.name for one in self.own}
        shown = [bound for bound in self if not bound.is_hidden]
        return [
            ("", [bound for bound in shown if bound.name not in own]),
            ("The kind's own fields", [b for b in shown if b.name in own and b.name not in late]),
            ("Filled in at the end", [bound for bound in shown if bound.name in late]),
        ]

    def changes(self) -> dict[str, Any]:
        """Return what was typed as the commands take it."""
        own = {one.name for one in self.own if not one.is_column}
        cleaned = dict(self.cleaned_data)
        cleaned.pop("version", None)
        details = {name: cleaned.pop(name) for name in list(cleaned) if name in own}
        if "assignee" in cleaned:
            cleaned["assignee"] = User.objects.filter(username=cleaned["assignee"] or None).first()
        if "parent" in cleaned:
            cleaned["parent"] = WorkItem.objects.filter(pk=cleaned["parent"]).first()
        return {**cleaned, "details": details}

    def _keep(self, name: str, value: Any, label: str) -> None:
        field: Any = self.fields.get(name)
        offered = list(field.choices) if field else []
        if value not in dict(offered):
            self._offer(name, [*offered, (value, label)])

    def _offer(self, name: str, choices: Iterable[tuple[Any, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = list(choices)


class EditForm(ItemForm):
    """An item that exists; the version says on what the text is based."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, item: WorkItem, data: MultiValueDict[str, str] | None = None) -> None:
        flavour = str(item.details.get("flavour") or "")
        initial = {**_shown(values_of(item)), **_columns(item), "version": item.version_lock}
        super().__init__(
            item.project, item.kind, flavour=flavour, data=data, initial=initial, auto_id="edit_%s"
        )
        # What the item has stays on offer, or saving another field would take it away.
        if item.assignee:
            self._keep("assignee", item.assignee.username, f"{item.assignee} (left the project)")
        if item.parent:
            self._keep("parent", item.parent.pk, f"{item.parent} (closed)")


class NewItemForm(ItemForm):
    """An item that does not exist yet, with the sprint it may go to at once."""

    sprint = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)

    def __init__(self, project: Project, kind: str, **options: Any) -> None:
        super().__init__(project, kind, auto_id="new_%s", **options)
        running = project.sprints.filter(status__in=OPEN_SPRINTS)
        names = [(sprint.pk, sprint.name) for sprint in running]
        self._offer("sprint", [("", "Backlog"), *names])

    def changes(self) -> dict[str, Any]:
        given = super().changes()
        given["sprint"] = Sprint.objects.filter(pk=given["sprint"]).first()
        return given


class ConcludeForm(forms.Form):
    """How an item ends: the outcome, the words, and what its kind asks for at the end."""

    outcome = forms.ChoiceField()
    conclusion = forms.CharField(label="What was learned", widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, item: WorkItem, data: MultiValueDict[str, str] | None = None) -> None:
        super().__init__(data=data, auto_id="conclude_%s", initial=_shown(item.details))
        outcome = self.fields["outcome"]
        assert isinstance(outcome, forms.ChoiceField)  # noqa: S101 - for the type checker
        labels = dict(WorkItem.Outcome.choices)
        outcome.choices = [(value, str(labels[value])) for value in outcomes_of(item)]
        people = _people(item.project)
        self.own = [one for one in fields_of(item.kind) if one.needed == "done"]
        for one in self.own:
            self.fields[one.name] = field_of(one, item.project, people)

    def details(self) -> dict[str, Any]:
        """Return what was typed into the kind's own fields; what was not sent stays."""
        return {one.name: self.cleaned_data[one.name] for one in self.own if one.name in self.data}


def field_of(one: Field, project: Project, people: list[tuple[str, str]]) -> forms.Field:
    """Return the control for one field of a kind."""
    common: dict[str, Any] = {"label": one.label, "help_text": one.help, "required": False}
    if one.type == "yes_no":
        return forms.BooleanField(**common)
    if one.type in {"choice", "person", "item"}:
        rows = {"choice": one.choices, "person": people}.get(one.type)
        choices = _hypotheses(project) if rows is None else rows
        return forms.ChoiceField(choices=[("", "Not said"), *choices], **common)
    if one.type == "number":
        return (forms.IntegerField if one.is_column else forms.FloatField)(**common)
    if one.type in _ROWS:
        return forms.CharField(widget=forms.Textarea(attrs={"rows": _ROWS[one.type]}), **common)
    return forms.CharField(**common)


def add_errors(form: forms.Form, error: DomainError) -> None:
    """Put a refusal beside the fields that it names, and the rest above the form."""
    by_field: Mapping[str, list[str]] = error.details.get("errors") or {}
    placed = {name: texts for name, texts in by_field.items() if name in form.fields}
    for name, texts in placed.items():
        form.add_error(name, texts)
    if len(placed) < len(by_field) or not placed:
        form.add_error(None, [error.message, *(error.details.get("reasons") or ())])


def _people(project: Project) -> list[tuple[str, str]]:
    held = Stakeholder.objects.current().filter(project=project, user__is_active=True)
    users = User.objects.filter(pk__in=held.values("user")).order_by("username")
    return [(user.username, user.get_full_name() or user.username) for user in users]


def _epics(project: Project) -> list[tuple[int, str]]:
    epics = project.work_items.filter(kind=WorkItem.Kind.EPIC)
    open_ones = epics.exclude(status__in=FINISHED_ITEM_STATUSES)
    return list(open_ones.values_list("pk", "title"))


def _hypotheses(project: Project) -> list[tuple[str, str]]:
    rows = project.work_items.filter(kind=WorkItem.Kind.HYPOTHESIS)
    return [(str(pk), title) for pk, title in rows.values_list("pk", "title")]


def _columns(item: WorkItem) -> dict[str, Any]:
    return {
        "title": item.title,
        "description": item.description,
        "assignee": item.assignee.username if item.assignee else "",
        "parent": item.parent_id,
        "due_on": item.due_on,
        "points": item.points,
        "hours": item.hours,
    }


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as a control shows them: a list has one entry a line."""
    return {
        name: "\n".join(value) if isinstance(value, list) else value
        for name, value in values.items()
    }
