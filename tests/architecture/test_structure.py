"""The shape of the code: layers, sizes, tables and names that must agree with each other."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models
from django.utils.module_loading import import_string

from ledger import registry
from pipeline.schedules import SCHEDULES

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("config", "ledger", "projects", "governance", "pipeline")
MAX_MODULE_LINES = 500
MAX_FUNCTION_LINES = 50
# Imported by jobs, charts and the gateway's first request; a web process starts without them.
HEAVY = ("mlflow", "sklearn", "pandas", "matplotlib", "scipy", "skops")


def sources() -> list[Path]:
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return sorted(path for path in found if "migrations" not in path.parts)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text())
    return (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_imports_point_one_way():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_no_module_is_too_long():
    lengths = {named(path): len(path.read_text().splitlines()) for path in sources()}
    assert {name: length for name, length in lengths.items() if length > MAX_MODULE_LINES} == {}


def test_no_function_is_too_long():
    long = {
        f"{named(path)}:{function.lineno} {function.name}"
        for path in sources()
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno >= MAX_FUNCTION_LINES
    }
    assert long == set()


@pytest.mark.slow
def test_the_web_process_starts_without_heavy_imports():
    code = "import sys, config.wsgi, config.urls; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded & set(HEAVY) == set()


# --- States ---------------------------------------------------------------------------------------


def tables() -> dict[str, dict[str, frozenset[str]]]:
    """Return every transition table of every app's rules, by name."""
    found = {}
    for package in ("projects", "governance", "pipeline"):
        rules = importlib.import_module(f"{package}.rules")
        for module_info in pkgutil.walk_packages(rules.__path__, f"{package}.rules."):
            module = importlib.import_module(module_info.name)
            for name, value in vars(module).items():
                if name.endswith("_TRANSITIONS"):
                    found[f"{package}.{name}"] = value
    return found


def governed_statuses() -> dict[str, set[str]]:
    """Return the statuses of every model that has a closed set of them."""
    return {
        model._meta.label: {value for value, _ in field.choices}
        for model in apps.get_models()
        if model._meta.app_label in PACKAGES
        for field in model._meta.fields
        if field.name == "status" and isinstance(field, models.CharField) and field.choices
    }


def test_there_are_tables_to_look_at():
    assert len(tables()) >= 8


@pytest.mark.parametrize("name", sorted(tables()))
def test_a_transition_table_is_total_over_the_statuses_of_a_model(name):
    table = tables()[name]
    targets = set().union(*table.values())
    assert targets <= set(table), "an arrow leads to a status without arrows of its own"
    assert set(table) in governed_statuses().values()


# A project's status is not moved by any command yet.
def test_every_status_is_moved_along_a_table():
    keys = [set(table) for table in tables().values()]
    loose = {label for label, statuses in governed_statuses().items() if statuses not in keys}
    assert loose == set()


# --- Names that must exist ------------------------------------------------------------------------


def event_literals() -> set[str]:
    """Return every string in the code outside the `events.py` that declare them."""
    return {
        node.value
        for path in sources()
        if path.name != "events.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_registered_event_is_recorded_somewhere():
    literals = event_literals()
    declarations = [path.read_text() for path in sources() if path.name == "events.py"]
    # `f"promotion.{status}"` leaves its beginning as a literal.
    begun = tuple(text for text in literals if text.endswith(".") and " " not in text)
    # Tests register events of their own; these are the service's.
    declared = {
        event.name
        for event in registry.all_events()
        if any(f'"{event.name}"' in text for text in declarations)
    }
    unused = {name for name in declared - literals if not name.startswith(begun)}
    assert len(declared) > 20
    assert unused == set()


def test_periodic_tasks_can_be_imported():
    for periodic in SCHEDULES.values():
        assert callable(import_string(periodic.task))


def test_queued_tasks_can_be_imported():
    # Services queue by dotted name, because they may not import the layer above them.
    queued = {text for text in event_literals() if text.startswith("pipeline.tasks.")}
    assert queued
    for path in queued:
        assert callable(import_string(path))


# --- Commands -------------------------------------------------------------------------------------


def records(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Say whether a function itself writes to the ledger for a caller.

    What a part of the system does by itself, such as the loader's refusal of changed files, names
    that part by a constant and so has no caller to be told of.
    """
    return any(
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "append"
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in {"ledger", "record"}
        and not any(_is_constant_actor(keyword) for keyword in call.keywords)
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
    )


def _is_constant_actor(keyword: ast.keyword) -> bool:
    value = keyword.value
    return keyword.arg == "actor" and isinstance(value, ast.Name) and value.id.isupper()


def commands() -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    return [
        (f"{named(path)} {function.name}", function)
        for path in sources()
        if "services" in path.parts and path.parts[-3] != "ledger"
        for function in functions(path)
        if not function.name.startswith("_") and records(function)
    ]


def test_there_are_commands_to_look_at():
    assert len(commands()) >= 20


# Called without an actor it only refreshes a copy of MLflow's row and records nothing.
MAY_REFRESH = {"pipeline/services/mirror.py mirror_run"}


def test_every_recorded_command_takes_its_actor_by_name_and_without_default():
    wrong = set()
    for name, function in commands():
        arguments = function.args
        named_only = {argument.arg: n for n, argument in enumerate(arguments.kwonlyargs)}
        position = named_only.get("actor")
        if position is None or arguments.kw_defaults[position] is not None:
            wrong.add(name)
    assert wrong <= MAY_REFRESH


def test_every_public_command_says_what_it_does():
    assert [name for name, function in commands() if not ast.get_docstring(function)] == []
