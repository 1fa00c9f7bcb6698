"""Catalog of events, alert messages, subscriptions and dead letters."""
