-- What the newest comparison of a billing period recorded of each cell, for any generation it
-- was of. It holds Cost Explorer's figures of that time.
SELECT
    cells.generation,
    cells.sub_account_id,
    cells.service,
    cells.charge_type,
    cells.billed_cost,
    cells.effective_cost,
    cells.net_effective_cost,
    cells.cost_explorer_unblended,
    cells.cost_explorer_amortized,
    cells.cost_explorer_net_amortized,
    CAST(cells.agreed_at AS VARCHAR) AS agreed_at,
    CAST(cells.differs_since AS VARCHAR) AS differs_since,
    CAST(proof.reconciled_at AS VARCHAR) AS reconciled_at
FROM reconciliation_cells AS cells
INNER JOIN reconciliation AS proof
    ON proof.account_id = cells.account_id
    AND proof.billing_period = cells.billing_period
    AND proof.generation = cells.generation
WHERE cells.account_id = :account_id AND cells.billing_period = :period
