"""Columnar conversion machinery. Knows nothing of billing."""
