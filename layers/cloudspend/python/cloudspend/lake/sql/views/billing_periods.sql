SELECT
    account_id,
    billing_period,
    generation,
    verdict AS certification,
    reason,
    "rows" AS row_count,
    billed_cost,
    effective_cost,
    cost_explorer_unblended,
    residual,
    currency,
    reconciled_at
FROM reconciliation
