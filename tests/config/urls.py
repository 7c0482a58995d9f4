"""The service's addresses and a few views that fail in every way a view can."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config import urls
from projects import errors

FAILURES = {
    "input": errors.InvalidInput("Send a number.", code="not_a_number"),
    "permission": errors.NotPermitted("Only the lead may.", code="role_missing"),
    "missing": errors.NotFound("No such scope.", code="scope_unknown"),
    "transition": errors.InvalidTransition(
        "It is closed.", details={"status": "closed", "allowed": []}
    ),
    "stale": errors.StaleState("Someone was faster."),
    "rule": errors.RuleViolated("Not ready.", code="scope_not_ready", reasons=["No criterion."]),
    "away": errors.Unavailable("MLflow is away.", code="mlflow_unreachable"),
    "bug": ZeroDivisionError("secret inside"),
    "http404": Http404("which thing"),
    "denied": PermissionDenied("Not you."),
}


class FailingView(APIView):
    permission_classes = ()

    def get(self, request: Request, kind: str) -> Response:
        raise FAILURES[kind]

    def post(self, request: Request, kind: str) -> Response:
        return Response({"got": request.data})


def failing_page(request: HttpRequest, kind: str) -> HttpResponse:
    raise FAILURES[kind]


urlpatterns = [
    path("api/failing/<str:kind>/", FailingView.as_view()),
    path("serve/failing/<str:kind>", failing_page),
    path("failing/<str:kind>/", failing_page),
    *urls.urlpatterns,
]
handler400 = urls.handler400
handler403 = urls.handler403
handler404 = urls.handler404
handler500 = urls.handler500
