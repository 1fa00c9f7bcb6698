-- Cost a billing period by account. An account's name may change within a month: one is shown.
SELECT
    account_id,
    billing_period,
    subaccountid AS sub_account_id,
    max(subaccountname) AS sub_account_name,
    count(*) AS row_count,
    CAST(sum(CAST(billedcost AS decimal(38, 12))) AS double) AS billed_cost,
    CAST(sum(CAST(effectivecost AS decimal(38, 12))) AS double) AS effective_cost,
    billingcurrency AS currency
FROM cost_and_usage
GROUP BY account_id, billing_period, subaccountid, billingcurrency
