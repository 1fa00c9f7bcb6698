"""The onboarded account, its life, and the registry that remembers it."""
