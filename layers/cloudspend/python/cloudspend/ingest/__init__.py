"""Ingest: from a delivery to a published billing period."""
