"""What the parameters of a check may be, so that a policy with a wrong one is refused."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class Param(Protocol):
    """One parameter: it judges values."""

    def problem(self, value: object) -> str:
        """Return what is wrong with a value; empty where nothing is."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds."""

    unit: str
    least: int = 1
    most: int | None = None

    def problem(self, value: object) -> str:
        """Return what is wrong with a value; empty where nothing is."""
        fits = isinstance(value, int) and not isinstance(value, bool)
        if fits and self.least <= value and (self.most is None or value <= self.most):  # type: ignore[operator]
            return ""
        bounds = f"of at least {self.least}"
        if self.most is not None:
            bounds = f"from {self.least} to {self.most}"
        return f"must be a whole number of {self.unit} {bounds}"


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number within bounds, both included."""

    least: float
    most: float

    def problem(self, value: object) -> str:
        """Return what is wrong with a value; empty where nothing is."""
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        if fits and math.isfinite(value) and self.least <= value <= self.most:  # type: ignore[arg-type,operator]
            return ""
        return f"must be a number from {self.least:g} to {self.most:g}"


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def problem(self, value: object) -> str:
        """Return what is wrong with a value; empty where nothing is."""
        return "" if isinstance(value, bool) else "must be true or false"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some texts."""

    allowed: tuple[str, ...]

    def problem(self, value: object) -> str:
        """Return what is wrong with a value; empty where nothing is."""
        if isinstance(value, str) and value in self.allowed:
            return ""
        return f"must be one of {', '.join(self.allowed)}"


@dataclass(frozen=True, slots=True)
class Name:
    """A text that is not blank, such as the name of a gate or a kind of evidence."""

    def problem(self, value: object) -> str:
        """Return what is wrong with a value; empty where nothing is."""
        return "" if isinstance(value, str) and value.strip() else "must be a text"


@dataclass(frozen=True, slots=True)
class Names:
    """A list of different names, of which there is at least one."""

    def problem(self, value: object) -> str:
        """Return what is wrong with a value; empty where nothing is."""
        if not isinstance(value, list | tuple) or not value:
            return "must be a list with at least one name"
        if any(Name().problem(one) for one in value):
            return "must hold nothing but texts"
        return "names one twice" if len(set(value)) != len(value) else ""


Needs = Collection[Collection[str]]


def problems_of(
    params: Mapping[str, Any], spec: Mapping[str, Param], needs: Needs
) -> list[tuple[str, str]]:
    """Return what is wrong with parameters: pairs of the parameter and the problem.

    Of each group in `needs` exactly one must be given; the name of the parameter is empty where
    none was.
    """
    known = ", ".join(sorted(spec)) or "none"
    found = []
    for name, value in params.items():
        if name not in spec:
            found.append((str(name), f"is not known here; allowed: {known}"))
        elif problem := spec[name].problem(value):
            found.append((str(name), problem))
    given = set(params)
    lacking = (sorted(group) for group in needs if len(given & set(group)) != 1)
    return [*found, *(("", _lacks(group)) for group in lacking)]


def _lacks(names: list[str]) -> str:
    if len(names) == 1:
        return f"must say {names[0]}"
    return f"must say exactly one of {', '.join(names)}"
