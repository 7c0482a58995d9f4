"""Reading the gates of a policy from parsed YAML."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from governance.rules.policy import (
    SIGNING_ROLES,
    SUBJECTS,
    TIERS,
    CopyCondition,
    GateRules,
    Path,
    QuorumRule,
    RequirementRule,
    SeparationRule,
)
from governance.rules.reading import Reader
from projects.rules.carrying import MODES as CARRY_OVER_MODES
from projects.rules.carrying import RESET_ALL

#: Bound parts whose change a policy may let sign-offs survive. Never the files of a model: they
#: do not change, and where they do that is damage.
COPYABLE_PARTS = frozenset(
    {"evidence", "card", "scope", "criteria", "run", "dataset", "datasheet", "policy"}
)
_GATE_KEYS = {
    "title", "subject", "sign_offs", "separation", "requirements", "carry_over",
    "copy_conditions", "decide_within_days", "validity_days", "checklist_at",
}  # fmt: skip
_REQUIREMENT_KEYS = {"key", "check", "title", "params", "blocking", "waivable", "tiers"}


class GateReader(Reader):
    """Reads the gates of a policy."""

    def gates(self, raw: object) -> Mapping[str, GateRules]:
        return MappingProxyType(
            {
                str(name): self._gate(str(name), part, ("gates", str(name)))
                for name, part in self.mapping(raw, ("gates",)).items()
            }
        )

    def _gate(self, name: str, raw: object, path: Path) -> GateRules:
        data = self.mapping(raw, path)
        self.known(data, _GATE_KEYS, path)
        return GateRules(
            name=self.slug(name, path),
            title=self.text(data.get("title"), (*path, "title")),
            subject=self.one_of(data.get("subject"), SUBJECTS, (*path, "subject")),
            sign_offs=self._sign_offs(data.get("sign_offs"), (*path, "sign_offs")),
            separation_rules=self._separation(data.get("separation"), (*path, "separation")),
            requirements=self._requirements(data.get("requirements"), (*path, "requirements")),
            carry_over=self._carry_over(data, path),
            copy_conditions=self._copy_conditions(data, (*path, "copy_conditions")),
            decide_within_days=self.optional_days(data, "decide_within_days", path),
            validity_days=self.days_by_tier(data.get("validity_days"), (*path, "validity_days")),
            checklist_at=self._checklist(data, (*path, "checklist_at")),
        )

    def _checklist(self, data: Mapping[str, Any], path: Path) -> tuple[str, ...]:
        return self.choices(data["checklist_at"], TIERS, path) if "checklist_at" in data else ()

    def _sign_offs(self, raw: object, path: Path) -> Mapping[str, QuorumRule]:
        signing = self.mapping(raw, path)
        self.known(signing, set(TIERS), path)
        if not signing:
            self.wrong(path, f"must name at least one tier of {', '.join(TIERS)}")
        return MappingProxyType(
            {str(tier): self._quorum(part, (*path, str(tier))) for tier, part in signing.items()}
        )

    def _quorum(self, raw: object, path: Path) -> QuorumRule:
        data = self.mapping(raw, path)
        self.known(data, {"roles", "people"}, path)
        roles = self.choices(data.get("roles"), SIGNING_ROLES, (*path, "roles"))
        if "people" not in data:
            return QuorumRule(roles, max(1, len(roles)))
        return QuorumRule(roles, self.whole(data["people"], (*path, "people"), "people"))

    def _carry_over(self, data: Mapping[str, Any], path: Path) -> str:
        if "carry_over" not in data:
            return RESET_ALL
        if data.get("subject") != "scoping_document":
            self.wrong((*path, "carry_over"), "only versions of a scope carry sign-offs over")
        return self.one_of(data["carry_over"], CARRY_OVER_MODES, (*path, "carry_over"))

    def _copy_conditions(self, data: Mapping[str, Any], path: Path) -> tuple[CopyCondition, ...]:
        return tuple(
            self._copy_condition(part, (*path, place))
            for place, part in enumerate(self.items(data.get("copy_conditions", []), path))
        )

    def _copy_condition(self, raw: object, path: Path) -> CopyCondition:
        data = self.mapping(raw, path)
        self.known(data, {"changed", "keep"}, path)
        changed = tuple(str(part) for part in self.items(data.get("changed"), (*path, "changed")))
        for place, part in enumerate(changed):
            self.one_of(part.partition(":")[0], COPYABLE_PARTS, (*path, "changed", place))
        if data.get("keep") == "all":
            return CopyCondition(frozenset(changed), None)
        roles = self.choices(data.get("keep"), SIGNING_ROLES, (*path, "keep"))
        return CopyCondition(frozenset(changed), frozenset(roles))

    def _separation(self, raw: object, path: Path) -> tuple[SeparationRule, ...]:
        rules = tuple(
            self._separation_rule(part, (*path, place))
            for place, part in enumerate(self.items(raw, path))
        )
        everywhere = {rule.name for rule in rules if rule.tiers == TIERS}
        if "requester_not_approver" not in everywhere:
            self.wrong(
                path, "must list requester_not_approver at every tier; no gate can do without it"
            )
        return rules

    def _separation_rule(self, raw: object, path: Path) -> SeparationRule:
        if not isinstance(raw, Mapping):
            return SeparationRule(self.one_of(raw, self.vocabulary.separation, path))
        self.known(raw, {"rule", "tiers"}, path)
        name = self.one_of(raw.get("rule"), self.vocabulary.separation, (*path, "rule"))
        return SeparationRule(name, self.tiers(raw, path))

    def _requirements(self, raw: object, path: Path) -> tuple[RequirementRule, ...]:
        rules = tuple(
            self._requirement(part, (*path, place))
            for place, part in enumerate(self.items(raw, path))
        )
        keys = [rule.key for rule in rules]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            self.wrong(path, f"uses the key {key!r} twice")
        for tier in TIERS:
            if not any(rule.blocking for rule in rules if tier in rule.tiers):
                self.wrong(path, f"must hold at least one blocking requirement at {tier} risk")
        return rules

    def _requirement(self, raw: object, path: Path) -> RequirementRule:
        data = self.mapping(raw, path)
        self.known(data, _REQUIREMENT_KEYS, path)
        params = self.mapping(data.get("params", {}), (*path, "params"))
        check = self._check(data.get("check"), params, path)
        return RequirementRule(
            key=self.slug(data.get("key"), (*path, "key")),
            check=check,
            title=self.text(data.get("title"), (*path, "title")),
            params=MappingProxyType(dict(params)),
            blocking=self.flag(data.get("blocking", True), (*path, "blocking")),
            waivable=self.flag(data.get("waivable", True), (*path, "waivable")),
            tiers=self.tiers(data, path),
        )

    def _check(self, raw: object, params: Mapping[str, Any], path: Path) -> str:
        """Return the name of a check, noting what is wrong with its parameters."""
        if self.vocabulary.is_open:
            return self.text(raw, (*path, "check"))
        name = self.one_of(raw, self.vocabulary.checks, (*path, "check"))
        named = self.vocabulary.checks.get(name)
        for param, problem in named.problems(params) if named else ():
            self.wrong((*path, "params", *([param] if param else [])), problem)
        return name
