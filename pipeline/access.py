"""Who may do what with data, deployments, monitors and jobs; one table for every door."""

from collections.abc import Mapping

from projects.access import AccessTable
from projects.models import Stakeholder

Role = Stakeholder.Role

BUILDERS = frozenset({Role.DATA_SCIENTIST, Role.DATA_ENGINEER, Role.ML_ENGINEER})
OPERATORS = frozenset({Role.ML_ENGINEER, Role.OPERATIONS})
OWNERS = frozenset({Role.BUSINESS_OWNER, Role.RISK_OFFICER, Role.LEAD})

ACTIONS: Mapping[str, frozenset[str]] = {
    "dataset.register": BUILDERS | {Role.DATA_OWNER},
    "dataset.explore": BUILDERS | {Role.DATA_OWNER, Role.VALIDATOR},
    "deployment.create": OPERATORS,
    "deployment.stop": OPERATORS | OWNERS,
    "deployment.score": BUILDERS | OPERATORS | {Role.BUSINESS_OWNER, Role.LEAD, Role.VALIDATOR},
    "deployment.label": BUILDERS | OPERATORS | {Role.DATA_OWNER},
    "monitor.configure": OPERATORS | {Role.DATA_SCIENTIST},
    "monitor.run": OPERATORS | {Role.DATA_SCIENTIST, Role.VALIDATOR},
    "retraining.configure": OPERATORS | {Role.LEAD},
    "retraining.run": OPERATORS | {Role.DATA_SCIENTIST},
    "training.run": BUILDERS,
    "registry.reconcile": OPERATORS | {Role.LEAD, Role.RISK_OFFICER, Role.AUDITOR},
    "job.cancel": BUILDERS | OPERATORS | {Role.LEAD},
    "job.retry": BUILDERS | OPERATORS | {Role.LEAD},
}

#: What a part of the system may do; it holds no role and can never sign.
SYSTEM_ACTIONS: Mapping[str, frozenset[str]] = {
    "promotion": frozenset({"deployment.refresh"}),
    "serving": frozenset({"deployment.refuse"}),
    "monitoring": frozenset({"monitor.run", "retraining.run"}),
    "retraining": frozenset({"retraining.run", "dataset.register", "dataset.explore"}),
    "reconciler": frozenset({"registry.reconcile"}),
    "schedule": frozenset({"monitor.run", "retraining.run", "registry.reconcile"}),
}


TABLE = AccessTable(ACTIONS, SYSTEM_ACTIONS)
require = TABLE.require
can = TABLE.can
