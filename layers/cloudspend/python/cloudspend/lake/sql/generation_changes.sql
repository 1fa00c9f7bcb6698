-- The costs of two generations of a period by account, service and charge type, for every account
-- and service where some charge type's cost differs; the largest difference of the billed cost
-- first. Decimals, so that equal bills have equal sums.
WITH costs AS (
    SELECT
        generation,
        coalesce(subaccountid, '') AS account,
        coalesce(servicename, '') AS service,
        coalesce(x_chargetype, '') AS charge_type,
        CAST(billedcost AS decimal(38, 12)) AS billed,
        CAST(effectivecost AS decimal(38, 12)) AS effective
    FROM cost_and_usage_generations
    WHERE account_id = :account_id
        AND billing_period = :period
        AND generation IN (:previous_generation, :generation)
),

sums AS (
    SELECT
        account,
        service,
        charge_type,
        coalesce(sum(billed) FILTER (WHERE generation = :previous_generation), 0) AS billed_before,
        coalesce(sum(billed) FILTER (WHERE generation = :generation), 0) AS billed_after,
        coalesce(sum(effective) FILTER (WHERE generation = :previous_generation), 0)
            AS effective_before,
        coalesce(sum(effective) FILTER (WHERE generation = :generation), 0) AS effective_after
    FROM costs
    GROUP BY account, service, charge_type
),

compared AS (
    SELECT
        *,
        bool_or(billed_after <> billed_before OR effective_after <> effective_before)
            OVER (PARTITION BY account, service) AS differs
    FROM sums
)

SELECT
    account,
    service,
    charge_type,
    billed_before,
    billed_after,
    effective_before,
    effective_after
FROM compared
WHERE differs
ORDER BY
    abs(billed_after - billed_before) DESC,
    abs(effective_after - effective_before) DESC,
    account,
    service,
    charge_type
