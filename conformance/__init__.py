"""CloudSpend's `cost_and_usage`, judged by the FinOps Foundation's own validator."""
