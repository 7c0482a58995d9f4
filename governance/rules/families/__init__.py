"""The checks that come with this package, by what they look at."""

from governance.rules.families import data, evidence, models, runs, scopes, sprints, standing, work
from governance.rules.registry import BUILT_IN, NamedCheck

__all__ = ["CHECKS", "NamedCheck"]

#: The modules register their checks when they are imported.
_MODULES = (scopes, data, runs, models, evidence, standing, sprints, work)
CHECKS = BUILT_IN
