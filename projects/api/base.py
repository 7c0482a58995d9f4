"""What every REST view shares: the actor, and querysets cut to what the actor may see."""

from typing import Any, cast

from django.db.models import QuerySet
from rest_framework import viewsets
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from projects.actors import Actor, person


def actor_of(request: Request) -> Actor:
    """Return who is calling and through which door; anonymous callers are refused."""
    if not request.user.is_authenticated:
        raise NotAuthenticated
    method = getattr(request.successful_authenticator, "countersign_method", "session")
    return person(cast("Any", request.user), method=method)


class GovernedViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    """List and detail of what the caller may see; every command is an explicit extra action.

    The queryset's class must have `visible_to(actor)`, so that lists and details cannot disagree.
    """

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    def get_queryset(self) -> QuerySet[Any]:
        queryset = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return queryset.none()
        return cast("QuerySet[Any]", cast("Any", queryset).visible_to(self.actor))
