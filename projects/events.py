"""Ledger events of this app."""

from ledger.registry import register

register("project.created", "Project created")
register("stakeholder.assigned", "Role given to a person")
register("stakeholder.ended", "Role of a person ended")
register("scope.draft_saved", "Draft of a scoping document saved")
register("scope.copied", "Draft of a scoping document begun from another scope or a template")
register("scope.submitted", "Scoping document submitted")
register("scope.withdrawn", "Scoping document withdrawn")
register("scope.approved", "Scoping document approved, its criteria locked")
register("scope.rejected", "Scoping document rejected")
register("scope.superseded", "Scoping document superseded by a later version")
register("sprint.planned", "Sprint planned")
register("sprint.started", "Sprint started")
register("sprint.closed", "Sprint closed")
register("sprint.cancelled", "Sprint cancelled")
register("work_item.added", "Work item added")
register("work_item.moved", "Work item moved")
register("work_item.scheduled", "Work item taken into a sprint")
register("work_item.concluded", "Work item concluded")
register("work_item.run_linked", "Training run linked to a work item")
register("work_item.carried_over", "Unfinished work item carried over to the backlog")
