-- In the shape of a library for the legacy report: partitions by year and month, flat product
-- columns, costs cast to decimals, text of dates.
SELECT
    bill_payer_account_id,
    line_item_usage_account_id,
    DATE_FORMAT(line_item_usage_start_date, '%Y-%m-%d') AS usage_day,
    product_product_name,
    product_region,
    CASE
        WHEN line_item_usage_type LIKE '%BoxUsage%' THEN SPLIT_PART(line_item_usage_type, ':', 2)
        WHEN REGEXP_LIKE(line_item_usage_type, '(Requests|Storage)') THEN 'Objects'
        ELSE 'Other'
    END AS kind,
    SUM(CAST(line_item_usage_amount AS DOUBLE)) AS usage_amount,
    SUM(CAST(line_item_unblended_cost AS DECIMAL(16, 8))) AS unblended_cost
FROM lake.cost_and_usage_report
WHERE year = '2026' AND (month BETWEEN '7' AND '9' OR month IN ('10', '11'))
    AND product_servicecode <> 'AWSDataTransfer'
    AND line_item_line_item_type NOT IN ('Tax', 'Credit', 'Refund', 'EdpDiscount')
GROUP BY
    bill_payer_account_id,
    line_item_usage_account_id,
    DATE_FORMAT(line_item_usage_start_date, '%Y-%m-%d'),
    product_product_name,
    product_region,
    6
HAVING SUM(line_item_unblended_cost) <> 0
ORDER BY unblended_cost DESC, usage_day
