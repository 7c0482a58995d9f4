"""The group through which people on projects may open the admin.

Django's permissions only say that somebody may open a list at all; which rows they see and what
they may do there is decided by their roles. Filled after every migrate, app by app.
"""

from typing import Any

from django.apps import AppConfig

#: Members are added by `projects.services.projects.assign_role`.
STAKEHOLDERS_GROUP = "Stakeholders"
#: Apps whose rows are cut to a person's projects, so that anybody may open their lists. The ledger
#: is not: it tells everything about every project, and an administrator grants it by name.
BROWSABLE_APPS = frozenset({"projects", "governance", "pipeline"})
WRITABLE = frozenset(
    {
        "add_scopingdocument",
        "change_scopingdocument",
        "add_stakeholder",
        "change_stakeholder",
        "change_project",
    }
)


def fill_group(*, app_config: AppConfig, using: str, **_kwargs: Any) -> None:
    """Grant the group what its members need in one app; runs again after every migrate."""
    if app_config.label not in BROWSABLE_APPS:
        return
    from django.contrib.auth.models import Group, Permission

    group, _ = Group.objects.using(using).get_or_create(name=STAKEHOLDERS_GROUP)
    own = Permission.objects.using(using).filter(content_type__app_label=app_config.label)
    names = {name for name in own.values_list("codename", flat=True) if name.startswith("view_")}
    if app_config.label == "projects":
        names |= WRITABLE | _rows_of_scopes()
    group.permissions.add(*own.filter(codename__in=names))


def _rows_of_scopes() -> frozenset[str]:
    from projects.models.scope_rows import ScopeRow

    rows = [model._meta.model_name for model in ScopeRow.__subclasses__()]
    return frozenset(f"{verb}_{row}" for verb in ("add", "change", "delete") for row in rows)
