"""The site's own app configurations."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class CountersignAdminConfig(AdminConfig):
    """Stock admin with the project's own site class."""

    default_site = "config.site.CountersignAdminSite"


class ConfigConfig(AppConfig):
    """Wiring, system checks and management commands."""

    name = "config"

    def ready(self) -> None:
        from config import checks, events  # noqa: F401
