"""A delivery's files become Parquet: one mapping per export kind, readable as a table."""
