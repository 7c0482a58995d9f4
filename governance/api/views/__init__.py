"""REST resources of governance."""
