"""Pages and scoring addresses of the pipeline app."""
