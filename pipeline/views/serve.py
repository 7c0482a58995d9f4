"""The scoring address: MLflow's protocol in, scores with their decision out."""

import json
import logging
from collections.abc import Callable
from functools import wraps

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from pipeline.gateway.authentication import BadCredentials, authenticated_actor
from pipeline.models import Deployment
from pipeline.services import scoring, serving
from projects.actors import Actor
from projects.errors import DomainError
from projects.problems import Problem, of_domain_error, respond

logger = logging.getLogger(__name__)

View = Callable[[HttpRequest, Deployment, Actor], HttpResponse]


def scoring_address(view: View) -> Callable[[HttpRequest, str], HttpResponse]:
    """Authenticate, find the deployment, and tell every refusal as a problem document.

    The session is safe without a CSRF token: changes sent by foreign pages are refused by origin.
    """

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, slug: str) -> HttpResponse:
        try:
            return _answer(view, request, slug)
        except BadCredentials:
            return _unauthenticated("The credentials that were sent are not valid.")
        except RequestDataTooBig:
            sentence = "The request is too large; send fewer rows at a time."
            return respond(Problem(413, "body_too_large", sentence))
        except DomainError as error:
            return respond(of_domain_error(error))
        except Exception:
            logger.exception("Scoring at %s failed.", slug)
            sentence = "The model could not answer; the log has the details."
            return respond(Problem(500, "model_failed", sentence))

    return guarded


def _answer(view: View, request: HttpRequest, slug: str) -> HttpResponse:
    actor = authenticated_actor(request)
    if actor is None:
        return _unauthenticated("Send an API token as `Authorization: Bearer <token>`.")
    if request.method != "POST":
        answer = respond(Problem(405, "method_not_allowed", "Send a POST request."))
        answer["Allow"] = "POST"
        return answer
    return view(request, serving.find_deployment(slug, actor=actor), actor)


def _unauthenticated(sentence: str) -> HttpResponse:
    answer = respond(Problem(401, "not_authenticated", sentence))
    answer["WWW-Authenticate"] = 'Bearer realm="countersign"'
    return answer


@scoring_address
def invocations(request: HttpRequest, deployment: Deployment, actor: Actor) -> HttpResponse:
    """Score the rows of one request."""
    payload = scoring.parse_body(request.body)
    answer = serving.score(deployment, payload, actor=actor)
    response = HttpResponse(json.dumps(answer.as_json()), content_type="application/json")
    found = answer.serving
    response["X-Countersign-Version"] = f"{found.version.model.name}/{found.version.number}"
    response["X-Countersign-Decision"] = found.promotion.review.ref
    response["X-Countersign-Digest"] = found.promotion.files_digest
    return response


@scoring_address
def labels(request: HttpRequest, deployment: Deployment, actor: Actor) -> HttpResponse:
    """Record labels that arrived late."""
    payload = scoring.parse_body(request.body)
    report = serving.record_labels(deployment, payload.get("labels", {}), actor=actor)
    return JsonResponse({"labelled": report.recorded, "unknown": report.unknown})
