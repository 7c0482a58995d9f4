"""What the REST views of governance share: reading a body and finding what it names."""

from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from projects.api.base import GovernedViewSet
from projects.errors import InvalidInput, NotFound
from projects.models import Project


class GovernanceViewSet(GovernedViewSet):
    """Lists and details, and what the commands beside them need."""

    def read(self, shape: type[Serializer[Any]]) -> dict[str, Any]:
        """Return the body as the serializer reads it; wrong fields are a 400."""
        serializer = shape(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values

    def answer(self, row: Any, *, status: int = 200, shape: Any = None) -> Response:
        """Return a row in the resource's own shape, or in `shape`."""
        serializer = shape or self.get_serializer_class()
        return Response(serializer(row, context=self.get_serializer_context()).data, status=status)

    def visible(self, rows: QuerySet[Any], what: str, **match: Any) -> Any:
        """Return the one visible row that matches.

        Raises:
            NotFound: there is none, or the caller may not know.
        """
        seen: Any = rows
        row: Model | None = seen.visible_to(self.actor).filter(**match).first()
        if row is None:
            raise NotFound(f"There is no {what}, or it is not yours to see.")
        return row

    def project(self, name: str) -> Project:
        """Return the project of this slug or number."""
        match = {"pk": int(name)} if name.isdecimal() else {"slug": name}
        found: Project = self.visible(Project.objects.all(), f"project {name}", **match)
        return found


def person_named(username: str | None) -> User | None:
    """Return the active user of this name, or None where no name was given.

    Raises:
        InvalidInput: code `unknown_person`.
    """
    if not username:
        return None
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise InvalidInput(f"There is nobody called {username!r} here.", code="unknown_person")
    return user
