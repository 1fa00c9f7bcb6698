-- What each reservation and savings plan cost in the last days, and how much of that nothing used.
SELECT
    commitmentdiscountid AS commitment,
    max(commitmentdiscounttype) AS commitment_type,
    billingcurrency AS currency,
    sum(CAST(effectivecost AS decimal(38, 12))) AS cost,
    sum(
        CASE WHEN commitmentdiscountstatus = 'Unused'
            THEN CAST(effectivecost AS decimal(38, 12)) ELSE 0 END
    ) AS unused
FROM cost_and_usage
WHERE account_id = :account_id
    AND billing_period >= :first_period
    AND chargecategory = 'Usage'
    AND coalesce(commitmentdiscountid, '') <> ''
    AND chargeperiodstart >= CAST(:first_day AS timestamp)
    AND chargeperiodstart < CAST(:end_day AS timestamp)
GROUP BY 1, 3
HAVING sum(CAST(effectivecost AS decimal(38, 12))) > 0
ORDER BY 1
