"""Commands that begin a draft from something that exists: a template, a version, another scope."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from ledger import services as ledger
from projects import access
from projects.actors import Actor
from projects.errors import NotFound
from projects.models import Project, ScopingDocument, Stakeholder
from projects.rules.scope_copying import portable
from projects.services.content import content_of
from projects.services.scoping import start_from_version, write_draft

__all__ = ["ScopeTemplate", "start_from", "start_from_template", "template_named", "templates"]


@dataclass(frozen=True, slots=True)
class ScopeTemplate:
    """A skeleton of a scope: what to ask for a kind of problem, with placeholders to replace."""

    key: str
    name: str
    summary: str
    content: Mapping[str, Any]


@lru_cache(maxsize=1)
def templates() -> tuple[ScopeTemplate, ...]:
    """Return the shipped templates by name."""
    directory = Path(settings.BASE_DIR) / "fixtures" / "scopes" / "templates"
    found = (
        ScopeTemplate(path.stem, **json.loads(path.read_text(encoding="utf-8")))
        for path in directory.glob("*.json")
    )
    return tuple(sorted(found, key=lambda template: template.name))


def template_named(key: str) -> ScopeTemplate:
    """Return one template.

    Raises:
        NotFound: code `no_such_template`.
    """
    for template in templates():
        if template.key == key:
            return template
    known = ", ".join(template.key for template in templates())
    raise NotFound(
        f"There is no scope template {key!r}; there are {known}.", code="no_such_template"
    )


@transaction.atomic
def start_from_template(
    project: Project, template: ScopeTemplate, *, actor: Actor
) -> ScopingDocument:
    """Write a new draft that begins as a template."""
    draft = write_draft(project, actor=actor, content=template.content)
    _record(draft, f"scope_template:{template.key}", actor=actor)
    return draft


@transaction.atomic
def start_from(project: Project, source: ScopingDocument, *, actor: Actor) -> ScopingDocument:
    """Write a new draft of a project that begins with the content of any scope the actor may see.

    Within a project everything is taken over. Across projects people who are not on the target,
    dates, and what was measured, agreed or granted on the other project stay behind.

    Raises:
        NotFound: the actor is a stranger to one of the two projects.
        NotPermitted: code `role_missing`; the actor may not write scopes of the target.
    """
    access.require(actor, "project.view", source.project)
    if source.project_id == project.pk:
        draft = start_from_version(source, actor=actor)
    else:
        access.require(actor, "scope.write", project)
        content = portable(content_of(source), people=_people_on(project))
        draft = write_draft(project, actor=actor, content=content)
    _record(draft, source.ref, actor=actor)
    return draft


def _people_on(project: Project) -> frozenset[str]:
    held = Stakeholder.objects.current().filter(project=project, user__is_active=True)
    return frozenset(held.values_list("user__username", flat=True))


def _record(draft: ScopingDocument, source: str, *, actor: Actor) -> None:
    ledger.append(
        "scope.copied",
        subject=draft.ref,
        actor=actor,
        data={"project": draft.project.ref, "version": draft.version, "source": source},
    )
