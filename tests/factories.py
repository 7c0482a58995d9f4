"""Rows for tests, written past the services; named people and the actors they are."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import factory
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission, User
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from governance.models import GateReview
from governance.services import page_tokens, policies, statements
from ledger import triggers
from projects.actors import Actor, person, system
from projects.models import Project, ScopingDocument, Sprint, Stakeholder, WorkItem
from projects.services import scoping
from tests.remembering import remembered

PASSWORD = "correct horse"

#: Role by user name: the cast of the demo story.
CAST = {
    "lena": Stakeholder.Role.LEAD,
    "bruno": Stakeholder.Role.BUSINESS_OWNER,
    "dora": Stakeholder.Role.DATA_OWNER,
    "sam": Stakeholder.Role.DATA_SCIENTIST,
    "mia": Stakeholder.Role.ML_ENGINEER,
    "vera": Stakeholder.Role.VALIDATOR,
    "rita": Stakeholder.Role.RISK_OFFICER,
    "axel": Stakeholder.Role.AUDITOR,
}
#: Roles began the day before, so that a test may run over midnight.
A_DAY = timedelta(days=1)


def session_actor(user: User) -> Actor:
    """Return the actor of a user who signed in through the browser."""
    return person(user, method="session")


def scope_content_of(name: str = "term-deposit") -> dict[str, Any]:
    """Return the content of one of the shipped scopes."""
    path = Path(settings.BASE_DIR) / "fixtures" / "scopes" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        django_get_or_create = ("username",)

    username = factory.Sequence(lambda number: f"user{number}")
    first_name = factory.LazyAttribute(lambda user: user.username.capitalize())
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.test")
    password = factory.LazyFunction(lambda: make_password(PASSWORD))
    is_staff = True


def granted(username: str, *permissions: str) -> User:
    """Return a user who holds rights of the instance, such as `publish_policyversion`."""
    user = UserFactory(username=username)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    # Read anew: a user keeps the rights that were asked for before.
    return User.objects.get(pk=user.pk)


class ProjectFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Project

    slug = factory.Sequence(lambda number: f"project-{number}")
    name = factory.LazyAttribute(lambda project: project.slug.replace("-", " ").capitalize())
    created_by = factory.SubFactory(UserFactory)


class StakeholderFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Stakeholder

    project = factory.SubFactory(ProjectFactory)
    user = factory.SubFactory(UserFactory)
    role = Stakeholder.Role.LEAD
    valid_from = factory.LazyFunction(lambda: timezone.now().date() - A_DAY)


class ScopingDocumentFactory(factory.django.DjangoModelFactory):
    """An empty draft; write real ones with `write_scope`."""

    class Meta:
        model = ScopingDocument

    project = factory.SubFactory(ProjectFactory)
    version = factory.Sequence(lambda number: number + 1)
    title = "A draft"
    created_by = factory.SelfAttribute("project.created_by")


class SprintFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Sprint

    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda number: f"Sprint {number}")
    kind = Sprint.Kind.EXPERIMENT
    goal = "Learn which approach ranks best."
    starts_on = factory.LazyFunction(lambda: timezone.now().date())
    ends_on = factory.LazyAttribute(lambda sprint: sprint.starts_on + 14 * A_DAY)
    created_by = factory.SelfAttribute("project.created_by")


class WorkItemFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = WorkItem

    project = factory.SubFactory(ProjectFactory)
    kind = WorkItem.Kind.TASK
    title = factory.Sequence(lambda number: f"Task {number}")
    created_by = factory.SelfAttribute("project.created_by")


def cast_project(**fields: Any) -> Project:
    """Return the project *Term-deposit calls* with the whole cast on it, besides the outsider."""
    lead = UserFactory(username="lena")
    fields = {"slug": "term-deposit-calls", "name": "Term-deposit calls", **fields}
    project = ProjectFactory(created_by=lead, **fields)
    for username, role in CAST.items():
        StakeholderFactory(project=project, user=UserFactory(username=username), role=role)
    return project


@remembered
def install_policies() -> None:
    """Install the policies that `POLICY_DIR` holds, as setting the service up does."""
    with transaction.atomic():
        policies.load_standard_policies(actor=system("setup"))


def write_scope(project: Project, author: User, content: Any = None) -> ScopingDocument:
    """Write a draft through the service, with the balanced content unless told otherwise."""
    return scoping.write_draft(
        project, actor=session_actor(author), content=content or scope_content_of()
    )


def submit_scope(project: Project, author: User, content: Any = None) -> ScopingDocument:
    """Write and submit a scope through the services."""
    draft = write_scope(project, author, content)
    return scoping.submit_scoping_document(draft, actor=session_actor(author))


def edit_past_the_triggers(rows: Any, **values: Any) -> None:
    """Change rows as whoever owns the database could: without the ORM's refusal or the triggers'.

    The checks that PostgreSQL puts off to the end of a transaction come first: it drops no trigger
    of a table for which some wait.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    triggers.drop()
    QuerySet(rows.model).filter(pk__in=rows.values("pk")).update(**values)
    triggers.install()


def page_token_for(review: GateReview, role: str, outcome: str, *, actor: Actor) -> str:
    """Return the token of a page that shows somebody what they are about to sign."""
    digest = statements.since_last_approval(review, role).digest
    return page_tokens.issue(page_tokens.page_of(review, role, outcome, digest, actor=actor))
