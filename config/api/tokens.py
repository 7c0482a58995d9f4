"""REST: a person's own API tokens."""

from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config import tokens
from config.api.authentication import (
    BasicAuthentication,
    KnoxTokenAuthentication,
    SessionAuthentication,
)
from config.models import ApiToken
from projects.api.base import actor_of


class ApiTokenSerializer(serializers.ModelSerializer[ApiToken]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    created_at = serializers.DateTimeField(source="created", read_only=True)
    expires_at = serializers.DateTimeField(source="expiry", read_only=True)

    class Meta:
        model = ApiToken
        fields = ("id", "name", "created_at", "expires_at")
        read_only_fields = fields


class NewTokenSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100)
    days = serializers.IntegerField(
        min_value=1, max_value=settings.API_TOKEN_MAX_DAYS, default=settings.API_TOKEN_DAYS
    )


class CreatedTokenSerializer(ApiTokenSerializer):
    token = serializers.CharField(read_only=True, help_text="The secret; it is never shown again.")

    class Meta:
        model = ApiToken
        fields = (*ApiTokenSerializer.Meta.fields, "token")
        read_only_fields = fields


@extend_schema_view(
    list=extend_schema(description="Your own tokens, without their secrets."),
    retrieve=extend_schema(description="One of your own tokens, without its secret."),
)
class ApiTokenViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ApiToken]
):
    """Make, list and revoke your own tokens; making one needs a session or your password."""

    queryset = ApiToken.objects.all()
    serializer_class = ApiTokenSerializer
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    lookup_value_regex = "[0-9a-f-]{36}"
    authentication_classes = [
        KnoxTokenAuthentication,
        SessionAuthentication,
        BasicAuthentication,
    ]
    ordering_fields = ["created", "expiry"]

    def get_queryset(self) -> QuerySet[ApiToken]:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset().none()
        return super().get_queryset().filter(user_id=actor_of(self.request).user_id)

    @extend_schema(request=NewTokenSerializer, responses={201: CreatedTokenSerializer})
    def create(self, request: Request) -> Response:
        """Make a token; its secret is in this answer and nowhere else."""
        asked = NewTokenSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        actor = actor_of(request)
        token, secret = tokens.create_token(
            cast("User", actor.user), actor=actor, **asked.validated_data
        )
        body = {**ApiTokenSerializer(token).data, "token": secret}
        return Response(body, status=201, headers={"Cache-Control": "no-store"})

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, id: str) -> Response:
        """End the token at once."""
        tokens.revoke_token(self.get_object(), actor=actor_of(request))
        return Response(status=204)
