"""Events, messages and subscriptions in EventBridge, SNS and SQS."""
