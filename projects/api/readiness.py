"""Readiness of a scoping document as REST answers it."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from projects import facts
from projects.models import ScopingDocument
from projects.rules.scoping import Gauge, Readiness, SectionScore
from projects.services import scoping


class LinkedSerializer(serializers.Serializer[Any]):
    """Something said about a field, with the link to it in the admin's form."""

    field = serializers.CharField(help_text="Field or row list of the document.")
    link = serializers.SerializerMethodField(help_text="The field in the form, from the root.")

    def get_link(self, item: Any) -> str:
        """Return where the field is filled in."""
        return f"{self.context['form']}#{item.field}"


class BlockerSerializer(LinkedSerializer):
    code = serializers.CharField()
    sentence = serializers.CharField()


class LostPointsSerializer(LinkedSerializer):
    section = serializers.CharField()
    points = serializers.FloatField()
    reason = serializers.CharField()


class SignSerializer(LinkedSerializer):
    rule = serializers.CharField()
    points = serializers.IntegerField()
    reason = serializers.CharField()


class GaugeSerializer(serializers.Serializer[Gauge]):
    score = serializers.IntegerField()
    signs = SignSerializer(many=True)


class SectionScoreSerializer(serializers.Serializer[SectionScore]):
    key = serializers.CharField()
    title = serializers.CharField()
    earned = serializers.FloatField()
    points = serializers.FloatField()
    lost = LostPointsSerializer(many=True)


class TierVerdictSerializer(serializers.Serializer[Any]):
    answers = serializers.DictField(child=serializers.IntegerField(allow_null=True))
    computed = serializers.CharField(help_text="Empty while a question is not answered.")
    chosen = serializers.CharField(help_text="The tier that counts.")
    reason = serializers.CharField()
    is_overridden = serializers.BooleanField()


class PhaseEstimateSerializer(serializers.Serializer[Any]):
    phase = serializers.CharField()
    expected_days = serializers.FloatField()
    deviation_days = serializers.FloatField()


class EstimateVerdictSerializer(serializers.Serializer[Any]):
    phases = PhaseEstimateSerializer(many=True)
    expected_days = serializers.FloatField()
    deviation_days = serializers.FloatField()
    p80_days = serializers.FloatField()
    multiplier = serializers.FloatField(
        allow_null=True, help_text="Median of actual by estimated effort of closed projects."
    )
    adjusted_days = serializers.FloatField(allow_null=True)
    sentence = serializers.CharField()


class MoneyVerdictSerializer(serializers.Serializer[Any]):
    build = serializers.FloatField(allow_null=True)
    annual_cost = serializers.FloatField(allow_null=True)
    annual_benefit = serializers.FloatField(allow_null=True)
    payback_years = serializers.FloatField(allow_null=True)
    three_year_net = serializers.FloatField(allow_null=True)
    sentence = serializers.CharField()


class SignerFactSerializer(serializers.Serializer[Any]):
    gate = serializers.CharField()
    title = serializers.CharField()
    role = serializers.CharField()
    sentence = serializers.CharField()


class ReadinessSerializer(serializers.Serializer[Readiness]):
    score = serializers.IntegerField()
    threshold = serializers.IntegerField()
    is_submittable = serializers.BooleanField()
    policy_version = serializers.IntegerField()
    policy_digest = serializers.CharField()
    blockers = BlockerSerializer(many=True)
    lost = LostPointsSerializer(many=True)
    sections = SectionScoreSerializer(many=True)
    under_scoped = GaugeSerializer()
    over_scoped = GaugeSerializer()
    tier = TierVerdictSerializer()
    estimate = EstimateVerdictSerializer()
    money = MoneyVerdictSerializer()
    signers_lacking = serializers.SerializerMethodField(
        help_text="Roles that gates of the policy ask for and nobody independent holds."
    )

    @extend_schema_field(SignerFactSerializer(many=True))
    def get_signers_lacking(self, readiness: Readiness) -> Any:
        """Return the roles without a signer, gate by gate."""
        return SignerFactSerializer(self.context["lacking"], many=True).data


class ReadinessMixin:
    """The readiness of a scoping document as an action of its resource."""

    @extend_schema(responses=ReadinessSerializer)
    @action(detail=True)
    def readiness(self: Any, request: Request, pk: str) -> Response:
        """Say what the document scores, what blocks it, which way it leans, and what it takes."""
        document: ScopingDocument = self.get_object()
        form = reverse("admin:projects_scopingdocument_change", args=[document.pk])
        context = {"form": form, "lacking": facts.signers_lacking(document)}
        answer = ReadinessSerializer(scoping.assess(document), context=context)
        return Response(answer.data)
