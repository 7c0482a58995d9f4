"""Policies: read published versions, write drafts, publish them by command."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from governance.admin.base import ReadOnlyAdmin, ReadOnlyInline
from governance.models import Environment, Policy, PolicyVersion
from governance.services import policies, policy_drafts
from governance.services.policy_discarding import may_discard
from projects.web import actor_of

CHANGED_MEANWHILE = (
    "Somebody else saved this draft while you were editing. What you typed is still here: open "
    "the draft in a second window, carry your changes over, and save there."
)
_SHOWN_PROBLEMS = 5

if TYPE_CHECKING:
    PolicyVersionModelForm = forms.ModelForm[PolicyVersion]
else:
    PolicyVersionModelForm = forms.ModelForm


class PolicyVersionForm(PolicyVersionModelForm):
    """A draft's text, kept with whatever is wrong in it, and the version that was read."""

    # The digest is of the text as it stands, so nothing is stripped from its ends.
    text = forms.CharField(
        strip=False,
        max_length=policy_drafts.LONGEST_TEXT,
        widget=forms.Textarea(
            attrs={"rows": 40, "cols": 110, "class": "code", "spellcheck": "false"}
        ),
    )
    read_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = PolicyVersion
        fields = ["policy", "text", "note"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "read_version" in self.fields:
            self.fields["read_version"].initial = self.instance.version_lock

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        read = self.cleaned_data.get("read_version")
        if self.instance.pk and read != self.instance.version_lock:
            raise forms.ValidationError(CHANGED_MEANWHILE, code="stale_state")
        return data


class PolicyVersionInline(ReadOnlyInline):
    """The versions of a policy."""

    model = PolicyVersion
    fields = ["number", "status", "digest", "created_by", "published_at"]
    readonly_fields = ["number", "status", "digest", "created_by", "published_at"]


@admin.register(Policy)
class PolicyAdmin(ReadOnlyAdmin):
    """Named sets of gates."""

    list_display = ["title", "name"]
    search_fields = ["name", "title"]
    inlines = [PolicyVersionInline]


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ReadOnlyAdmin):
    """Texts of policies; drafts are edited here, and a published one never changes."""

    form = PolicyVersionForm
    list_display = ["__str__", "policy", "number", "status", "created_by", "published_at"]
    list_filter = ["status", "policy"]
    list_select_related = ["policy", "created_by"]
    search_fields = ["policy__name", "text", "digest"]
    date_hierarchy = "created_at"
    autocomplete_fields = ["policy"]
    readonly_fields = ["number", "status", "digest", "created_by", "created_at", "published_at"]
    change_form_template = "admin/governance/policyversion/change_form.html"

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        written = ["policy", "text", "note"]
        if obj is None:
            return written
        read = ["read_version"] if self.has_change_permission(request, obj) else []
        return [*written, *read, *self.readonly_fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [*(["policy"] if obj else []), *self.readonly_fields]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("governance.add_policyversion"))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_draft = isinstance(obj, PolicyVersion) and obj.status == PolicyVersion.Status.DRAFT
        return is_draft and self.has_add_permission(request)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        drafts = PolicyVersion.objects.filter(status=PolicyVersion.Status.DRAFT)
        found = drafts.filter(pk=object_id).first() if object_id.isdecimal() else None
        more = {"may_discard": found is not None and may_discard(found, actor_of(request))}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Write or edit the draft through its command, and say what is wrong with it."""
        actor, typed = actor_of(request), form.cleaned_data
        if change:
            stored = PolicyVersion.objects.select_related("policy").get(pk=obj.pk)
            written = policies.edit_draft(
                stored, text=typed["text"], note=typed["note"], actor=actor,
                read_version=typed["read_version"],
            )  # fmt: skip
        else:
            written = policies.write_draft(
                obj.policy.name, title=obj.policy.title, text=typed["text"], note=typed["note"],
                actor=actor,
            )  # fmt: skip
        obj.pk, obj.number = written.pk, written.number
        for problem in policies.standing_of(written).problems[:_SHOWN_PROBLEMS]:
            messages.warning(request, problem.sentence)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """Leave related rows alone: the command wrote who the editors are."""


@admin.register(Environment)
class EnvironmentAdmin(ReadOnlyAdmin):
    """Environments come from the published policy."""

    list_display = ["name", "alias", "gate", "mode", "rank"]
    list_filter = ["mode"]
    search_fields = ["name", "alias"]
