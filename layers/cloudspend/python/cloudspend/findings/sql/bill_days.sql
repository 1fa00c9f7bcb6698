-- From which day to which day the account has usage at all.
SELECT
    min(CAST(chargeperiodstart AS date)) AS first_day,
    max(CAST(chargeperiodstart AS date)) AS last_day
FROM cost_and_usage
WHERE account_id = :account_id
    AND billing_period >= :first_period
    AND chargecategory = 'Usage'
