"""Where the guard runs: inside Countersign's web process, or inside somebody's `mlflow server`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

SCHEME = "countersign+"
ARTIFACT_SCHEME = "countersign-file"

_state = {"stand_alone": False}


def ensure_django() -> None:
    """Set Django up when MLflow loaded the guard without Countersign around it."""
    from django.apps import apps

    if apps.ready:
        return
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    _state["stand_alone"] = True
    django.setup()


def is_stand_alone() -> bool:
    """Tell whether a stand-alone MLflow server carries the guard."""
    return _state["stand_alone"]


@contextmanager
def fresh_connections() -> Iterator[None]:
    """Drop dead Django connections around a call, where no Django request does so."""
    if not is_stand_alone():
        yield
        return
    from django.db import close_old_connections

    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()


def database_uri(store_uri: str) -> str:
    """Return the store's address as SQLAlchemy spells it, without our scheme."""
    return store_uri.removeprefix(SCHEME)
