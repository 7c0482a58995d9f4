"""The reader's portfolio as REST answers it."""

from typing import Any, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from projects.api.base import actor_of
from projects.models import Project
from projects.rules.phases import PHASES
from projects.rules.portfolio import HEALTH
from projects.services.portfolio import SORTS, PortfolioRow, Wanted, portfolio_of


class AppointmentSerializer(serializers.Serializer[Any]):
    on = serializers.DateField()
    what = serializers.CharField()


class PortfolioRowSerializer(serializers.Serializer[PortfolioRow]):
    project = serializers.IntegerField(source="project.pk")
    slug = serializers.CharField(source="project.slug")
    name = serializers.CharField(source="project.name")
    status = serializers.CharField(source="project.status")
    tier = serializers.CharField(source="project.tier")
    phase = serializers.ChoiceField(choices=PHASES)
    scope = serializers.IntegerField(source="scope.pk", default=None, allow_null=True)
    net_benefit = serializers.DecimalField(
        max_digits=14, decimal_places=2, allow_null=True, help_text="Of a year, after its costs."
    )
    currency = serializers.CharField()
    risk = serializers.IntegerField(allow_null=True, help_text="The highest open risk score.")
    health = serializers.ChoiceField(choices=HEALTH, source="health.state")
    health_reasons = serializers.ListField(child=serializers.CharField(), source="health.reasons")
    overdue = AppointmentSerializer(many=True)
    next = AppointmentSerializer(allow_null=True)
    open_reviews = serializers.IntegerField()
    waivers = serializers.IntegerField(help_text="Waivers that hold now.")


class PortfolioQuerySerializer(serializers.Serializer[Any]):
    """What a caller may ask for; a word that is not among the choices is refused."""

    phase = serializers.ChoiceField(choices=PHASES, required=False)
    tier = serializers.ChoiceField(choices=Project.Tier.choices, required=False)
    health = serializers.ChoiceField(choices=HEALTH, required=False)
    text = serializers.CharField(required=False, max_length=100)
    sort = serializers.ChoiceField(choices=tuple(SORTS.items()), required=False)


class PortfolioViewSet(viewsets.ViewSet):
    @extend_schema(
        parameters=[PortfolioQuerySerializer],
        responses=PortfolioRowSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        """List the caller's projects with phase, value, risk, health and what is late."""
        query = PortfolioQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted = Wanted(**cast("dict[str, Any]", query.validated_data))
        rows = portfolio_of(actor_of(request), today=timezone.now().date(), wanted=wanted)
        return Response(PortfolioRowSerializer(cast("Any", rows), many=True).data)
