-- In the shape of a study of storage: steps that build on one another, prices by division, ranks.
WITH storage AS (
    SELECT
        bill_billing_period_start_date,
        line_item_product_code,
        line_item_usage_type,
        pricing_unit,
        SUM(line_item_usage_amount) AS gigabytes,
        SUM(line_item_unblended_cost) AS cost
    FROM lake.billing_detail
    WHERE line_item_line_item_type = 'Usage'
        AND coalesce(line_item_usage_type, '') NOT LIKE '%Snap%'
        AND pricing_unit LIKE 'GB-Mo%'
    GROUP BY 1, 2, 3, 4
),

priced AS (
    SELECT *, cost / gigabytes AS unit_cost
    FROM storage
)

SELECT
    date_format(bill_billing_period_start_date, '%Y-%m') AS period,
    line_item_usage_type,
    gigabytes,
    unit_cost,
    CASE WHEN gigabytes <= 150 THEN 'under 150' ELSE 'over 150' END AS size,
    row_number() OVER (PARTITION BY line_item_product_code ORDER BY cost DESC) AS place,
    round(100.0 * cost / sum(cost) OVER (), 2) AS share
FROM priced
ORDER BY line_item_usage_type
