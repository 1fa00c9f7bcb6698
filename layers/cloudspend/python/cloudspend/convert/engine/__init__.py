"""Columnar conversion machinery, which knows nothing of billing."""
