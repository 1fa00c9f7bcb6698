-- Cost by month, linked account and service: from the bill, and from Cost Explorer for months whose bill
-- is not here (yet). As soon as a month is published its estimate is gone. No estimate is taken of a linked
-- account whose month is in another bill, and where two accounts tell of one the organization's counts.
WITH billed AS (
    SELECT
        account_id,
        billing_period,
        subaccountid AS sub_account_id,
        servicename AS service,
        CAST(sum(CAST(billedcost AS decimal(38, 12))) AS double) AS billed_cost,
        CAST(sum(CAST(effectivecost AS decimal(38, 12))) AS double) AS effective_cost,
        billingcurrency AS currency
    FROM cost_and_usage
    GROUP BY
        account_id,
        billing_period,
        subaccountid,
        servicename,
        billingcurrency
),

months AS (
    SELECT DISTINCT account_id, billing_period FROM billed
),

members AS (
    SELECT DISTINCT billing_period, sub_account_id FROM billed
),

figures AS (
    SELECT
        account_id,
        billing_period,
        sub_account_id,
        service,
        unblended_cost,
        coalesce(net_amortized_cost, amortized_cost) AS amortized_cost,
        currency,
        dense_rank() OVER (
            PARTITION BY billing_period, sub_account_id
            ORDER BY CASE WHEN account_id = sub_account_id THEN 1 ELSE 0 END, account_id
        ) AS place
    FROM cost_explorer_monthly_services
)

SELECT
    account_id,
    billing_period,
    sub_account_id,
    service,
    billed_cost,
    effective_cost,
    currency,
    false AS estimate
FROM billed
UNION ALL
SELECT
    figures.account_id,
    figures.billing_period,
    figures.sub_account_id,
    figures.service,
    figures.unblended_cost AS billed_cost,
    figures.amortized_cost AS effective_cost,
    figures.currency,
    true AS estimate
FROM figures
LEFT JOIN months
    ON months.account_id = figures.account_id
    AND months.billing_period = figures.billing_period
LEFT JOIN members
    ON members.billing_period = figures.billing_period
    AND members.sub_account_id = figures.sub_account_id
WHERE
    figures.place = 1
    AND months.account_id IS NULL
    AND members.sub_account_id IS NULL
