"""What a person should know: findings, the rules that make them, and anomalies of cost."""
