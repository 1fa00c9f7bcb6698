-- What AWS recommended to reserve when it was last asked.
SELECT
    service,
    term,
    payment_option,
    sub_account_id,
    region,
    instance_type,
    platform,
    currency,
    recommended_instances,
    monthly_savings,
    monthly_on_demand_cost,
    upfront_cost
FROM reservation_recommendations
WHERE account_id = :account_id AND billing_period = :period
ORDER BY service, term, monthly_savings DESC
