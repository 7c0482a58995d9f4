"""Policies: installing a text, publishing a version, and the rules that hold."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from governance.models import Environment, GateReview, Policy, PolicyVersion
from governance.rules.digests import digest_of
from governance.rules.policy import EnvironmentRules, GateRules, PolicyError, PolicyRules, Problem
from governance.rules.policy_reader import parse_policy as parse_rules
from governance.rules.transitions import POLICY_VERSION_TRANSITIONS
from governance.services import yaml_places
from governance.services.check_registry import vocabulary
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import (
    InvalidInput,
    InvalidTransition,
    NotFound,
    NotPermitted,
    RuleViolated,
    StaleState,
)
from projects.lifecycle import move
from projects.models import Project

#: The policy that every project works by, and the only one that declares environments.
STANDARD = "standard"
_SCHEMA = Path(__file__).parent.parent / "schemas" / "policy.json"


@transaction.atomic
def install_policy(name: str, *, title: str, text: str, actor: Actor) -> PolicyVersion:
    """Write the next version of a policy as a draft.

    Raises:
        InvalidInput: code `invalid_policy`; `problems` names the key and the line of each.
        NotPermitted: code `may_not_write_policies`.
    """
    _require_permission(actor, "add_policyversion", code="may_not_write_policies")
    rules = parse_text(text)
    if rules.name != name:
        raise InvalidInput(
            f"The text is of the policy {rules.name!r}, not {name!r}.", code="wrong_policy_name"
        )
    policy, _ = Policy.objects.get_or_create(name=name, defaults={"title": title})
    version = _next_version(policy, text, actor=actor)
    ledger.append(
        "policy.installed",
        subject=version.ref,
        actor=actor,
        data={"policy": name, "number": version.number, "digest": version.digest},
    )
    return version


@transaction.atomic
def publish_policy_version(version: PolicyVersion, *, actor: Actor) -> PolicyVersion:
    """Publish a draft; the version before is retired, open reviews stay on theirs.

    Where a published version has a gate for policies, the draft must have passed it, and the
    author of a version never publishes it.

    Raises:
        NotPermitted: code `may_not_publish_policies` or `author_cannot_publish`.
        RuleViolated: code `policy_not_approved`.
    """
    _require_permission(actor, "publish_policyversion", code="may_not_publish_policies")
    former = version.policy.versions.published().first()
    if former is not None:
        _require_approval(version, former, actor=actor)
        move(former, PolicyVersion.Status.RETIRED, allowed=POLICY_VERSION_TRANSITIONS)
        ledger.append("policy.retired", subject=former.ref, actor=actor)
    move(
        version,
        PolicyVersion.Status.PUBLISHED,
        allowed=POLICY_VERSION_TRANSITIONS,
        published_at=now(),
    )
    if version.policy.name == STANDARD:
        _declare_environments(version, actor=actor)
    ledger.append(
        "policy.published",
        subject=version.ref,
        actor=actor,
        data={
            "policy": version.policy.name,
            "number": version.number,
            "digest": version.digest,
            "replaces": former.ref if former else None,
        },
    )
    return version


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


@transaction.atomic
def load_standard_policies(*, actor: Actor) -> list[PolicyVersion]:
    """Install and publish each policy of `POLICY_DIR` that has no version yet."""
    loaded = []
    for file in sorted(Path(settings.POLICY_DIR).glob("*.yaml")):
        name = file.stem
        if PolicyVersion.objects.filter(policy__name=name).exists():
            continue
        text = file.read_text(encoding="utf-8")
        title = parse_text(text).title
        version = install_policy(name, title=title, text=text, actor=actor)
        loaded.append(publish_policy_version(version, actor=actor))
    return loaded


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


@lru_cache(maxsize=32)
def parse_text(text: str, *, is_open: bool = False) -> PolicyRules:
    """Read a policy's YAML; a text that was read before is not read again.

    An open reading, of what was accepted before, lets pass checks that are not installed now.

    Raises:
        InvalidInput: code `invalid_policy`; every problem with its key and its line.
    """
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
        raw = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise _unreadable(error) from error
    problems = list(chain(_repeated_keys(root), _schema_problems(raw)))
    if not problems:
        try:
            return parse_rules(raw, vocabulary(is_open=is_open))
        except PolicyError as error:
            problems = list(error.problems)
    raise _invalid(problems, root)


@lru_cache(maxsize=1)
def _validator() -> Any:
    import json

    schema = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


def _schema_problems(raw: Any) -> Iterator[Problem]:
    for error in sorted(_validator().iter_errors(raw), key=lambda one: list(map(str, one.path))):
        yield Problem(tuple(error.absolute_path), error.message)


def _repeated_keys(root: yaml.Node | None) -> Iterator[Problem]:
    for path in yaml_places.repeated_keys(root):
        yield Problem(path, "appears twice; YAML would silently keep the last one")


def _invalid(problems: list[Problem], root: yaml.Node | None) -> InvalidInput:
    found = [
        {
            "path": problem.where,
            "line": yaml_places.line_of(root, problem.path),
            "message": problem.message,
        }
        for problem in problems
    ]
    first = found[0]
    more = f" There are {len(found) - 1} more." if len(found) > 1 else ""
    return InvalidInput(
        f"The policy cannot be used: line {first['line']}, {first['path']}: "
        f"{first['message']}.{more}",
        code="invalid_policy",
        details={"problems": found},
    )


def _unreadable(error: yaml.YAMLError) -> InvalidInput:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark is not None else 1
    message = str(getattr(error, "problem", None) or error)
    return InvalidInput(
        f"The policy is no YAML: line {line}: {message}.",
        code="invalid_policy",
        details={"problems": [{"path": "", "line": line, "message": message}]},
    )


def _next_version(policy: Policy, text: str, *, actor: Actor) -> PolicyVersion:
    newest = policy.versions.order_by("-number").first()
    number = newest.number + 1 if newest else 1
    try:
        with transaction.atomic():
            return PolicyVersion.objects.create(
                policy=policy,
                number=number,
                text=text,
                digest=digest_of(text),
                created_by=actor.user,
            )
    except IntegrityError as error:
        raise StaleState(f"Somebody else has just written {policy.name} v{number}.") from error


def _require_permission(actor: Actor, permission: str, *, code: str) -> None:
    if actor.is_system and actor.name == "setup":
        return
    if actor.user is None or not actor.user.has_perm(f"governance.{permission}"):
        raise NotPermitted(
            f"{actor.name} may not do this; an administrator can grant `{permission}`.", code=code
        )


def _require_approval(version: PolicyVersion, former: PolicyVersion, *, actor: Actor) -> None:
    if version.status != PolicyVersion.Status.DRAFT:
        raise InvalidTransition(f"{version} is {version.status}; only a draft can be published.")
    if actor.user_id is None or actor.user_id == version.created_by_id:
        raise NotPermitted(
            "Who wrote a policy version may not publish it; somebody else has to.",
            code="author_cannot_publish",
        )
    if "policy" not in rules_of(former).gates:
        return
    approved = GateReview.objects.of_subject("policy_version", version.ref).filter(
        gate="policy", status=GateReview.Status.APPROVED
    )
    if not approved.exists():
        raise RuleViolated(
            f"{version} has not passed the gate for policies; request its review first.",
            code="policy_not_approved",
            reasons=[f"No approved review of {version} at the gate policy."],
        )


def _declare_environments(version: PolicyVersion, *, actor: Actor) -> None:
    for declared in rules_of(version).environments:
        _declare(declared, version, actor=actor)


def _declare(declared: EnvironmentRules, version: PolicyVersion, *, actor: Actor) -> None:
    """Create or change an environment; a weaker mode is thereby a signed policy change."""
    values = {
        "alias": declared.alias,
        "gate": declared.gate,
        "mode": declared.mode,
        "rank": declared.rank,
    }
    environment = Environment.objects.filter(name=declared.name).first()
    was: dict[str, str | int] = {}
    if environment is None:
        environment = Environment.objects.create(name=declared.name, **values)
        event = "environment.declared"
    else:
        was = {key: getattr(environment, key) for key in values}
        if was == values:
            return
        Environment.objects.declare(declared.name, **values)
        event = "environment.changed"
    ledger.append(
        event,
        subject=environment.ref,
        actor=actor,
        data={"from": was, "to": values, "policy_version": version.ref},
    )
