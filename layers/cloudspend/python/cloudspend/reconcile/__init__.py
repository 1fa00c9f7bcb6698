"""Reconciliation: compare published periods with AWS's own figures, explain differences,
certify.
"""
