-- In the shape of a view of resources over the last days: distinct rows of usage alone.
SELECT DISTINCT
    date_trunc('day', line_item_usage_start_date) AS usage_date,
    line_item_resource_id AS resource_id,
    product['product_name'] AS product_name,
    product['tenancy'] AS tenancy,
    product['storage'] AS storage,
    product_instance_type AS instance_type,
    lower(split_part(product_instance_type, '.', 1)) AS family,
    sum(line_item_usage_amount) AS usage_quantity,
    sum(line_item_unblended_cost) AS unblended_cost,
    sum(savings_plan_savings_plan_effective_cost) AS savings_plan_cost,
    sum(reservation_effective_cost) AS reservation_cost
FROM lake.cost_and_usage_report
WHERE (current_date - INTERVAL '36500' DAY) <= line_item_usage_start_date
    AND line_item_resource_id <> ''
    AND line_item_line_item_type IN ('Usage', 'SavingsPlanCoveredUsage', 'DiscountedUsage')
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY 1, 2
