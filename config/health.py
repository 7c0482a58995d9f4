"""Addresses that say whether this process lives and whether it can do its work."""

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

_migrated = False


@never_cache
@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """Answer without touching anything: the process takes requests."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 once the database answers and carries every migration, else 503."""
    problem = _database_problem()
    if problem:
        return JsonResponse({"status": "unavailable", "reasons": [problem]}, status=503)
    return JsonResponse({"status": "ok"})


def _database_problem() -> str:
    try:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute("SELECT 1")
        return "" if _is_migrated() else "Migrations are waiting: run manage.py migrate."
    except DatabaseError:
        return "The database does not answer."


def _is_migrated() -> bool:
    """Say whether no migration waits; a yes is kept, since only new code brings new migrations."""
    global _migrated  # noqa: PLW0603
    if not _migrated:
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated
