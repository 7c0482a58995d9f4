"""Who may do what with reviews, evidence, promotions and findings: one table for every door."""

from collections.abc import Mapping

from governance.rules.separation import BUILDING_ROLES
from projects.access import ALL_ROLES, AccessTable
from projects.models import Stakeholder

Role = Stakeholder.Role

#: They request reviews of what they built and sign none of it.
BUILDERS: frozenset[str] = BUILDING_ROLES
OVERSIGHT: frozenset[str] = frozenset(
    {Role.BUSINESS_OWNER, Role.VALIDATOR, Role.RISK_OFFICER, Role.PRIVACY_OFFICER, Role.EXECUTIVE}
)
#: Every role but the auditor's, which reads everything and changes nothing.
PARTICIPANTS: frozenset[str] = ALL_ROLES - {Role.AUDITOR}

ACTIONS: Mapping[str, frozenset[str]] = {
    "governance.view": ALL_ROLES,
    "review.request.scoping_document": frozenset({Role.LEAD}),
    "review.request.dataset_version": BUILDERS,
    "review.request.sprint": frozenset({Role.LEAD, Role.DATA_SCIENTIST, Role.ML_ENGINEER}),
    "review.request.model_version": frozenset({Role.LEAD, Role.DATA_SCIENTIST, Role.ML_ENGINEER}),
    "review.request.policy_version": frozenset({Role.LEAD, Role.RISK_OFFICER}),
    "review.evaluate": PARTICIPANTS,
    "review.refresh": PARTICIPANTS,
    "review.sweep": frozenset(),
    "review.sign": PARTICIPANTS,
    "review.withdraw": frozenset({Role.LEAD}),
    # Who requested the review may as well, and of assigning who is asked now.
    "review.assign": frozenset({Role.LEAD}),
    "review.set_due": frozenset({Role.LEAD}),
    "review.suspend": frozenset({Role.LEAD}) | OVERSIGHT,
    "review.give_feedback": PARTICIPANTS,
    # An auditor takes copies along: issuing one changes nothing that anybody decides on.
    "dossier.issue": ALL_ROLES,
    "evidence.record": PARTICIPANTS,
    "check.run": PARTICIPANTS,
    "check.work": frozenset(),
    "condition.meet": OVERSIGHT,
    "waiver.grant": frozenset({Role.BUSINESS_OWNER, Role.RISK_OFFICER, Role.EXECUTIVE}),
    "waiver.revoke": frozenset({Role.BUSINESS_OWNER, Role.RISK_OFFICER, Role.EXECUTIVE}),
    "delegation.give": PARTICIPANTS,
    "delegation.revoke": frozenset({Role.LEAD}),
    "finding.open": ALL_ROLES,
    "finding.resolve": PARTICIPANTS,
    "finding.reopen": PARTICIPANTS,
    "finding.close": PARTICIPANTS,
    "finding.plan": PARTICIPANTS,
    "finding.regrade": OVERSIGHT,
    "promotion.request": frozenset({Role.LEAD, Role.DATA_SCIENTIST, Role.ML_ENGINEER}),
    "promotion.withdraw": frozenset({Role.LEAD, Role.ML_ENGINEER}),
    "promotion.suspend": frozenset({Role.LEAD, Role.ML_ENGINEER}) | OVERSIGHT,
    "promotion.retry": frozenset({Role.LEAD, Role.ML_ENGINEER}),
    # Whoever is on call: going back to what was signed waits for nobody.
    "promotion.roll_back": frozenset(
        {Role.LEAD, Role.ML_ENGINEER, Role.OPERATIONS, Role.BUSINESS_OWNER}
    ),
    "promotion.retire": frozenset({Role.LEAD, Role.ML_ENGINEER, Role.BUSINESS_OWNER}),
    "promotion.apply": frozenset(),
    # Which of these roles may break the glass is for the policy to say.
    "override.request": PARTICIPANTS,
    "override.confirm": PARTICIPANTS,
    "override.decline": PARTICIPANTS,
    "override.end": frozenset({Role.LEAD, Role.ML_ENGINEER}) | OVERSIGHT,
}

_EVERY_PART: frozenset[str] = frozenset({"evidence.record", "finding.open", "review.evaluate"})
SYSTEM_ACTIONS: Mapping[str, frozenset[str]] = {
    "governance": frozenset(
        {
            "review.suspend",
            "promotion.suspend",
            "review.refresh",
            "review.sweep",
            "override.decline",
            "override.end",
        }
    ),
    "promotion": frozenset({"promotion.apply", "promotion.suspend"}),
    "monitoring": frozenset({"review.suspend", "promotion.suspend"}),
    "serving": frozenset({"promotion.suspend"}),
    "reconciler": frozenset({"promotion.suspend"}),
    "checks": frozenset({"check.work"}),
    # It asks for the release of the rows that it assembled, and for the model learned from them.
    "retraining": frozenset(
        {"promotion.request", "review.request.model_version", "review.request.dataset_version"}
    ),
    "gateway": frozenset(),
    "jobs": frozenset(),
}


TABLE = AccessTable(ACTIONS, SYSTEM_ACTIONS, _EVERY_PART)
require = TABLE.require
can = TABLE.can
