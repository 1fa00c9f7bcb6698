"""AWS adapters of the alerts room: EventBridge, SNS and SQS."""
