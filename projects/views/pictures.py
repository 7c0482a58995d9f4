"""Send a chart, drawn once and asked for again only when its numbers changed."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response

if TYPE_CHECKING:
    from projects.charts.pictures import Picture


#: A picture runs nothing and loads nothing, even when its address is opened by itself.
SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
_KEPT_SECONDS = 24 * 60 * 60


def send_svg(request: HttpRequest, key: str, draw: Callable[[], "Picture"]) -> HttpResponse:
    """Answer with the picture; `key` is a text that changes whenever its numbers do."""
    etag = f'"{key}"'
    known = get_conditional_response(request, etag=etag)
    if known is not None:
        return _marked(known, etag)
    svg = cache.get_or_set(f"picture:{key}", lambda: draw().svg, _KEPT_SECONDS)
    return _marked(HttpResponse(svg, content_type="image/svg+xml"), etag)


def _marked(response: HttpResponse, etag: str) -> HttpResponse:
    response["ETag"] = etag
    response["Content-Security-Policy"] = SANDBOX
    response["Cache-Control"] = "private, no-cache"
    return response
