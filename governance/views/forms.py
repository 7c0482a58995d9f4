"""The forms of the pages."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet

from governance.models import Finding, GateReview, NoticePreference, ReviewNotice, SignOff
from governance.services.delegations import LONGEST
from projects.models import Project

if TYPE_CHECKING:
    ChoiceOfPeople = forms.ModelChoiceField[Any]
else:
    ChoiceOfPeople = forms.ModelChoiceField

MEANINGS = {
    SignOff.Outcome.APPROVED: "I have reviewed the material above and approve it.",
    SignOff.Outcome.APPROVED_WITH_CONDITIONS: (
        "I have reviewed the material above and approve it under the conditions below."
    ),
    SignOff.Outcome.CHANGES_REQUESTED: "I have reviewed the material above and ask for changes.",
    SignOff.Outcome.REJECTED: "I have reviewed the material above and reject it.",
}
NEEDS_REASON = {
    SignOff.Outcome.REJECTED,
    SignOff.Outcome.CHANGES_REQUESTED,
    SignOff.Outcome.APPROVED_WITH_CONDITIONS,
}
EVERY_GATE = "every gate that asks for the role"
#: Rows for conditions that the form offers; more than this is a finding, not a condition.
CONDITIONS = 3


class ConditionForm(forms.Form):
    """One promise with its date; both or neither."""

    text = forms.CharField(label="Condition", required=False, max_length=1000)
    due_on = forms.DateField(
        label="Due on", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    blocks_gate = forms.ChoiceField(
        label="Blocks the gate", required=False, choices=[("", "blocks no gate")]
    )

    def __init__(self, *args: Any, gates: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = [(name, f"blocks {name.replace('_', ' ')}") for name in gates]
        blocks: Any = self.fields["blocks_gate"]
        blocks.choices = [("", "blocks no gate"), *words]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if bool(cleaned.get("text")) != bool(cleaned.get("due_on")) and not self.errors:
            raise forms.ValidationError("A condition needs both its text and its date.")
        return cleaned


ConditionFormSet = forms.formset_factory(ConditionForm, extra=CONDITIONS, max_num=CONDITIONS)


class SigningForm(forms.Form):
    """What a person adds to the statement that the page shows: words and the password."""

    role = forms.CharField(widget=forms.HiddenInput)
    outcome = forms.ChoiceField(choices=SignOff.Outcome.choices, widget=forms.HiddenInput)
    bindings_digest = forms.CharField(widget=forms.HiddenInput)
    page_token = forms.CharField(required=False, max_length=1000, widget=forms.HiddenInput)
    meaning = forms.CharField(
        max_length=300, help_text="Stands beside your name for as long as the record exists."
    )
    reason = forms.CharField(
        required=False,
        max_length=4000,
        # Kept by htmx when another decision swaps the card, so that nothing typed is lost.
        widget=forms.Textarea(attrs={"rows": 3, "hx-preserve": "true"}),
        help_text="What you looked at, and why you decide so.",
        error_messages={"required": "Say why: the people who did the work need the reason."},
    )
    # render_value stays off: a password never travels back to the browser.
    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text="Asked for again at every signature; it is compared and never kept.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.data.get("outcome") or self.initial.get("outcome")
        self.fields["reason"].required = chosen in NEEDS_REASON


class FeedbackForm(forms.Form):
    """An advisory opinion."""

    text = forms.CharField(
        label="Your opinion", max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )


class FindingForm(forms.Form):
    """A defect found while reviewing."""

    title = forms.CharField(label="What is wrong?", max_length=200)
    severity = forms.ChoiceField(choices=Finding.Severity.choices, initial=Finding.Severity.MEDIUM)
    description = forms.CharField(
        label="How does it show?",
        required=False,
        max_length=8000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    recommended_action = forms.CharField(
        label="What should be done?",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class DueDateForm(forms.Form):
    """Another day by which a review shall be decided."""

    due_on = forms.DateField(label="Due on", widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(label="Why?", max_length=1000)


class PersonChoiceField(ChoiceOfPeople):
    """People by their names."""

    def label_from_instance(self, user: Any) -> str:
        return str(user.get_full_name() or user.get_username())


class HandoverForm(forms.Form):
    """Who shall be asked instead, and why; only people who may sign are offered."""

    role = forms.CharField(widget=forms.HiddenInput)
    person = PersonChoiceField(queryset=User.objects.none())
    note = forms.CharField(label="Why?", max_length=300)

    def __init__(self, *args: Any, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = people  # type: ignore[attr-defined]


class DelegationForm(HandoverForm):
    """To whom the right to sign goes for some days."""

    note = forms.CharField(label="Why?", max_length=4000)
    days = forms.IntegerField(
        label="For how many days?", min_value=1, max_value=LONGEST.days, initial=14
    )
    gate = forms.ChoiceField(required=False, label="At which gate?")

    def __init__(self, *args: Any, gate: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = f"only at this one: {gate.replace('_', ' ')}"
        self.fields["gate"].choices = [("", EVERY_GATE), (gate, here)]  # type: ignore[attr-defined]


class ReviewFilterForm(forms.Form):
    """Which reviews a list shows."""

    status = forms.ChoiceField(
        required=False, choices=[("", "any state"), *GateReview.Status.choices]
    )
    gate = forms.SlugField(required=False)
    project = forms.ModelChoiceField(
        required=False, queryset=Project.objects.none(), to_field_name="slug"
    )
    overdue = forms.BooleanField(required=False)


class InboxFilterForm(forms.Form):
    """Which part of the inbox is shown; what is no choice filters nothing."""

    project = forms.ModelChoiceField(
        required=False, queryset=Project.objects.none(), to_field_name="slug", empty_label="all"
    )
    gate = forms.ChoiceField(required=False)
    asked = forms.BooleanField(required=False, label="only where I am asked")

    def __init__(
        self, *args: Any, projects: QuerySet[Project], gates: Sequence[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["project"].queryset = projects  # type: ignore[attr-defined]
        choices = [("", "all"), *((gate, gate.replace("_", " ")) for gate in gates)]
        self.fields["gate"].choices = choices  # type: ignore[attr-defined]
        self.full_clean()

    @property
    def chosen_project(self) -> Project | None:
        return self.cleaned_data.get("project")

    @property
    def only_asked(self) -> bool:
        return bool(self.cleaned_data.get("asked"))

    @property
    def is_narrow(self) -> bool:
        """Return whether anything may be hidden."""
        return any(self.cleaned_data.values())

    def narrowed(self, rows: QuerySet[Any], way: str = "") -> QuerySet[Any]:
        """Return the rows of the chosen project and gate; `way` leads to the review."""
        if self.chosen_project is not None:
            rows = rows.filter(**{f"{way}project": self.chosen_project})
        if gate := self.cleaned_data.get("gate"):
            rows = rows.filter(**{f"{way}gate": gate})
        return rows


class NoticePreferenceForm(forms.Form):
    """What a person wants by e-mail."""

    rhythm = forms.ChoiceField(
        label="When?", choices=NoticePreference.Rhythm.choices, widget=forms.RadioSelect
    )
    kinds = forms.MultipleChoiceField(
        label="Which?",
        required=False,
        choices=ReviewNotice.Kind.choices,
        widget=forms.CheckboxSelectMultiple,
    )

    @staticmethod
    def of(kept: NoticePreference) -> dict[str, Any]:
        """Return the form's values for what was kept."""
        wanted = [kind for kind in ReviewNotice.Kind.values if kind not in kept.muted]
        return {"rhythm": kept.rhythm, "kinds": wanted}

    @property
    def muted(self) -> list[str]:
        """Return the kinds that were left out."""
        return [k for k in ReviewNotice.Kind.values if k not in self.cleaned_data["kinds"]]
