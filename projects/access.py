"""Who may do what on a project: one table of action by role, asked by every door.

Superuser status gives no role. Governance and pipeline hold tables of their own for their own
actions.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.actors import Actor
from projects.errors import NotFound, NotPermitted
from projects.models import Project, Stakeholder
from projects.rules.words import role_words

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

Role = Stakeholder.Role

ALL_ROLES: frozenset[str] = frozenset(Role.values)
BUILDERS: frozenset[str] = frozenset(
    {
        Role.LEAD,
        Role.DATA_SCIENTIST,
        Role.DATA_ENGINEER,
        Role.ML_ENGINEER,
        Role.SUBJECT_MATTER_EXPERT,
    }
)
#: Roles that can be asked to sign a scope; the policy of the gate picks among them.
SCOPE_DECIDERS: frozenset[str] = ALL_ROLES - {Role.AUDITOR}

#: Roles that answer for the agreed scope, and so for making it easier.
DEVIATION_DECIDERS: frozenset[str] = frozenset(
    {Role.BUSINESS_OWNER, Role.VALIDATOR, Role.RISK_OFFICER, Role.EXECUTIVE}
)

#: Roles that oversee a project, of which a second one agrees to a lower tier.
TIER_DECIDERS: frozenset[str] = frozenset(
    {Role.BUSINESS_OWNER, Role.VALIDATOR, Role.RISK_OFFICER, Role.PRIVACY_OFFICER, Role.EXECUTIVE}
)

ACTIONS: Mapping[str, frozenset[str]] = {
    "project.view": ALL_ROLES,
    "stakeholder.assign": frozenset({Role.LEAD}),
    "stakeholder.end": frozenset({Role.LEAD}),
    # Business owner, data owner and risk officer sign the scope, so they do not write it.
    "scope.write": BUILDERS,
    "scope.submit": frozenset({Role.LEAD}),
    "scope.edit_editorially": frozenset({Role.LEAD}),
    "scope.withdraw": frozenset({Role.LEAD}),
    "scope.decide": SCOPE_DECIDERS,
    "deviation.explain": BUILDERS,
    # Who loosened a criterion cannot wave it through, whatever their role; see the command.
    "deviation.decide": DEVIATION_DECIDERS,
    "tier.assess": frozenset({Role.RISK_OFFICER, Role.VALIDATOR}),
    # Who assessed it cannot agree, nor anybody who builds; see the command.
    "tier.decide": TIER_DECIDERS,
    "sprint.plan": frozenset({Role.LEAD}),
    "sprint.start": frozenset({Role.LEAD}),
    "sprint.close": frozenset({Role.LEAD}),
    "sprint.cancel": frozenset({Role.LEAD}),
    "sprint.set_capacity": frozenset({Role.LEAD}),
    "sprint.reaffirm": frozenset({Role.LEAD}),
    "board.set_limits": frozenset({Role.LEAD}),
    "work_item.add": BUILDERS | {Role.BUSINESS_OWNER, Role.VALIDATOR, Role.OPERATIONS},
    "work_item.move": BUILDERS,
    "work_item.conclude": BUILDERS,
    "work_item.link_run": BUILDERS,
    "work_item.edit": BUILDERS,
    "work_item.rank": BUILDERS,
    "work_item.depend": BUILDERS,
    "work_item.extend": frozenset({Role.LEAD}),
    "work_item.comment": ALL_ROLES - {Role.AUDITOR},
    "work_item.watch": ALL_ROLES - {Role.AUDITOR},
    "work_item.import": frozenset({Role.LEAD}),
    "attachment.add": BUILDERS | {Role.BUSINESS_OWNER, Role.VALIDATOR, Role.OPERATIONS},
    "ceremony.record": BUILDERS | {Role.BUSINESS_OWNER},
    "retro_action.close": BUILDERS,
    "project.close": frozenset({Role.LEAD}),
}

SYSTEM_ACTIONS: Mapping[str, frozenset[str]] = {
    "governance": frozenset({"scope.decide"}),
    "gateway": frozenset({"work_item.link_run"}),
    "jobs": frozenset({"work_item.link_run"}),
    "clock": frozenset({"work_item.expire"}),
    "monitoring": frozenset({"work_item.add"}),
    "retraining": frozenset({"work_item.add", "work_item.link_run"}),
}


def roles_of(user: "User | AnonymousUser", project: Project) -> frozenset[str]:
    """Return the roles that the user holds on the project today; inactive users hold none."""
    if not user.is_active or user.pk is None:
        return frozenset()
    held = Stakeholder.objects.current().filter(project=project, user_id=user.pk)
    return frozenset(held.values_list("role", flat=True))


def require_role(actor: Actor, project: Project, roles: Collection[str], *, action: str) -> None:
    """Refuse the actor unless they hold one of `roles` on the project today.

    Raises:
        NotFound: a stranger to the project.
        NotPermitted: code `role_missing`; the message names the roles that may. Parts of the
            system hold no roles and are refused: their tables are asked before this.
    """
    held = roles_of(actor.user, project) if actor.user is not None else frozenset()
    if held & frozenset(roles):
        return
    if not held and not _may_browse(actor):
        raise NotFound("There is no such project, or it is not yours to see.")
    names = ", ".join(sorted(map(role_words, roles))) or "nobody"
    raise NotPermitted(
        f"{actor.name} may not do this ({action}) on {project.name}: it takes the role of {names}.",
        code="role_missing",
        details={"action": action, "roles": sorted(roles), "held": sorted(held)},
    )


def eligible_counts(project: Project, *, without: Collection[int]) -> dict[str, int]:
    """Return how many active people hold each role today, leaving out the given user ids."""
    held = Stakeholder.objects.current().filter(project=project, user__is_active=True)
    return dict(Counter(held.exclude(user__in=list(without)).values_list("role", flat=True)))


def _may_browse(actor: Actor) -> bool:
    # Administrators see every row in the admin, so hiding it from them would only mislead.
    return actor.is_system or bool(actor.user and actor.user.is_superuser)


@dataclass(frozen=True, slots=True)
class AccessTable:
    """One app's answer to who may do what; everything that is not in it is refused.

    `roles` maps an action to the roles that may do it, `parts` a part of the system to its
    actions. `every_part` lists what each known part may do.
    """

    roles: Mapping[str, frozenset[str]]
    parts: Mapping[str, frozenset[str]]
    every_part: frozenset[str] = frozenset()

    def require(self, actor: Actor, action: str, project: Project) -> None:
        """Refuse the actor unless the table gives one of their roles this action.

        Raises:
            NotFound: a stranger, who may not learn that the project exists.
            NotPermitted: an insider, an administrator or a part of the system without the right.
        """
        if actor.is_system:
            self._require_part(actor, action)
        else:
            require_role(actor, project, self.roles[action], action=action)

    def can(self, actor: Actor, action: str, project: Project) -> bool:
        """Return whether `require` would let the actor pass."""
        try:
            self.require(actor, action, project)
        except (NotFound, NotPermitted):
            return False
        return True

    def _require_part(self, actor: Actor, action: str) -> None:
        known = self.parts.get(actor.name)
        if known is None or action not in known | self.every_part:
            raise NotPermitted(
                f"The system part {actor.name!r} may not do this ({action}).",
                code="system_not_listed",
                details={"action": action},
            )


TABLE = AccessTable(ACTIONS, SYSTEM_ACTIONS)
require = TABLE.require
can = TABLE.can
