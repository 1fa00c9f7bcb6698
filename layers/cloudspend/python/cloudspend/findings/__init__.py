"""Findings: rules over an account's data, cost anomalies, and their life cycle."""
