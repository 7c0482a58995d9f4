"""The admin of projects: scoping is done here, the rest is looked at and commanded."""

from projects.admin import ceremonies, deviations, project, scope, tiers, work

__all__ = ["ceremonies", "deviations", "project", "scope", "tiers", "work"]
