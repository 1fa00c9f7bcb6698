-- What a generation adds up to in Athena: rows, billed, effective and list cost, in this
-- order.
-- Decimals, since a sum of doubles depends on the order in which they are added.
SELECT
    count(*) AS row_count,
    coalesce(sum(CAST(billedcost AS decimal(38, 12))), CAST(0 AS decimal(38, 12))) AS billed_cost,
    coalesce(sum(CAST(effectivecost AS decimal(38, 12))), CAST(0 AS decimal(38, 12)))
        AS effective_cost,
    coalesce(sum(CAST(listcost AS decimal(38, 12))), CAST(0 AS decimal(38, 12))) AS list_cost
FROM cost_and_usage_generations
WHERE account_id = :account_id
    AND billing_period = :period
    AND generation = :generation
