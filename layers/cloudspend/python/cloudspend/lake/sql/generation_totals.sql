-- What a generation adds up to in Athena: rows, billed, effective and list cost of cost_and_usage,
-- then rows and unblended cost of billing_detail (zeros where it has none), in this order.
-- Decimals, since a sum of doubles depends on the order in which they are added.
WITH cost AS (
    SELECT
        count(*) AS row_count,
        sum(CAST(billedcost AS decimal(38, 12))) AS billed_cost,
        sum(CAST(effectivecost AS decimal(38, 12))) AS effective_cost,
        sum(CAST(listcost AS decimal(38, 12))) AS list_cost
    FROM cost_and_usage_generations
    WHERE account_id = :account_id
        AND billing_period = :period
        AND generation = :generation
),

detail AS (
    SELECT
        count(*) AS detail_rows,
        sum(CAST(line_item_unblended_cost AS decimal(38, 12))) AS unblended_cost
    FROM billing_detail_generations
    WHERE account_id = :account_id
        AND billing_period = :period
        AND generation = :generation
)

SELECT
    cost.row_count,
    coalesce(cost.billed_cost, CAST(0 AS decimal(38, 12))) AS billed_cost,
    coalesce(cost.effective_cost, CAST(0 AS decimal(38, 12))) AS effective_cost,
    coalesce(cost.list_cost, CAST(0 AS decimal(38, 12))) AS list_cost,
    detail.detail_rows,
    coalesce(detail.unblended_cost, CAST(0 AS decimal(38, 12))) AS unblended_cost
FROM cost
CROSS JOIN detail
