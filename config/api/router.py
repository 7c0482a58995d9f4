"""One router for the resources of every app, so that the API root lists them all."""

from rest_framework.routers import DefaultRouter


class ApiRouter(DefaultRouter):
    """DRF's router without the `.json` twins of every address."""

    include_format_suffixes = False
