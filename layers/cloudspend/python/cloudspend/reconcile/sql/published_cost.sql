-- What readers see of one billing period, in the words from which Cost Explorer's can be derived.
-- Costs are stored as doubles and summed as decimals, so that the order of rows changes nothing.
-- The usage family is the usage type without its region and its size: USE2-BoxUsage:m5.large has
-- BoxUsage. Only EC2 needs it, whose costs Cost Explorer shows as two services.
SELECT
    COALESCE(NULLIF(subaccountid, ''), billingaccountid) AS sub_account_id,
    x_servicecode AS service_code,
    servicename AS service_name,
    CASE
        WHEN x_servicecode = 'AmazonEC2' THEN REGEXP_EXTRACT(x_usagetype, '([^-:]+)(:|$)', 1)
    END AS usage_family,
    x_chargetype AS charge_type,
    billingcurrency AS currency,
    COUNT(*) AS row_count,
    SUM(CASE WHEN COALESCE(invoiceid, '') = '' THEN 1 ELSE 0 END) AS rows_without_invoice,
    SUM(CAST(billedcost AS DECIMAL(38, 12))) AS billed_cost,
    SUM(CAST(effectivecost AS DECIMAL(38, 12))) AS effective_cost
FROM cost_and_usage
WHERE account_id = :account_id AND billing_period = :period
GROUP BY 1, 2, 3, 4, 5, 6
