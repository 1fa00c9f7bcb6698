"""Conversion of delivered files to Parquet tables, with one mapping per export kind."""
