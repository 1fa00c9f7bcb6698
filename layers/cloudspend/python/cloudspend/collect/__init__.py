"""Collection of AWS's own figures: Cost Explorer, commitments, budgets, invoices, the
organization.
"""
