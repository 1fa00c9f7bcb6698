"""Generations, publishing, the catalog and the queries."""
