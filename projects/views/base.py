"""What every page of this app shares."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.contrib.auth.decorators import login_required
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from projects import errors
from projects.actors import Actor
from projects.web import actor_of

Rest = ParamSpec("Rest")
Row = TypeVar("Row", bound=Model)


def page(
    view: Callable[Concatenate[HttpRequest, Actor, Rest], HttpResponse],
) -> Callable[Concatenate[HttpRequest, Rest], HttpResponse]:
    """Give a view the person who is signed in; what the person may not know of is a 404."""

    @wraps(view)
    def signed_in(request: HttpRequest, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        try:
            return view(request, actor_of(request), *args, **kwargs)
        except errors.NotFound as error:
            raise Http404(error.message) from error

    return cast("Callable[Concatenate[HttpRequest, Rest], HttpResponse]", login_required(signed_in))


def visible_or_404(rows: "QuerySet[Row]", actor: Actor, **match: Any) -> Row:
    """Return the one row that matches, if the actor may see it."""
    return cast("Row", get_object_or_404(cast("Any", rows).visible_to(actor), **match))


def whole_number(text: str) -> int | None:
    """Return the number that an address or a form holds, or None if it holds none."""
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else None
