"""Charts: pure drawing on matplotlib; each picture carries its numbers as a table."""
