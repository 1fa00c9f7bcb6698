-- What usage cost in each region in the last days, with the services that cost most there.
SELECT
    regionid AS region,
    billingcurrency AS currency,
    servicename AS service,
    coalesce(nullif(subaccountid, ''), billingaccountid) AS sub_account_id,
    min(CAST(chargeperiodstart AS date)) AS since,
    sum(CAST(effectivecost AS decimal(38, 12))) AS cost
FROM cost_and_usage
WHERE account_id = :account_id
    AND billing_period >= :first_period
    AND chargecategory = 'Usage'
    AND chargeperiodstart >= CAST(:first_day AS timestamp)
    AND chargeperiodstart < CAST(:end_day AS timestamp)
    AND coalesce(regionid, '') NOT IN ('', 'global')
GROUP BY 1, 2, 3, 4
HAVING sum(CAST(effectivecost AS decimal(38, 12))) > 0
ORDER BY 1, 2, 6 DESC
