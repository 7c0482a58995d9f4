"""System checks that refuse a wrong or incomplete configuration before anything runs on it."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.utils.module_loading import import_string

from governance.services.check_registry import GROUP, gathered
from projects.services.readiness import readiness_policy

Apps = Sequence[AppConfig] | None


@register()
def sqlite_is_immediate(app_configs: Apps, **_: Any) -> list[CheckMessage]:
    """Refuse SQLite connections whose transactions do not take the write lock at once."""
    return [
        Error(
            f"SQLite database {alias!r} does not use transaction_mode IMMEDIATE.",
            hint="Deferred writers fail with 'database is locked' in mid-transaction; set "
            "DATABASES[...]['OPTIONS']['transaction_mode'] = 'IMMEDIATE'.",
            id="countersign.E001",
        )
        for alias, database in settings.DATABASES.items()
        if database["ENGINE"].endswith("sqlite3")
        and database.get("OPTIONS", {}).get("transaction_mode") != "IMMEDIATE"
    ]


FACT_SETTINGS = (
    "RUN_SOURCE", "RUN_REFRESHER", "RUN_TIER", "RUN_UNTIER", "GATE_SOURCE", "FINDING_SOURCE",
    "DEPLOYMENT_SOURCE", "SURVIVAL_SOURCE", "SIGNER_SOURCE",
)  # fmt: skip


@register()
def wiring_is_importable(app_configs: Apps, **_: Any) -> list[CheckMessage]:
    """Refuse a dotted path that leads nowhere: a guard that is missing would guard nothing."""
    return [
        *_unimportable("SPRINT_GUARDS", settings.SPRINT_GUARDS, "countersign.E002"),
        *_unimportable("TIER_LISTENERS", settings.TIER_LISTENERS, "countersign.E008"),
        *_unimportable(
            "SUBJECT_RESOLVERS", settings.SUBJECT_RESOLVERS.values(), "countersign.E003"
        ),
        *_unimportable("LEDGER_ANCHORS", settings.LEDGER_ANCHORS, "countersign.E004"),
        *(
            found
            for name in FACT_SETTINGS
            for found in _unimportable(name, [getattr(settings, name)], "countersign.E006")
        ),
        *_unimportable(
            "PORTFOLIO_SOURCES", settings.PORTFOLIO_SOURCES.values(), "countersign.E006"
        ),
    ]


@register()
def readiness_policy_is_whole(app_configs: Apps, **_: Any) -> list[CheckMessage]:
    """Refuse a readiness policy that would fail when the first document is judged."""
    try:
        readiness_policy()
    except (OSError, ValueError) as error:
        hint = "Correct the file in READINESS_POLICY_DIR."
        return [Error(str(error), hint=hint, id="countersign.E007")]
    return []


@register()
def checks_of_packages_load(app_configs: Apps, **_: Any) -> list[CheckMessage]:
    """Refuse an installed package whose checks cannot be used: policies would block on them."""
    return [
        Error(
            f"{problem}.",
            hint=f"Repair or remove the package; its entry point is in the group {GROUP}.",
            id="countersign.E009",
        )
        for problem in gathered().problems
    ]


@register()
def queue_retries_after_timeout(app_configs: Apps, **_: Any) -> list[CheckMessage]:
    """Refuse a queue that hands out a task again while its first copy may still run."""
    timeout, retry = settings.Q_CLUSTER.get("timeout"), settings.Q_CLUSTER.get("retry", 60)
    if timeout is not None and retry > timeout:
        return []
    return [
        Error(
            f"Q_CLUSTER retry ({retry}) is not above its timeout ({timeout}).",
            hint="A second worker would start a task that the first one still runs.",
            id="countersign.E005",
        )
    ]


@register(Tags.security, deploy=True)
def fit_for_production(app_configs: Apps, **_: Any) -> list[CheckMessage]:
    """Refuse what is fine on one's own machine and wrong for a service that others reach."""
    wrong = {
        "countersign.E010": (settings.DEBUG, "DEBUG is on.", "Unset the variable DEBUG."),
        "countersign.E011": (
            settings.BASE_URL == settings.DEFAULT_BASE_URL,
            "BASE_URL is the default; links in refusals would lead readers to their own machine.",
            "Set BASE_URL to the address under which people reach the service.",
        ),
        "countersign.E012": (
            not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE),
            "Session and CSRF cookies travel over plain HTTP.",
            "Set SECURE_COOKIES=true and serve over HTTPS.",
        ),
        "countersign.E013": (
            bool(getattr(settings, "SECURE_PROXY_SSL_HEADER", None)) and settings.PROXY_HOPS < 1,
            "A proxy stands in front, and every signature would be recorded with its address.",
            "Set PROXY_HOPS to the number of proxies that add to X-Forwarded-For.",
        ),
    }
    return [
        Error(text, hint=hint, id=key) for key, (is_wrong, text, hint) in wrong.items() if is_wrong
    ]


def _unimportable(setting: str, paths: Iterable[str], check_id: str) -> list[CheckMessage]:
    return [
        Error(f"{setting} names {path!r}: {problem}.", hint="Correct the path.", id=check_id)
        for path in paths
        if (problem := _import_problem(path))
    ]


def _import_problem(path: str) -> str:
    try:
        found = import_string(path)
    except ImportError as error:
        return str(error)
    return "" if callable(found) else "it cannot be called"
