"""Each wrong configuration is refused under its own id."""

from types import SimpleNamespace

import pytest
from django.conf import settings

from config import checks


def ids(check, **kwargs):
    return [message.id for message in check(None, **kwargs)]


@pytest.fixture
def sound(monkeypatch):
    """Return settings that pass every check, for a test to spoil."""
    sound = SimpleNamespace(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "OPTIONS": {"transaction_mode": "IMMEDIATE"},
            }
        },
        DEBUG=False,
        DEFAULT_BASE_URL=settings.DEFAULT_BASE_URL,
        BASE_URL="https://countersign.example",
        SESSION_COOKIE_SECURE=True,
        CSRF_COOKIE_SECURE=True,
        SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
        PROXY_HOPS=1,
        Q_CLUSTER=settings.Q_CLUSTER,
        SPRINT_GUARDS=settings.SPRINT_GUARDS,
        TIER_LISTENERS=settings.TIER_LISTENERS,
        SUBJECT_RESOLVERS=settings.SUBJECT_RESOLVERS,
        PORTFOLIO_SOURCES=settings.PORTFOLIO_SOURCES,
        LEDGER_ANCHORS=settings.LEDGER_ANCHORS,
        **{name: getattr(settings, name) for name in checks.FACT_SETTINGS},
    )
    monkeypatch.setattr(checks, "settings", sound)
    return sound


def test_sound_settings_pass(sound):
    for check in (
        checks.sqlite_is_immediate,
        checks.wiring_is_importable,
        checks.queue_retries_after_timeout,
        checks.fit_for_production,
    ):
        assert ids(check) == []


@pytest.mark.parametrize("options", [{}, {"transaction_mode": "DEFERRED"}])
def test_deferred_sqlite_is_refused(sound, options):
    sound.DATABASES["default"]["OPTIONS"] = options
    assert ids(checks.sqlite_is_immediate) == ["countersign.E001"]


def test_postgresql_needs_no_such_option(sound):
    sound.DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql"}}
    assert ids(checks.sqlite_is_immediate) == []


@pytest.mark.parametrize(
    ("setting", "value", "check_id"),
    [
        ("SPRINT_GUARDS", ["governance.nowhere.guard"], "countersign.E002"),
        ("SPRINT_GUARDS", ["no_dots"], "countersign.E002"),
        ("SPRINT_GUARDS", ["config.settings.SECRET_KEY"], "countersign.E002"),
        ("TIER_LISTENERS", ["governance.nowhere.listener"], "countersign.E008"),
        ("SUBJECT_RESOLVERS", {"model_version": "pipeline.subjects.Gone"}, "countersign.E003"),
        ("LEDGER_ANCHORS", ["ledger.anchors.gone"], "countersign.E004"),
        ("RUN_SOURCE", "pipeline.facts.gone", "countersign.E006"),
    ],
)
def test_wiring_that_leads_nowhere_is_refused(sound, setting, value, check_id):
    setattr(sound, setting, value)
    assert ids(checks.wiring_is_importable) == [check_id]


@pytest.mark.parametrize("queue", [{"timeout": 900, "retry": 900}, {"timeout": None}, {}])
def test_a_queue_that_runs_a_task_twice_is_refused(sound, queue):
    sound.Q_CLUSTER = queue
    assert ids(checks.queue_retries_after_timeout) == ["countersign.E005"]


@pytest.mark.parametrize(
    ("setting", "value", "check_id"),
    [
        ("DEBUG", True, "countersign.E010"),
        ("BASE_URL", "http://127.0.0.1:8000", "countersign.E011"),
        ("SESSION_COOKIE_SECURE", False, "countersign.E012"),
        ("CSRF_COOKIE_SECURE", False, "countersign.E012"),
        ("PROXY_HOPS", 0, "countersign.E013"),
    ],
)
def test_what_is_unfit_for_production_is_refused_at_deploy(sound, setting, value, check_id):
    setattr(sound, setting, value)
    assert ids(checks.fit_for_production) == [check_id]
