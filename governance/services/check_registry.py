"""The checks that policies may name: those that come with this package, and a user's own.

A package brings checks of its own by entry points of the group `countersign.checks`, each of
which leads to a `governance.rules.registry.NamedCheck`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version

from governance.rules import separation
from governance.rules.families import CHECKS
from governance.rules.policy import Vocabulary
from governance.rules.registry import NamedCheck

GROUP = "countersign.checks"
PACKAGE = "countersign-ml"


@dataclass(frozen=True, slots=True)
class Gathered:
    """Every check by its name, and what is wrong with the entry points that gave none."""

    checks: Mapping[str, NamedCheck]
    problems: tuple[str, ...]


def checks() -> Mapping[str, NamedCheck]:
    """Return every check that can be used."""
    return gathered().checks


def vocabulary(*, is_open: bool = False) -> Vocabulary:
    """Return what a policy may say; an open one accepts checks that are not installed."""
    return Vocabulary(checks(), frozenset(separation.SWITCHABLE), is_open=is_open)


@lru_cache(maxsize=1)
def gathered() -> Gathered:
    """Return the built-in checks and those of entry points; loaded at the first use, once."""
    own = f"{PACKAGE} {_own_version()}"
    found = {name: replace(check, package=own) for name, check in CHECKS.items()}
    taken = dict.fromkeys(found, PACKAGE)
    problems = []
    for point in _sorted(entry_points(group=GROUP)):
        try:
            check = _load(point)
            if check.name in taken:
                raise ValueError(f"the name {check.name!r} is taken by {taken[check.name]}")  # noqa: TRY301
        except Exception as error:  # noqa: BLE001 - foreign code; the system check names it
            problems.append(f"{_label(point)}: {type(error).__name__}: {error}")
            continue
        taken[check.name] = _distribution(point)
        found[check.name] = check
    return Gathered(found, tuple(problems))


def _load(point: EntryPoint) -> NamedCheck:
    check = point.load()
    if not isinstance(check, NamedCheck):
        raise TypeError("it is no governance.rules.registry.NamedCheck")
    if not check.name.strip() or not check.version.strip():
        raise ValueError("a check needs a name and a version")
    # Asking for the problems of nothing shows a specification that cannot be used.
    check.problems({})
    return replace(check, package=_distribution(point))


def _sorted(points: Iterable[EntryPoint]) -> list[EntryPoint]:
    # The order of sys.path must not decide which of two checks with one name is refused.
    return sorted(points, key=lambda point: (_distribution(point), point.name, point.value))


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown package"


def _label(point: EntryPoint) -> str:
    return f"{point.name} = {point.value} of {_distribution(point)}"


def _own_version() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return "from source"
