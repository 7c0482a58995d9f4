"""Policies that hold: which version, its rules and gates.

Texts are read in `policy_texts`, drafts written in `policy_drafts`, versions published in
`policy_publishing`; what others need of these is offered here too.
"""

from governance.models import PolicyVersion
from governance.rules.policy import GateRules, PolicyRules
from governance.services.policy_drafts import STANDARD, edit_draft, standing_of, write_draft
from governance.services.policy_publishing import (
    load_standard_policies,
    publish_policy_version,
)
from governance.services.policy_texts import parse_text
from projects.errors import InvalidInput, NotFound
from projects.models import Project

__all__ = [
    "STANDARD",
    "edit_draft",
    "gate_rules",
    "gates_for",
    "load_standard_policies",
    "parse_text",
    "publish_policy_version",
    "published_policy",
    "rules_of",
    "standing_of",
    "write_draft",
]


def published_policy(project: Project) -> PolicyVersion:
    """Return the policy version that holds for new reviews of the project.

    Raises:
        NotFound: code `no_policy`; run `manage.py` with the command that loads the policies.
    """
    found = PolicyVersion.objects.published().filter(policy__name=STANDARD).first()
    if found is None:
        raise NotFound(
            f"No version of the policy {STANDARD!r} is published; load the standard policies.",
            code="no_policy",
        )
    return found


def rules_of(version: PolicyVersion) -> PolicyRules:
    """Return the rules of a version; a check that is gone since is judged as an error."""
    return parse_text(version.text, is_open=True)


def gate_rules(version: PolicyVersion, gate: str) -> GateRules:
    """Return the rules of one gate.

    Raises:
        InvalidInput: code `unknown_gate`, naming the gates that there are.
    """
    gates = rules_of(version).gates
    if gate not in gates:
        names = ", ".join(sorted(gates))
        raise InvalidInput(f"{version} has no gate {gate!r}; it has {names}.", code="unknown_gate")
    return gates[gate]


def gates_for(project: Project, subject_kind: str) -> list[GateRules]:
    """Return the gates that judge a kind of subject under the project's policy; none without one.

    Gates without a quorum at the project's tier are left out: nobody could pass them.
    """
    try:
        gates = rules_of(published_policy(project)).gates.values()
    except NotFound:
        return []
    return [one for one in gates if one.subject == subject_kind and project.tier in one.sign_offs]
