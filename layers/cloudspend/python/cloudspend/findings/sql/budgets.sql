-- The budgets as they were last collected, a row for each of their notifications; one row with
-- nulls for a budget that notifies no one.
SELECT
    b.budget_name,
    b.budget_type,
    b.unit,
    b.limit_amount,
    b.actual_amount,
    b.forecast_amount,
    n.notification_type,
    n.comparison,
    n.threshold,
    n.threshold_type,
    n.state
FROM budgets AS b
LEFT JOIN budget_notifications AS n
    ON n.account_id = b.account_id
    AND n.billing_period = :notified_period
    AND n.budget_name = b.budget_name
WHERE b.account_id = :account_id AND b.billing_period = :period
ORDER BY b.budget_name, n.notification_type, n.threshold
