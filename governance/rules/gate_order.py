"""Which gates stand before a gate: those that its requirements ask to have been passed."""

from collections.abc import Iterator, Mapping

from governance.rules.policy import GateRules

GATE_PASSED = "gate_passed"


def gates_before(gates: Mapping[str, GateRules], name: str, tier: str) -> list[str]:
    """Return the gates that must be passed before one, directly or through others, first first.

    A gate that asks for itself in a circle is named once.
    """
    found: list[str] = []
    _collect(gates, name, tier, found, {name})
    return found


def _collect(
    gates: Mapping[str, GateRules], name: str, tier: str, found: list[str], seen: set[str]
) -> None:
    for before in _asked_by(gates[name], tier):
        if before in gates and before not in seen:
            seen.add(before)
            _collect(gates, before, tier, found, seen)
            found.append(before)


def _asked_by(gate: GateRules, tier: str) -> Iterator[str]:
    for rule in gate.requirements_at(tier):
        if rule.check == GATE_PASSED:
            yield str(rule.params["passed"])
