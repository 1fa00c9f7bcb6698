"""CloudSpend: from a customer's AWS account to reconciled cost data.

Rooms, in the order in which they may import each other (only to the right):

    cli -> wiring -> offboarding : sweep : onboarding -> findings -> reconcile -> collect
        -> ingest : standalone -> lake -> convert -> exports -> access -> accounts -> alerts
        -> aws -> settings : payloads -> errors
"""
