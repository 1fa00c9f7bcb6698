-- Each published period with its proof. Generation and totals are what readers see at this moment,
-- taken from the files that they read; a reconciliation counts only for the generation that it
-- compared, so that no period borrows the certificate of an earlier delivery.
WITH published AS (
    SELECT
        account_id,
        billing_period,
        regexp_extract("$path", 'generation=([^/]+)/', 1) AS generation,
        count(*) AS row_count,
        CAST(sum(CAST(billedcost AS decimal(38, 12))) AS double) AS billed_cost,
        CAST(sum(CAST(effectivecost AS decimal(38, 12))) AS double) AS effective_cost,
        max(billingcurrency) AS currency
    FROM cost_and_usage
    GROUP BY account_id, billing_period, regexp_extract("$path", 'generation=([^/]+)/', 1)
)

SELECT
    published.account_id,
    published.billing_period,
    published.generation,
    coalesce(reconciliation.verdict, 'provisional') AS certification,
    coalesce(reconciliation.reason, 'Not compared with Cost Explorer yet.') AS reason,
    published.row_count,
    published.billed_cost,
    published.effective_cost,
    reconciliation.cost_explorer_unblended,
    reconciliation.explained,
    reconciliation.residual,
    reconciliation.services_missing,
    reconciliation.accounts_missing,
    reconciliation.newest_charge,
    reconciliation.fresh,
    data_quality.doubts,
    published.currency,
    reconciliation.reconciled_at
FROM published
LEFT JOIN reconciliation
    ON reconciliation.account_id = published.account_id
    AND reconciliation.billing_period = published.billing_period
    AND reconciliation.generation = published.generation
LEFT JOIN data_quality
    ON data_quality.account_id = published.account_id
    AND data_quality.billing_period = published.billing_period
    AND data_quality.generation = published.generation
