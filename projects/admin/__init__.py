"""The admin of projects: scoping is done here, the rest is looked at and commanded."""

from projects.admin import ceremonies, project, scope, work

__all__ = ["ceremonies", "project", "scope", "work"]
