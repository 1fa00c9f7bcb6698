-- What readers see of one billing period, in the words from which Cost Explorer's can be derived.
-- Costs are stored as doubles and summed as decimals, so that the order of rows changes nothing.
-- The usage family is the usage type without its region and its size: USE2-BoxUsage:m5.large has
-- BoxUsage. Only EC2 needs it, whose costs Cost Explorer shows as two services.
-- The part is where a charge's own date lies: outside of the period that AWS bills it in, on the
-- days that are still being counted, or before them.
SELECT
    COALESCE(NULLIF(subaccountid, ''), billingaccountid) AS sub_account_id,
    x_servicecode AS service_code,
    servicename AS service_name,
    CASE
        WHEN x_servicecode = 'AmazonEC2' THEN REGEXP_EXTRACT(x_usagetype, '([^-:]+)(:|$)', 1)
    END AS usage_family,
    x_chargetype AS charge_type,
    billingcurrency AS currency,
    CASE
        WHEN chargeperiodstart < CAST(:first_day AS TIMESTAMP)
            OR chargeperiodstart >= CAST(:end_day AS TIMESTAMP) THEN 'outside'
        WHEN chargeperiodstart >= CAST(:unsettled_day AS TIMESTAMP) THEN 'unsettled'
        ELSE 'settled'
    END AS part,
    CAST(MAX(chargeperiodstart) AS VARCHAR) AS newest,
    COUNT(*) AS row_count,
    SUM(CASE WHEN COALESCE(invoiceid, '') = '' THEN 1 ELSE 0 END) AS rows_without_invoice,
    SUM(CAST(billedcost AS DECIMAL(38, 12))) AS billed_cost,
    SUM(CAST(effectivecost AS DECIMAL(38, 12))) AS effective_cost,
    SUM(CAST(COALESCE(x_neteffectivecost, effectivecost) AS DECIMAL(38, 12))) AS net_cost
FROM cost_and_usage
WHERE account_id = :account_id AND billing_period = :period
GROUP BY 1, 2, 3, 4, 5, 6, 7
