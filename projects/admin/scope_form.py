"""The form of a scoping document, and what it holds at this moment, saved or not."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from django import forms

from projects.admin.scope_rows import keep_named_people
from projects.models import ScopingDocument
from projects.services.content import Content, plain_row

if TYPE_CHECKING:
    ScopeModelForm = forms.ModelForm[ScopingDocument]
else:
    ScopeModelForm = forms.ModelForm

READ_VERSION = "read_version"
CHANGED_MEANWHILE = (
    "Somebody else saved this draft while you were editing. What you typed is still here: open "
    "the draft in a second window, carry your changes over, and save there."
)
NO_DRAFT_ANY_MORE = (
    "This version was submitted or withdrawn while you were editing, so nothing was saved. What "
    "you typed is still here: start a new version from it in a second window, and carry your "
    "changes over."
)


class ScopeForm(ScopeModelForm):
    """The scalar fields; carries the version that was read, so that no edit overwrites another."""

    read_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = ScopingDocument
        fields = "__all__"  # the admin's fieldsets name the fields

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keep_named_people(self)
        if self.instance.pk and READ_VERSION in self.fields:
            self.fields[READ_VERSION].initial = self.instance.version_lock

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        if self.instance.pk and not self.instance.is_editable:
            raise forms.ValidationError(NO_DRAFT_ANY_MORE, code="scope_not_draft")
        read = self.cleaned_data.get(READ_VERSION)
        if self.instance.pk and read is not None and read != self.instance.version_lock:
            raise forms.ValidationError(CHANGED_MEANWHILE, code="stale_state")
        return data


class CheckedForm(ScopeForm):
    """A form that is looked at and never saved."""

    def is_valid(self) -> bool:
        super().is_valid()
        return False


class Unreadable(NamedTuple):
    """A row that cannot be judged yet, and why."""

    field: str
    sentence: str


class Typed(NamedTuple):
    """What a form holds: the content that can be read, and the rows that cannot."""

    content: Content
    unreadable: tuple[Unreadable, ...]


def typed_content(form: "forms.ModelForm[Any]", formsets: Iterable[Any]) -> Typed:
    """Return a bound form's content as it would be judged, gaps and all.

    A field that cannot be read counts with the value stored; a row that cannot is left out.
    """
    form.errors  # noqa: B018 - reads every field into the instance
    content = plain_row(form.instance)
    unreadable: list[Unreadable] = []
    for formset in formsets:
        rows = []
        for number, row in enumerate(formset.forms, start=1):
            if not _counts(formset, row):
                continue
            if row.errors:
                unreadable.append(_why_unreadable(formset, number, row))
            else:
                rows.append(plain_row(row.instance))
        content[formset.prefix] = rows
    return Typed(content, tuple(unreadable))


def _counts(formset: Any, row: Any) -> bool:
    is_blank = row.instance.pk is None and not row.has_changed()
    return not is_blank and not formset._should_delete_form(row)  # noqa: SLF001 - Django's hook


def _why_unreadable(formset: Any, number: int, row: Any) -> Unreadable:
    reasons = []
    for name, errors in row.errors.items():
        label = row.fields[name].label if name in row.fields else ""
        reasons.append(f"{label}: {' '.join(errors)}" if label else " ".join(errors))
    kind = cast("Any", formset.model)._meta.verbose_name
    sentence = f"{str(kind).capitalize()} {number} is not counted. {' '.join(reasons)}"
    return Unreadable(formset.prefix, sentence)
