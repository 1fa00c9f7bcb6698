-- What the rows of each invoice come to.
SELECT
    invoiceid AS invoice_id,
    SUM(CAST(billedcost AS DECIMAL(38, 12))) AS billed_cost
FROM cost_and_usage
WHERE account_id = :account_id AND billing_period = :period AND COALESCE(invoiceid, '') <> ''
GROUP BY invoiceid
