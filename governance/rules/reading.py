"""Reading single values of parsed YAML, noting every problem instead of stopping at the first."""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from governance.rules.policy import TIERS, Path, Problem, Vocabulary

_SLUG = re.compile(r"[a-z][a-z0-9_-]*")


class Reader:
    """Reads single values, collecting every problem instead of stopping at the first."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.problems: list[Problem] = []

    def wrong(self, path: Path, message: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(path, message))

    def mapping(self, value: object, path: Path) -> Mapping[str, Any]:
        """Return a mapping, or an empty one in its place."""
        if isinstance(value, Mapping):
            return value
        self.wrong(path, "is missing" if value is None else "must be a mapping of keys to values")
        return {}

    def items(self, value: object, path: Path) -> Sequence[Any]:
        """Return a list, or an empty one in its place."""
        if isinstance(value, list | tuple):
            return value
        self.wrong(path, "is missing" if value is None else "must be a list")
        return ()

    def known(
        self, data: Mapping[str, Any], allowed: set[str] | frozenset[str], path: Path
    ) -> None:
        """Note every key that is not among the allowed ones."""
        for key in data:
            if key not in allowed:
                names = ", ".join(sorted(allowed)) or "none"
                self.wrong((*path, str(key)), f"is not known here; allowed: {names}")

    def text(self, value: object, path: Path) -> str:
        """Return a text that is not blank."""
        if isinstance(value, str) and value.strip():
            return value.strip()
        self.wrong(path, "is missing" if value is None else "must be a text")
        return ""

    def slug(self, value: object, path: Path) -> str:
        """Return a name of lower case letters, digits, - and _."""
        text = self.text(value, path)
        if text and not _SLUG.fullmatch(text):
            self.wrong(path, f"{text!r} must be lower case letters, digits, - and _")
        return text

    def flag(self, value: object, path: Path) -> bool:
        """Return true or false."""
        if not isinstance(value, bool):
            self.wrong(path, "must be true or false")
        return bool(value)

    def whole(self, value: object, path: Path, unit: str, most: int | None = None) -> int:
        """Return a whole number from 1 on."""
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or value < 1 or (most is not None and value > most):  # type: ignore[operator]
            bounds = f"from 1 to {most}" if most else "of at least 1"
            self.wrong(path, f"must be a whole number of {unit} {bounds}")
            return 1
        return int(value)  # type: ignore[call-overload, no-any-return]

    def one_of(self, value: object, allowed: Iterable[str], path: Path) -> str:
        """Return a text that is one of some."""
        text = self.text(value, path)
        if text and text not in allowed:
            self.wrong(path, f"{text!r} is not one of {', '.join(sorted(allowed))}")
        return text

    def choices(self, raw: object, allowed: Iterable[str], path: Path) -> tuple[str, ...]:
        """Return a list of different names out of some, of which there is at least one."""
        names = tuple(str(name) for name in self.items(raw, path))
        if not names:
            self.wrong(path, "must name at least one")
        for place, name in enumerate(names):
            self.one_of(name, allowed, (*path, place))
        if len(set(names)) != len(names):
            self.wrong(path, "names one twice")
        return names

    def tiers(self, data: Mapping[str, Any], path: Path) -> tuple[str, ...]:
        """Return the tiers that a part holds at: all unless it names them."""
        if "tiers" not in data:
            return TIERS
        return self.choices(data["tiers"], TIERS, (*path, "tiers"))

    def days_by_tier(self, value: object, path: Path) -> Mapping[str, int]:
        """Return days by tier, from one number for all or from a number for each."""
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            days = self.whole(value, path, "days")
            return MappingProxyType(dict.fromkeys(TIERS, days))
        self.known(value, set(TIERS), path)
        return MappingProxyType(
            {str(tier): self.whole(days, (*path, tier), "days") for tier, days in value.items()}
        )

    def optional_days(self, data: Mapping[str, Any], key: str, path: Path) -> int | None:
        """Return a number of days, or None where the key is absent."""
        return self.whole(data[key], (*path, key), "days") if key in data else None
