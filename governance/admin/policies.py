"""Policies: read published versions, write drafts, publish them by command."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from governance.admin.base import ReadOnlyAdmin, ReadOnlyInline
from governance.models import Environment, Policy, PolicyVersion
from governance.services import policies
from projects.errors import InvalidInput
from projects.web import actor_of, attempt

if TYPE_CHECKING:
    PolicyVersionModelForm = forms.ModelForm[PolicyVersion]
else:
    PolicyVersionModelForm = forms.ModelForm


class PolicyVersionForm(PolicyVersionModelForm):
    """A policy's text, refused with the key and the line of everything that is wrong with it."""

    # The digest is of the text as it stands, so nothing is stripped from its ends.
    text = forms.CharField(
        strip=False, widget=forms.Textarea(attrs={"rows": 40, "cols": 110, "class": "code"})
    )

    class Meta:
        model = PolicyVersion
        fields = ["policy", "text"]

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"].replace("\r\n", "\n")
        try:
            rules = policies.parse_text(text)
        except InvalidInput as error:
            problems = error.details.get("problems") or [{"message": error.message}]
            raise forms.ValidationError([_sentence(problem) for problem in problems]) from error
        policy = self.cleaned_data.get("policy") or getattr(self.instance, "policy", None)
        if policy is not None and rules.name != policy.name:
            raise forms.ValidationError(
                f"The text says `name: {rules.name}`; it must be {policy.name}."
            )
        return text


def _sentence(problem: dict[str, Any]) -> str:
    where = ", ".join(
        part
        for part in (f"line {problem['line']}" if problem.get("line") else "", problem.get("path"))
        if part
    )
    return f"{where}: {problem['message']}." if where else str(problem["message"])


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
    """Texts of policies; saving writes the next version, and a published one never changes."""

    form = PolicyVersionForm
    list_display = ["__str__", "policy", "number", "status", "created_by", "published_at"]
    list_filter = ["status", "policy"]
    list_select_related = ["policy", "created_by"]
    search_fields = ["policy__name", "text", "digest"]
    date_hierarchy = "created_at"
    autocomplete_fields = ["policy"]
    readonly_fields = ["number", "status", "digest", "created_by", "created_at", "published_at"]
    actions = ["publish"]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ["policy", "text", *(self.readonly_fields if obj else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [*(["policy"] if obj else []), *self.readonly_fields]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("governance.add_policyversion"))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_draft = isinstance(obj, PolicyVersion) and obj.status == PolicyVersion.Status.DRAFT
        return is_draft and self.has_add_permission(request)

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("governance.publish_policyversion"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Write the text as the policy's next version; the draft it came from stays."""
        written = policies.install_policy(
            obj.policy.name,
            title=obj.policy.title,
            text=form.cleaned_data["text"],
            actor=actor_of(request),
        )
        obj.pk, obj.number = written.pk, written.number

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        messages.success(request, f"Written as {obj.policy.name} v{obj.number}, a draft.")
        return redirect(reverse("admin:governance_policyversion_change", args=[obj.pk]))

    @admin.action(description="Publish the selected draft", permissions=["publish"])
    def publish(self, request: HttpRequest, queryset: QuerySet[PolicyVersion]) -> None:
        """Publish one draft through its command."""
        chosen = list(queryset.select_related("policy")[:2])
        if len(chosen) != 1:
            messages.error(request, "Choose exactly one draft to publish.")
            return
        version, actor = chosen[0], actor_of(request)
        attempt(
            request,
            lambda: policies.publish_policy_version(version, actor=actor),
            done=f"{version} is published.",
        )


@admin.register(Environment)
class EnvironmentAdmin(ReadOnlyAdmin):
    """Environments come from the published policy."""

    list_display = ["name", "alias", "gate", "mode", "rank"]
    list_filter = ["mode"]
    search_fields = ["name", "alias"]
