"""A policy as values: environments, and gates with their quorum, separation and requirements."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from projects.rules.carrying import MODES as CARRY_OVER_MODES
from projects.rules.carrying import RESET_ALL

TIERS = ("low", "medium", "high")
MODES = ("enforce", "warn", "observe")
SUBJECTS = ("scoping_document", "dataset_version", "model_version", "policy_version")
#: Auditors read everything and sign nothing, so no quorum may ask for one.
SIGNING_ROLES = frozenset(
    {
        "business_owner",
        "lead",
        "data_owner",
        "data_scientist",
        "data_engineer",
        "ml_engineer",
        "validator",
        "risk_officer",
        "privacy_officer",
        "subject_matter_expert",
        "operations",
        "executive",
    }
)
Path = tuple[str | int, ...]
_SLUG = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a policy, and under which key."""

    path: Path
    message: str

    @property
    def where(self) -> str:
        """Return the key as people write it, such as `gates.scope.sign_offs`."""
        return ".".join(str(step) for step in self.path) or "the policy"


class PolicyError(ValueError):
    """A policy cannot be used; `problems` says why, each with its key."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.where}: {p.message}" for p in self.problems))


@dataclass(frozen=True, slots=True)
class QuorumRule:
    """Roles that must all have signed, by at least so many different people."""

    roles: tuple[str, ...]
    people: int


@dataclass(frozen=True, slots=True)
class RequirementRule:
    """One condition of a gate: a named check and its parameters."""

    key: str
    check: str
    title: str
    params: Mapping[str, Any] = field(default_factory=dict)
    blocking: bool = True
    waivable: bool = True


@dataclass(frozen=True, slots=True)
class GateRules:
    """What it takes to pass one gate.

    `carry_over` says which sign-offs of an approved scope outlive a new version of it.
    """

    name: str
    title: str
    subject: str
    sign_offs: Mapping[str, QuorumRule]
    separation: tuple[str, ...]
    requirements: tuple[RequirementRule, ...]
    carry_over: str = RESET_ALL

    def requirement(self, key: str) -> RequirementRule | None:
        """Return the rule behind the key of a result, such as `criteria.recall`."""
        base = key.partition(".")[0]
        return next((rule for rule in self.requirements if rule.key == base), None)


@dataclass(frozen=True, slots=True)
class EnvironmentRules:
    """Where model versions may be promoted to, behind which gate, how strictly."""

    name: str
    alias: str
    gate: str
    mode: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class PolicyRules:
    """A whole policy."""

    name: str
    title: str
    environments: tuple[EnvironmentRules, ...]
    gates: Mapping[str, GateRules]
    validity_days: int | None
    suspend_on_breach: bool


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that a policy may use for checks and separation rules."""

    checks: Mapping[str, frozenset[str]]
    separation: frozenset[str]


def parse_policy(raw: object, vocabulary: Vocabulary) -> PolicyRules:
    """Return the policy held in parsed YAML.

    Raises:
        PolicyError: something is missing, unknown or contradicts itself; each problem names its
            key.
    """
    reader = _Reader(vocabulary)
    policy = reader.policy(raw)
    if reader.problems or policy is None:
        raise PolicyError(reader.problems)
    return policy


class _Reader:
    """Reads a policy part by part, collecting every problem instead of stopping at the first."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.problems: list[Problem] = []

    def policy(self, raw: object) -> PolicyRules | None:
        data = self._mapping(raw, ())
        self._known(data, _POLICY_KEYS, ())
        if data.get("schema") != 1:
            self._wrong(("schema",), "must be 1, the only schema this version reads")
        gates = {
            str(name): self._gate(str(name), part, ("gates", str(name)))
            for name, part in self._mapping(data.get("gates"), ("gates",)).items()
        }
        environments = tuple(
            self._environment(part, ("environments", place), place)
            for place, part in enumerate(
                self._list(data.get("environments", []), ("environments",))
            )
        )
        self._fit_environments(environments, gates)
        breach = self._mapping(data.get("on_breach", {}), ("on_breach",))
        self._known(breach, {"suspend"}, ("on_breach",))
        return PolicyRules(
            name=self._slug(data.get("name"), ("name",)),
            title=self._text(data.get("title"), ("title",)),
            environments=environments,
            gates=MappingProxyType(gates),
            validity_days=self._days(data.get("validity_days"), ("validity_days",)),
            suspend_on_breach=self._flag(breach.get("suspend", True), ("on_breach", "suspend")),
        )

    def _gate(self, name: str, raw: object, path: Path) -> GateRules:
        data = self._mapping(raw, path)
        self._known(data, _GATE_KEYS, path)
        signing = self._mapping(data.get("sign_offs"), (*path, "sign_offs"))
        self._known(signing, set(TIERS), (*path, "sign_offs"))
        if not signing:
            self._wrong((*path, "sign_offs"), f"must name at least one tier of {', '.join(TIERS)}")
        return GateRules(
            name=self._slug(name, path),
            title=self._text(data.get("title"), (*path, "title")),
            subject=self._one_of(data.get("subject"), SUBJECTS, (*path, "subject")),
            sign_offs=MappingProxyType(
                {
                    str(tier): self._quorum(part, (*path, "sign_offs", str(tier)))
                    for tier, part in signing.items()
                }
            ),
            separation=self._separation(data.get("separation"), (*path, "separation")),
            requirements=self._requirements(data.get("requirements"), (*path, "requirements")),
            carry_over=self._carry_over(data, path),
        )

    def _carry_over(self, data: Mapping[str, Any], path: Path) -> str:
        if "carry_over" not in data:
            return RESET_ALL
        if data.get("subject") != "scoping_document":
            self._wrong((*path, "carry_over"), "only versions of a scope carry sign-offs over")
        return self._one_of(data["carry_over"], CARRY_OVER_MODES, (*path, "carry_over"))

    def _quorum(self, raw: object, path: Path) -> QuorumRule:
        data = self._mapping(raw, path)
        self._known(data, {"roles", "people"}, path)
        roles = tuple(str(role) for role in self._list(data.get("roles"), (*path, "roles")))
        if not roles:
            self._wrong((*path, "roles"), "must name at least one role")
        for place, role in enumerate(roles):
            self._one_of(role, SIGNING_ROLES, (*path, "roles", place))
        if len(set(roles)) != len(roles):
            self._wrong((*path, "roles"), "names a role twice")
        people = data.get("people", len(roles))
        if not isinstance(people, int) or isinstance(people, bool) or people < 1:
            self._wrong((*path, "people"), "must be a whole number of at least 1")
            people = 1
        return QuorumRule(roles, people)

    def _separation(self, raw: object, path: Path) -> tuple[str, ...]:
        names = tuple(str(name) for name in self._list(raw, path))
        for place, name in enumerate(names):
            self._one_of(name, self.vocabulary.separation, (*path, place))
        if "requester_not_approver" not in names:
            self._wrong(path, "must list requester_not_approver; no gate can do without it")
        return names

    def _requirements(self, raw: object, path: Path) -> tuple[RequirementRule, ...]:
        rules = tuple(
            self._requirement(part, (*path, place))
            for place, part in enumerate(self._list(raw, path))
        )
        keys = [rule.key for rule in rules]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            self._wrong(path, f"uses the key {key!r} twice")
        if not any(rule.blocking for rule in rules):
            self._wrong(path, "must hold at least one blocking requirement")
        return rules

    def _requirement(self, raw: object, path: Path) -> RequirementRule:
        data = self._mapping(raw, path)
        self._known(data, _REQUIREMENT_KEYS, path)
        check = self._one_of(data.get("check"), self.vocabulary.checks.keys(), (*path, "check"))
        params = self._mapping(data.get("params", {}), (*path, "params"))
        self._known(params, self.vocabulary.checks.get(check, frozenset()), (*path, "params"))
        return RequirementRule(
            key=self._slug(data.get("key"), (*path, "key")),
            check=check,
            title=self._text(data.get("title"), (*path, "title")),
            params=MappingProxyType(dict(params)),
            blocking=self._flag(data.get("blocking", True), (*path, "blocking")),
            waivable=self._flag(data.get("waivable", True), (*path, "waivable")),
        )

    def _environment(self, raw: object, path: Path, place: int) -> EnvironmentRules:
        data = self._mapping(raw, path)
        self._known(data, _ENVIRONMENT_KEYS, path)
        return EnvironmentRules(
            name=self._slug(data.get("name"), (*path, "name")),
            alias=self._slug(data.get("alias"), (*path, "alias")),
            gate=self._slug(data.get("gate"), (*path, "gate")),
            mode=self._one_of(data.get("mode", "enforce"), MODES, (*path, "mode")),
            rank=place,
        )

    def _fit_environments(
        self, environments: Sequence[EnvironmentRules], gates: Mapping[str, GateRules]
    ) -> None:
        for place, environment in enumerate(environments):
            gate = gates.get(environment.gate)
            path: Path = ("environments", place, "gate")
            if gate is None:
                self._wrong(path, f"there is no gate {environment.gate!r} in this policy")
            elif gate.subject != "model_version":
                self._wrong(path, f"the gate {gate.name!r} does not judge model versions")
        for part in ("name", "alias"):
            names = [getattr(environment, part) for environment in environments]
            if len(set(names)) != len(names):
                self._wrong(("environments",), f"two environments have the same {part}")

    def _wrong(self, path: Path, message: str) -> None:
        self.problems.append(Problem(path, message))

    def _mapping(self, value: object, path: Path) -> Mapping[str, Any]:
        if isinstance(value, Mapping):
            return value
        self._wrong(path, "is missing" if value is None else "must be a mapping of keys to values")
        return {}

    def _list(self, value: object, path: Path) -> Sequence[Any]:
        if isinstance(value, list | tuple):
            return value
        self._wrong(path, "is missing" if value is None else "must be a list")
        return ()

    def _known(
        self, data: Mapping[str, Any], allowed: set[str] | frozenset[str], path: Path
    ) -> None:
        for key in data:
            if key not in allowed:
                names = ", ".join(sorted(allowed)) or "none"
                self._wrong((*path, str(key)), f"is not known here; allowed: {names}")

    def _text(self, value: object, path: Path) -> str:
        if isinstance(value, str) and value.strip():
            return value.strip()
        self._wrong(path, "is missing" if value is None else "must be a text")
        return ""

    def _slug(self, value: object, path: Path) -> str:
        text = self._text(value, path)
        if text and not _SLUG.fullmatch(text):
            self._wrong(path, f"{text!r} must be lower case letters, digits, - and _")
        return text

    def _flag(self, value: object, path: Path) -> bool:
        if not isinstance(value, bool):
            self._wrong(path, "must be true or false")
        return bool(value)

    def _days(self, value: object, path: Path) -> int | None:
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self._wrong(path, "must be a whole number of days of at least 1")
            return None
        return value

    def _one_of(self, value: object, allowed: Any, path: Path) -> str:
        text = self._text(value, path)
        if text and text not in allowed:
            self._wrong(path, f"{text!r} is not one of {', '.join(sorted(allowed))}")
        return text


_POLICY_KEYS = {
    "schema", "name", "title", "environments", "gates", "validity_days", "on_breach",
}  # fmt: skip
_GATE_KEYS = {"title", "subject", "sign_offs", "separation", "requirements", "carry_over"}
_REQUIREMENT_KEYS = {"key", "check", "title", "params", "blocking", "waivable"}
_ENVIRONMENT_KEYS = {"name", "alias", "gate", "mode"}
