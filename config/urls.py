"""Every address of the service."""

from importlib import import_module
from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config import health
from config.api.router import ApiRouter
from config.api.tokens import ApiTokenViewSet

APPS = ("projects", "governance", "pipeline", "ledger")

router = ApiRouter()
router.register("tokens", ApiTokenViewSet, basename="api-token")
api_patterns: list[URLPattern | URLResolver] = []
page_patterns: list[URLPattern | URLResolver] = []
for app in APPS:
    if find_spec(f"{app}.api") and find_spec(f"{app}.api.urls"):
        module = import_module(f"{app}.api.urls")
        router.registry.extend(module.router.registry)
        api_patterns += getattr(module, "urlpatterns", [])
    if find_spec(f"{app}.urls"):
        page_patterns.append(path("", include(f"{app}.urls")))

urlpatterns = [
    path("", RedirectView.as_view(url="/inbox/"), name="home"),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("mlflow/", include("pipeline.gateway.urls")),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(), name="api-docs"),
    path("api/v1/", include(api_patterns)),
    path("api/v1/", include(router.urls)),
    *page_patterns,
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
