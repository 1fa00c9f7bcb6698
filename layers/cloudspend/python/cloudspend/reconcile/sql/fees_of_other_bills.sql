-- Fees that the bills of the months before and after bear with a date within this one: Cost
-- Explorer may show them here. Only fees are dated away from the bill that they stand in.
SELECT
    COALESCE(NULLIF(subaccountid, ''), billingaccountid) AS sub_account_id,
    x_servicecode AS service_code,
    servicename AS service_name,
    CASE
        WHEN x_servicecode = 'AmazonEC2' THEN REGEXP_EXTRACT(x_usagetype, '([^-:]+)(:|$)', 1)
    END AS usage_family,
    x_chargetype AS charge_type,
    SUM(CAST(billedcost AS DECIMAL(38, 12))) AS billed_cost,
    SUM(CAST(effectivecost AS DECIMAL(38, 12))) AS effective_cost,
    SUM(CAST(COALESCE(x_neteffectivecost, effectivecost) AS DECIMAL(38, 12))) AS net_cost
FROM cost_and_usage
WHERE account_id = :account_id
    AND billing_period IN (:previous_period, :next_period)
    AND x_chargetype IN ('Fee', 'RIFee', 'SavingsPlanUpfrontFee', 'SavingsPlanRecurringFee')
    AND chargeperiodstart >= CAST(:first_day AS TIMESTAMP)
    AND chargeperiodstart < CAST(:end_day AS TIMESTAMP)
GROUP BY 1, 2, 3, 4, 5
