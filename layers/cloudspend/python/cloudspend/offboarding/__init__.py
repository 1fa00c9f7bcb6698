"""Offboarding: list, remove and prove the removal of an account's data."""
