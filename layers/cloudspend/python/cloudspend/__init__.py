"""CloudSpend: from a customer's AWS account to reconciled cost data.

Rooms, in the order in which they may import one another (only to the right):

    cli -> wiring -> insights -> reconcile -> collect -> lake -> convert
        -> exports -> access -> accounts -> alerts -> settings -> errors
"""
