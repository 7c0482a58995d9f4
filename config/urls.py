"""Every address of the service."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

import config.api.schema  # noqa: F401 - describes our ways to authenticate to OpenAPI
from config import health
from config.api.router import ApiRouter
from config.api.tokens import ApiTokenViewSet
from governance.api import urls as governance_api
from ledger.api import urls as ledger_api
from pipeline.api import urls as pipeline_api
from projects.api import urls as projects_api

router = ApiRouter()
router.register("tokens", ApiTokenViewSet, basename="api-token")
for app in (projects_api, governance_api, pipeline_api, ledger_api):
    router.registry.extend(app.router.registry)

urlpatterns = [
    path("", RedirectView.as_view(url="/inbox/"), name="home"),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(), name="api-docs"),
    path("api/v1/", include(governance_api.urlpatterns)),
    path("api/v1/", include(router.urls)),
    path("mlflow/", include("pipeline.gateway.urls")),
    path("", include("projects.urls")),
    path("", include("governance.urls")),
    path("", include("pipeline.urls")),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
