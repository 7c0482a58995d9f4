"""Projects and the people on them."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest

from projects import access
from projects.actors import Actor
from projects.admin.base import GovernedAdmin, NamedCells, TabularInline
from projects.models import Project, Stakeholder
from projects.services import projects
from projects.web import actor_of

if TYPE_CHECKING:
    StakeholderModelForm = ModelForm[Stakeholder]
else:
    StakeholderModelForm = ModelForm


class StakeholderForm(StakeholderModelForm):
    """One role; who holds which is fixed once given, only its dates may move."""

    class Meta:
        model = Stakeholder
        fields = ("user", "role", "reporting_line", "valid_from", "valid_to")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["user"].disabled = True
            self.fields["role"].disabled = True


class RolesFormSet(NamedCells):
    """Refuses in the form what the command would refuse, so that nothing typed is lost."""

    actor: Actor

    def clean(self) -> None:
        super().clean()
        for form in self.forms:
            user = form.cleaned_data.get("user") if form.has_changed() else None
            if user is not None and user.pk == self.actor.user_id:
                form.add_error("user", "Nobody gives a role to themselves; ask another lead.")


class StakeholderInline(TabularInline):
    """The people on a project; the lead gives roles and ends them."""

    model = Stakeholder
    form = StakeholderForm
    extra = 1
    can_delete = False
    verbose_name_plural = "people (end a role by giving it a last day)"

    def get_formset(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> Any:
        formset = type("RolesOfActor", (RolesFormSet,), {"actor": actor_of(request)})
        return super().get_formset(request, obj, formset=formset, **kwargs)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _may_assign(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _may_assign(request, obj)


@admin.register(Project)
class ProjectAdmin(GovernedAdmin):
    """Projects; created here by whoever may, afterwards only their people change."""

    list_display = ("name", "slug", "tier", "status", "created_by", "created_at")
    list_filter = ("status", "tier")
    list_select_related = ("created_by",)
    search_fields = ("name", "slug")
    fields = ("name", "slug", "summary", "tier")
    prepopulated_fields = {"slug": ("name",)}

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:
        return (StakeholderInline,) if obj else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ("name", "slug", "summary", "tier", "status", "created_by") if obj else ()

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return (*self.fields, "status", "created_by") if obj else self.fields

    def get_prepopulated_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return {} if obj else self.prepopulated_fields

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _may_assign(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Create through the command; a project's own fields do not change afterwards."""
        if change:
            return
        created = projects.create_project(
            actor=actor_of(request),
            slug=obj.slug,
            name=obj.name,
            summary=obj.summary,
            tier=obj.tier,
        )
        obj.pk = created.pk
        obj.refresh_from_db()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        """Give roles through the command."""
        actor = actor_of(request)
        for stakeholder in formset.save(commit=False):
            projects.assign_role(
                cast("Project", form.instance),
                actor=actor,
                user=stakeholder.user,
                role=stakeholder.role,
                terms=projects.RoleTerms(
                    stakeholder.valid_from, stakeholder.valid_to, stakeholder.reporting_line
                ),
            )


@admin.register(Stakeholder)
class StakeholderAdmin(GovernedAdmin):
    """Roles across projects, to look at."""

    list_display = ("user", "role", "reporting_line", "project", "valid_from", "valid_to")
    list_filter = ("role", "project")
    list_select_related = ("user", "project")
    search_fields = ("user__username", "user__first_name", "user__last_name", "project__name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _may_assign(request: HttpRequest, obj: Model | None) -> bool:
    if obj is None:
        return True
    return access.can(actor_of(request), "stakeholder.assign", cast("Project", obj))
