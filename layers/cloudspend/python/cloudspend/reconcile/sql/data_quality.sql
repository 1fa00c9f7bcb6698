-- What a generation's rows are like, and the same of the one that was published before it. Columns
-- that FOCUS 1.2 allows no null in are counted one by one. Corrections are what AWS takes back:
-- they are the reason for which a closed bill may fall.
SELECT
    generation,
    COUNT(*) AS row_count,
    SUM(CAST(billedcost AS DECIMAL(38, 12))) AS billed_cost,
    SUM(
        CASE
            WHEN x_chargetype IN ('Credit', 'Refund') THEN CAST(billedcost AS DECIMAL(38, 12))
            ELSE CAST(0 AS DECIMAL(38, 12))
        END
    ) AS corrections,
    SUM(CASE WHEN x_chargetype IN ('Credit', 'Refund') THEN 1 ELSE 0 END) AS correction_rows,
    SUM(CASE WHEN consumedquantity < 0 THEN 1 ELSE 0 END) AS negative_usage_rows,
    SUM(CASE WHEN chargecategory = 'Usage' THEN 1 ELSE 0 END) AS usage_rows,
    SUM(
        CASE WHEN chargecategory = 'Usage' AND COALESCE(resourceid, '') = '' THEN 1 ELSE 0 END
    ) AS usage_rows_without_resource,
    SUM(
        CASE
            WHEN chargecategory = 'Usage' AND COALESCE(CARDINALITY(MAP_KEYS(tags)), 0) > 0 THEN 1
            ELSE 0
        END
    ) AS usage_rows_with_tags,
    ARRAY_JOIN(ARRAY_SORT(ARRAY_AGG(DISTINCT x_chargetype)), ', ') AS charge_types,
    ARRAY_JOIN(ARRAY_SORT(ARRAY_AGG(DISTINCT billingcurrency)), ', ') AS currencies,
    ARRAY_JOIN(
        ARRAY_SORT(ARRAY_DISTINCT(FLATTEN(ARRAY_AGG(DISTINCT MAP_KEYS(x_other))))), ', '
    ) AS unknown_columns,
    COUNT(*) - COUNT(billedcost) AS null_billedcost,
    COUNT(*) - COUNT(billingaccountid) AS null_billingaccountid,
    COUNT(*) - COUNT(billingaccounttype) AS null_billingaccounttype,
    COUNT(*) - COUNT(billingcurrency) AS null_billingcurrency,
    COUNT(*) - COUNT(billingperiodend) AS null_billingperiodend,
    COUNT(*) - COUNT(billingperiodstart) AS null_billingperiodstart,
    COUNT(*) - COUNT(chargecategory) AS null_chargecategory,
    COUNT(*) - COUNT(chargefrequency) AS null_chargefrequency,
    COUNT(*) - COUNT(chargeperiodend) AS null_chargeperiodend,
    COUNT(*) - COUNT(chargeperiodstart) AS null_chargeperiodstart,
    COUNT(*) - COUNT(contractedcost) AS null_contractedcost,
    COUNT(*) - COUNT(effectivecost) AS null_effectivecost,
    COUNT(*) - COUNT(listcost) AS null_listcost,
    COUNT(*) - COUNT(providername) AS null_providername,
    COUNT(*) - COUNT(servicecategory) AS null_servicecategory,
    COUNT(*) - COUNT(servicename) AS null_servicename,
    COUNT(*) - COUNT(servicesubcategory) AS null_servicesubcategory,
    COUNT(*) - COUNT(x_netbilledcost) AS null_x_netbilledcost,
    COUNT(*) - COUNT(x_neteffectivecost) AS null_x_neteffectivecost
FROM cost_and_usage_generations
WHERE account_id = :account_id
    AND billing_period = :period
    AND generation IN (:generation, :previous_generation)
GROUP BY generation
