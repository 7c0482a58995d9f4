"""Forms of what has an end: conditions, waivers, delegations, findings and break-glass."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from governance.models import Finding
from governance.services import delegations, waivers
from governance.views.forms import EVERY_GATE, PersonChoiceField
from projects.models import Project, Stakeholder


def _day(label: str, *, required: bool = True) -> forms.DateField:
    # A browser's date field reads this one spelling, whatever the language of the page.
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(label=label, required=required, widget=widget)


def _lines(label: str, *, rows: int = 2, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class _PasswordForm(forms.Form):
    """An act in a role that takes the password again."""

    role = forms.ChoiceField(label="In which role?")
    # render_value stays off: a password never travels back to the browser.
    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text="It is compared and never kept.",
    )

    def __init__(self, *args: Any, roles: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = [(role, Stakeholder.Role(role).label) for role in roles]
        self.fields["role"].choices = labels  # type: ignore[attr-defined]


class WaiverForm(_PasswordForm):
    """Which requirement may fail, why, what stands in for it, and until when."""

    requirement_key = forms.ChoiceField(label="Requirement")
    reason = _lines("Why may it fail?")
    compensating_control = _lines("What stands in for it?")
    ends_on = _day("Until")
    field_order = ("requirement_key", "reason", "compensating_control", "ends_on", "role")

    def __init__(self, *args: Any, keys: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["requirement_key"].choices = keys  # type: ignore[attr-defined]
        last = timezone.now().date() + waivers.LONGEST - timedelta(days=1)
        self.fields["ends_on"].help_text = f"{last:%d %B %Y} at the latest."


class OverrideForm(_PasswordForm):
    """Why a promotion cannot wait for its review."""

    incident = forms.CharField(max_length=100, help_text="Its number or address.")
    reason = _lines("Why can it not wait for the review?")
    hours = forms.IntegerField(label="For how many hours?", min_value=1)
    field_order = ("incident", "reason", "hours", "role")

    def __init__(self, *args: Any, most: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hours"].max_value = most  # type: ignore[attr-defined]
        self.fields["hours"].widget.attrs["max"] = most
        self.fields["hours"].help_text = f"{most} at most."


class ConfirmationForm(_PasswordForm):
    """The second person."""


class GiveForm(forms.Form):
    """To whom the right to sign goes, on which project, at which gate, from when to when."""

    project = forms.ModelChoiceField(queryset=Project.objects.none())
    role = forms.ChoiceField()
    gate = forms.ChoiceField(required=False, label="At which gate?", choices=[("", EVERY_GATE)])
    person = PersonChoiceField(label="To whom?", queryset=User.objects.none())
    from_on = _day("From")
    to_on = _day("To, that day included")
    reason = _lines("Why?")

    def __init__(
        self, *args: Any, held: QuerySet[Stakeholder], people: QuerySet[User], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        projects = Project.objects.filter(pk__in=held.values("project"))
        self.fields["project"].queryset = projects  # type: ignore[attr-defined]
        roles = sorted(set(held.values_list("role", flat=True)))
        labels = [(role, Stakeholder.Role(role).label) for role in roles]
        self.fields["role"].choices = labels  # type: ignore[attr-defined]
        # One policy holds for every project.
        one = projects.first()
        gates = [] if one is None else delegations.asking_gates(one)
        titles = [(gate.name, gate.title) for gate in gates]
        self.fields["gate"].choices += titles  # type: ignore[attr-defined]
        self.fields["person"].queryset = people  # type: ignore[attr-defined]
        self.fields["to_on"].help_text = f"{delegations.LONGEST.days} days at most."


class FindingFilterForm(forms.Form):
    """Which findings a list shows."""

    status = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("", "any state"), ("unresolved", "Not closed"), *Finding.Status.choices],
    )
    severity = forms.ChoiceField(
        required=False, choices=[("", "any severity"), *Finding.Severity.choices]
    )
    project = forms.ModelChoiceField(
        required=False, queryset=Project.objects.none(), to_field_name="slug"
    )
    mine = forms.BooleanField(label="Owned by me", required=False)
    overdue = forms.BooleanField(required=False)


class PlanForm(forms.Form):
    """Who sees to a finding, until when, and what is to be done."""

    owner = PersonChoiceField(required=False, queryset=User.objects.none())
    due_on = _day("Due on", required=False)
    recommended_action = _lines("What should be done?", required=False)
    reason = forms.CharField(
        label="Why later?", required=False, max_length=1000, help_text="Only to put the date off."
    )

    def __init__(self, *args: Any, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = people  # type: ignore[attr-defined]


class RegradeForm(forms.Form):
    """How grave a finding is, and why that changed."""

    severity = forms.ChoiceField(choices=Finding.Severity.choices)
    reason = forms.CharField(label="Why?", max_length=4000)
