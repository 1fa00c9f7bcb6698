-- Linked accounts and services that in a compared month only one side has a cost of. A cell of one
-- side that is explained by what passes or by another name is no gap; that AWS does not export a
-- service is one.
WITH sides AS (
    SELECT
        billing_period,
        sub_account_id,
        service,
        currency,
        billed_cost,
        cost_explorer_unblended,
        coalesce(explained_by, '') AS explained_by,
        billed_cost <> 0 OR effective_cost <> 0 OR net_effective_cost <> 0 AS in_lake,
        cost_explorer_unblended <> 0 OR cost_explorer_amortized <> 0
        OR cost_explorer_net_amortized <> 0 AS in_cost_explorer
    FROM reconciliation_cells
    WHERE account_id = :account_id AND billing_period >= :first_period
),

named AS (
    SELECT 'account' AS what, sub_account_id AS name, * FROM sides
    UNION ALL
    SELECT 'service' AS what, service AS name, * FROM sides
)

SELECT
    billing_period,
    what,
    name,
    currency,
    sum(CAST(billed_cost AS decimal(38, 12))) AS billed_cost,
    sum(CAST(cost_explorer_unblended AS decimal(38, 12))) AS cost_explorer_unblended,
    min(CASE WHEN explained_by = 'not in the export' THEN 1 ELSE 0 END) AS not_exported
FROM named
GROUP BY 1, 2, 3, 4
HAVING
    max(CASE WHEN in_lake THEN 1 ELSE 0 END)
    <> max(CASE WHEN in_cost_explorer THEN 1 ELSE 0 END)
    AND max(
        CASE WHEN explained_by NOT IN ('', 'rounding', 'not in the export') THEN 1 ELSE 0 END
    ) = 0
ORDER BY 1, 2, 3
