"""The admin of governance: browse everything; states change through commands only."""

from governance.admin import lineage, policies, promotions, records, reviews

__all__ = ["lineage", "policies", "promotions", "records", "reviews"]
