"""Onboarded accounts: their state, the registry, invitations and members."""
