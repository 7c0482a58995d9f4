"""Reading a policy's text: every problem with its key, its line and column, and what to do."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from governance.rules.policy import PolicyError, PolicyRules, Problem
from governance.rules.policy_hints import hint_for
from governance.rules.policy_reader import parse_policy as parse_rules
from governance.services import yaml_places
from governance.services.check_registry import vocabulary
from projects.errors import InvalidInput

_SCHEMA = Path(__file__).parent.parent / "schemas" / "policy.json"


@dataclass(frozen=True, slots=True)
class PlacedProblem:
    """One thing that is wrong with a text: where it stands, under which key, and what to do."""

    path: str
    line: int
    column: int
    message: str
    hint: str

    @property
    def sentence(self) -> str:
        """Return the problem as one line for people."""
        where = ", ".join(part for part in (self.place, self.path) if part)
        return f"{where}: {self.message}. {self.hint}"

    @property
    def place(self) -> str:
        """Return line and column as people write them."""
        return f"line {self.line}, column {self.column}"


@dataclass(frozen=True, slots=True)
class ReadPolicy:
    """What a text came to: its rules, or the problems for which it has none."""

    rules: PolicyRules | None
    problems: tuple[PlacedProblem, ...] = ()


@lru_cache(maxsize=64)
def read_text(text: str, *, is_open: bool = False) -> ReadPolicy:
    """Read a policy's YAML without refusing it; a text that was read before is not read again.

    An open reading, of what was accepted before, lets pass checks that are not installed now.
    """
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
        raw = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        return ReadPolicy(None, (_unreadable(error),))
    rules, problems = _read(raw, is_open=is_open)
    problems = [*_repeated_keys(root), *problems]
    if not problems:
        return ReadPolicy(rules)
    placed = sorted((_placed(one, root) for one in problems), key=lambda one: one.line)
    return ReadPolicy(None, tuple(placed))


def parse_text(text: str, *, is_open: bool = False) -> PolicyRules:
    """Return the rules of a policy's YAML.

    Raises:
        InvalidInput: code `invalid_policy`; every problem with its key, line and column.
    """
    found = read_text(text, is_open=is_open)
    if found.rules is not None:
        return found.rules
    first, more = found.problems[0], len(found.problems) - 1
    also = f" There {'is' if more == 1 else 'are'} {more} more." if more else ""
    raise InvalidInput(
        f"The policy cannot be used: {first.sentence}{also}",
        code="invalid_policy",
        details={"problems": [asdict(one) for one in found.problems]},
    )


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """Return the JSON Schema of the policy language."""
    loaded: dict[str, Any] = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    return loaded


def _read(raw: Any, *, is_open: bool) -> tuple[PolicyRules | None, list[Problem]]:
    """Read parsed YAML; the schema adds what the reader, who speaks plainer, has let pass."""
    rules, problems = None, []
    try:
        rules = parse_rules(raw, vocabulary(is_open=is_open))
    except PolicyError as error:
        problems = list(error.problems)
    said = {problem.path for problem in problems}
    for problem in _schema_problems(raw):
        if not any(_overlap(problem.path, path) for path in said):
            problems.append(problem)
    return rules, problems


def _overlap(some: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    shorter = min(len(some), len(others))
    return some[:shorter] == others[:shorter]


@lru_cache(maxsize=1)
def _validator() -> Any:
    return jsonschema.Draft202012Validator(schema())


def _schema_problems(raw: Any) -> Iterator[Problem]:
    for error in sorted(_validator().iter_errors(raw), key=lambda one: list(map(str, one.path))):
        yield Problem(tuple(error.absolute_path), error.message)


def _repeated_keys(root: yaml.Node | None) -> Iterator[Problem]:
    for path in yaml_places.repeated_keys(root):
        yield Problem(path, "appears twice; YAML would silently keep the last one")


def _placed(problem: Problem, root: yaml.Node | None) -> PlacedProblem:
    line, column = yaml_places.place_of(root, problem.path)
    return PlacedProblem(problem.where, line, column, problem.message, hint_for(problem))


def _unreadable(error: Exception) -> PlacedProblem:
    mark = getattr(error, "problem_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    message = str(getattr(error, "problem", None) or error) or "is no YAML"
    hint = "Mend the YAML: look at indentation, brackets and quotes here and just above."
    return PlacedProblem("", line, column, message, hint)
