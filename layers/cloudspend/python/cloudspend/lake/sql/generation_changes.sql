-- How the billed cost of two generations of a period differs by account and service,
-- the largest difference first.
WITH costs AS (
    SELECT
        coalesce(subaccountid, '') AS account,
        coalesce(servicename, '') AS service,
        sum(
            CASE WHEN generation = :previous_generation
                THEN CAST(billedcost AS decimal(38, 12))
                ELSE CAST(0 AS decimal(38, 12)) END
        ) AS cost_before,
        sum(
            CASE WHEN generation = :generation
                THEN CAST(billedcost AS decimal(38, 12))
                ELSE CAST(0 AS decimal(38, 12)) END
        ) AS cost_after
    FROM cost_and_usage_generations
    WHERE account_id = :account_id
        AND billing_period = :period
        AND generation IN (:previous_generation, :generation)
    GROUP BY coalesce(subaccountid, ''), coalesce(servicename, '')
)

SELECT
    account,
    service,
    cost_before,
    cost_after,
    cost_after - cost_before AS difference
FROM costs
WHERE cost_after <> cost_before
ORDER BY abs(cost_after - cost_before) DESC, account, service
