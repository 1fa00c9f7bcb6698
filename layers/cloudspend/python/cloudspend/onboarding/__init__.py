"""Onboarding: from a followed link to an active account."""
