"""Reading a policy from parsed YAML: every problem is collected, each with its key."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from governance.rules.gate_reader import GateReader
from governance.rules.policy import (
    MODES,
    SIGNING_ROLES,
    BreakGlass,
    EnvironmentRules,
    EvidenceType,
    GateRules,
    Path,
    PolicyError,
    PolicyRules,
    Script,
    Vocabulary,
)

#: Break-glass is for hours: whatever takes longer has time for a review.
LONGEST_OVERRIDE_HOURS = 72
_POLICY_KEYS = {
    "schema", "name", "title", "environments", "gates", "validity_days", "on_breach",
    "renewal_days", "retention_days", "evidence_types", "break_glass", "scripts",
}  # fmt: skip
_ENVIRONMENT_KEYS = {"name", "alias", "gate", "mode"}


def parse_policy(raw: object, vocabulary: Vocabulary) -> PolicyRules:
    """Return the policy held in parsed YAML.

    Raises:
        PolicyError: something is missing, unknown or contradicts itself; each problem names its
            key.
    """
    reader = _PolicyReader(vocabulary)
    policy = reader.policy(raw)
    if reader.problems or policy is None:
        raise PolicyError(reader.problems)
    return policy


class _PolicyReader(GateReader):
    """Reads a whole policy."""

    def policy(self, raw: object) -> PolicyRules | None:
        data = self.mapping(raw, ())
        self.known(data, _POLICY_KEYS, ())
        if data.get("schema") != 1:
            self.wrong(("schema",), "must be 1, the only schema this version reads")
        gates = self.gates(data.get("gates"))
        breach = self.mapping(data.get("on_breach", {}), ("on_breach",))
        self.known(breach, {"suspend"}, ("on_breach",))
        policy = PolicyRules(
            name=self.slug(data.get("name"), ("name",)),
            title=self.text(data.get("title"), ("title",)),
            environments=self._environments(data, gates),
            gates=gates,
            validity_days=self.days_by_tier(data.get("validity_days"), ("validity_days",)),
            suspend_on_breach=self.flag(breach.get("suspend", True), ("on_breach", "suspend")),
            renewal_days=self.optional_days(data, "renewal_days", ()) or 30,
            retention_days=self.optional_days(data, "retention_days", ()),
            evidence_types=self._evidence_types(data),
            break_glass=self._break_glass(data),
            scripts=self._scripts(data),
        )
        self._fit_requirements(policy)
        return policy

    def _environments(
        self, data: Mapping[str, Any], gates: Mapping[str, GateRules]
    ) -> tuple[EnvironmentRules, ...]:
        parts = self.items(data.get("environments", []), ("environments",))
        environments = tuple(
            self._environment(part, ("environments", place), place)
            for place, part in enumerate(parts)
        )
        self._fit_environments(environments, gates)
        return environments

    def _environment(self, raw: object, path: Path, place: int) -> EnvironmentRules:
        data = self.mapping(raw, path)
        self.known(data, _ENVIRONMENT_KEYS, path)
        return EnvironmentRules(
            name=self.slug(data.get("name"), (*path, "name")),
            alias=self.slug(data.get("alias"), (*path, "alias")),
            gate=self.slug(data.get("gate"), (*path, "gate")),
            mode=self.one_of(data.get("mode", "enforce"), MODES, (*path, "mode")),
            rank=place,
        )

    def _fit_environments(
        self, environments: Sequence[EnvironmentRules], gates: Mapping[str, GateRules]
    ) -> None:
        for place, environment in enumerate(environments):
            gate = gates.get(environment.gate)
            path: Path = ("environments", place, "gate")
            if gate is None:
                self.wrong(path, f"there is no gate {environment.gate!r} in this policy")
            elif gate.subject != "model_version":
                self.wrong(path, f"the gate {gate.name!r} does not judge model versions")
        for part in ("name", "alias"):
            names = [getattr(environment, part) for environment in environments]
            if len(set(names)) != len(names):
                self.wrong(("environments",), f"two environments have the same {part}")

    def _evidence_types(self, data: Mapping[str, Any]) -> Mapping[str, EvidenceType]:
        path: Path = ("evidence_types",)
        raw = self.mapping(data.get("evidence_types", {}), path)
        return MappingProxyType(
            {str(kind): self._evidence_type(str(kind), part, path) for kind, part in raw.items()}
        )

    def _evidence_type(self, kind: str, raw: object, above: Path) -> EvidenceType:
        path = (*above, kind)
        data = self.mapping(raw, path)
        self.known(data, {"title", "max_age_days"}, path)
        return EvidenceType(
            kind=self.slug(kind, path),
            title=self.text(data.get("title"), (*path, "title")),
            max_age_days=self.optional_days(data, "max_age_days", path),
        )

    def _break_glass(self, policy: Mapping[str, Any]) -> BreakGlass | None:
        if "break_glass" not in policy:
            return None
        path: Path = ("break_glass",)
        data = self.mapping(policy["break_glass"], path)
        self.known(data, {"roles", "max_hours", "review_within_days"}, path)
        hours = data.get("max_hours", LONGEST_OVERRIDE_HOURS)
        return BreakGlass(
            roles=self.choices(data.get("roles"), SIGNING_ROLES, (*path, "roles")),
            max_hours=self.whole(hours, (*path, "max_hours"), "hours", LONGEST_OVERRIDE_HOURS),
            review_within_days=self.optional_days(data, "review_within_days", path) or 5,
        )

    def _scripts(self, policy: Mapping[str, Any]) -> Mapping[str, Script]:
        path: Path = ("scripts",)
        raw = self.mapping(policy.get("scripts", {}), path)
        return MappingProxyType(
            {str(name): self._script(str(name), part, path) for name, part in raw.items()}
        )

    def _script(self, name: str, raw: object, above: Path) -> Script:
        path = (*above, name)
        data = self.mapping(raw, path)
        self.known(data, {"source", "timeout_seconds"}, path)
        source = self.text(data.get("source"), (*path, "source"))
        try:
            compile(source, name, "exec")
        except (SyntaxError, ValueError) as error:
            self.wrong((*path, "source"), f"is no Python program: {error}")
        seconds = data.get("timeout_seconds", 60)
        return Script(
            self.slug(name, path),
            source,
            self.whole(seconds, (*path, "timeout_seconds"), "seconds", 600),
        )

    def _fit_requirements(self, policy: PolicyRules) -> None:
        """Hold parameters that name another part of the policy against that part."""
        for gate in policy.gates.values():
            for place, rule in enumerate(gate.requirements):
                path: Path = ("gates", gate.name, "requirements", place, "params")
                for param, known in (("passed", policy.gates), ("script", policy.scripts)):
                    if (name := rule.params.get(param)) is not None and name not in known:
                        self.wrong((*path, param), f"there is no {name!r} in this policy")
