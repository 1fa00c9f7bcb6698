-- Daily cost of usage by linked account and service, amortized, so that neither an upfront payment
-- nor a monthly invoice is a peak. Only of those that could stand out in the last days: at least
-- one of these has cost `floor`. Purchases, taxes, credits and refunds are no usage.
WITH daily AS (
    SELECT
        coalesce(nullif(subaccountid, ''), billingaccountid) AS sub_account_id,
        servicename AS service,
        CAST(chargeperiodstart AS date) AS day,
        billingcurrency AS currency,
        sum(CAST(effectivecost AS decimal(38, 12))) AS cost
    FROM cost_and_usage
    WHERE account_id = :account_id
        AND billing_period >= :first_period
        AND chargecategory = 'Usage'
        AND chargeperiodstart >= CAST(:first_day AS timestamp)
        AND chargeperiodstart < CAST(:end_day AS timestamp)
    GROUP BY 1, 2, 3, 4
),

lively AS (
    SELECT sub_account_id, service, currency
    FROM daily
    WHERE day >= CAST(:recent_day AS date)
    GROUP BY sub_account_id, service, currency
    HAVING max(cost) >= CAST(:floor AS decimal(38, 12))
)

SELECT daily.sub_account_id, daily.service, daily.currency, daily.day, daily.cost
FROM daily
INNER JOIN lively
    ON lively.sub_account_id = daily.sub_account_id
    AND lively.service = daily.service
    AND lively.currency = daily.currency
ORDER BY 1, 2, 3, 4
