-- What moved since a day: of each linked account and service the usage types and resources whose
-- cost a day has grown most, against the two weeks before that day.
WITH parts AS (
    SELECT
        coalesce(nullif(subaccountid, ''), billingaccountid) AS sub_account_id,
        servicename AS service,
        coalesce(x_usagetype, skumeter, '') AS usage_type,
        coalesce(resourceid, '') AS resource,
        sum(
            CASE WHEN chargeperiodstart < CAST(:since_day AS timestamp)
                THEN CAST(effectivecost AS decimal(38, 12)) END
        ) AS cost_before,
        sum(
            CASE WHEN chargeperiodstart >= CAST(:since_day AS timestamp)
                THEN CAST(effectivecost AS decimal(38, 12)) END
        ) AS cost_after
    FROM cost_and_usage
    WHERE account_id = :account_id
        AND billing_period >= :first_period
        AND chargecategory = 'Usage'
        AND chargeperiodstart >= CAST(:first_day AS timestamp)
        AND chargeperiodstart < CAST(:end_day AS timestamp)
    GROUP BY 1, 2, 3, 4
),

by_day AS (
    SELECT
        sub_account_id,
        service,
        usage_type,
        resource,
        coalesce(cost_before, 0)
        / date_diff('day', CAST(:first_day AS date), CAST(:since_day AS date)) AS a_day_before,
        coalesce(cost_after, 0)
        / date_diff('day', CAST(:since_day AS date), CAST(:end_day AS date)) AS a_day_after
    FROM parts
),

ranked AS (
    SELECT
        by_day.*,
        row_number() OVER (
            PARTITION BY sub_account_id, service ORDER BY a_day_after - a_day_before DESC
        ) AS place
    FROM by_day
    WHERE a_day_after > a_day_before
)

SELECT sub_account_id, service, usage_type, resource, a_day_before, a_day_after
FROM ranked
WHERE place <= 5
ORDER BY sub_account_id, service, place
