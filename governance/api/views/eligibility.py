"""Who could sign a review that nobody has requested yet."""

from collections.abc import Sequence
from dataclasses import replace

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api import inputs
from governance.api import serializers as shapes
from governance.services.eligibility import look_ahead, of_person
from governance.services.reviews import ReviewRequest
from governance.services.signers import Eligibility
from projects.api.base import actor_of
from projects.errors import NotFound
from projects.models import Project


class OutlookView(APIView):
    """For requesters: see who may sign before asking."""

    @extend_schema(parameters=[inputs.OutlookQuery], responses=shapes.OutlookSerializer)
    def get(self, request: Request, gate: str) -> Response:
        """Say who could sign if the caller requested this review now, and which roles lack."""
        query = inputs.OutlookQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        values = query.validated_data
        actor = actor_of(request)
        match = {"pk": values["project"]} if values["project"].isdecimal() else {}
        seen = Project.objects.visible_to(actor)
        project = seen.filter(**(match or {"slug": values["project"]})).first()
        if project is None:
            raise NotFound(f"There is no project {values['project']}, or it is not yours to see.")
        wanted = ReviewRequest(gate, project, values["subject_kind"], values["subject_ref"])
        outlook = look_ahead(wanted, actor=actor)
        people = chosen(outlook.people, user=values["user"], everybody=values["everybody"])
        return Response(shapes.OutlookSerializer(replace(outlook, people=people)).data)


def chosen(entries: Sequence[Eligibility], *, user: str, everybody: bool) -> list[Eligibility]:
    """Return what is said of one person, of everybody, or of those whom the gate asks."""
    if user:
        return of_person(entries, user)
    return [entry for entry in entries if everybody or entry.is_asked]
