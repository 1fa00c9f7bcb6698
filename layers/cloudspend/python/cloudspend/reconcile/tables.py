"""The tables in which analysts find the proof of a period, and what their rows hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import PublishedPeriod
from cloudspend.lake.tables import ACCOUNT_KEY, PERIOD_KEY, Column, Table, generation_prefix
from cloudspend.reconcile.cells import Cell, Costs
from cloudspend.reconcile.compare import Comparison, Measure
from cloudspend.reconcile.verdict import Judgement

RECONCILIATION = Table(
    name="reconciliation",
    comment="The newest comparison of each published period with Cost Explorer, one row a period",
    partition_keys=(ACCOUNT_KEY, PERIOD_KEY),
    columns=(
        Column("generation", "string", "The published generation that was compared"),
        Column("verdict", "string", "certified, provisional or disputed"),
        Column("reason", "string", "Why, as a sentence"),
        Column("final", "boolean", "Whether AWS has closed the bill"),
        Column("rows", "bigint", "Rows that readers see"),
        Column("rows_without_invoice", "bigint", "Rows that belong to no invoice yet"),
        Column("billed_cost", "double", "BilledCost in the lake"),
        Column("effective_cost", "double", "EffectiveCost in the lake"),
        Column("cost_explorer_unblended", "double", "UnblendedCost in Cost Explorer"),
        Column("cost_explorer_amortized", "double", "AmortizedCost in Cost Explorer"),
        Column("residual", "double", "Sum of the cells' absolute residuals, billed"),
        Column("effective_residual", "double", "Sum of the cells' absolute residuals, effective"),
        Column("cells", "bigint", "Cells compared"),
        Column("cells_beyond_tolerance", "bigint", "Cells with a residual beyond tolerance"),
        Column("unmapped", "string", "Charge types without a word, separated by commas"),
        Column("currency", "string", "ISO 4217 currency of all costs"),
        Column("estimated", "boolean", "Whether Cost Explorer calls its figures an estimate"),
        Column("ce_requests", "bigint", "Requests to Cost Explorer that it took (0.01 USD each)"),
        Column("reconciled_at", "timestamp", "When, in UTC"),
    ),
)

RECONCILIATION_CELLS = Table(
    name="reconciliation_cells",
    comment="The same comparison by linked account, Cost Explorer's service and charge type",
    partition_keys=(ACCOUNT_KEY, PERIOD_KEY),
    columns=(
        Column("generation", "string", "The published generation that was compared"),
        Column("sub_account_id", "string", "The linked account"),
        Column("service", "string", "The service as Cost Explorer names it"),
        Column("charge_type", "string", "The charge type as Cost Explorer names it, or unmapped"),
        Column("billed_cost", "double", "BilledCost in the lake"),
        Column("cost_explorer_unblended", "double", "UnblendedCost in Cost Explorer"),
        Column("residual", "double", "Lake less Cost Explorer, billed"),
        Column("effective_cost", "double", "EffectiveCost in the lake"),
        Column("cost_explorer_amortized", "double", "AmortizedCost in Cost Explorer"),
        Column("effective_residual", "double", "Lake less Cost Explorer, effective"),
        Column("within_tolerance", "boolean", "Whether both residuals are within tolerance"),
        Column("currency", "string", "ISO 4217 currency of all costs"),
    ),
)

TABLES = (RECONCILIATION, RECONCILIATION_CELLS)


@dataclass(frozen=True)
class Outcome:
    """One reconciliation of a published period. `comparison` is None when Cost Explorer could not
    be asked; `at` is in UTC, to the second."""

    published: PublishedPeriod
    judgement: Judgement
    comparison: Comparison | None
    estimated: bool | None
    ce_requests: int
    at: datetime

    @property
    def currency(self) -> str:
        """The published generation's, which every figure is in."""
        return self.published.totals.currency


def prefix(
    table: Table, account_id: str, period: BillingPeriod, generation: str, at: datetime
) -> str:
    """Where the rows of one reconciliation stand. Each has a folder of its own, so that readers
    of the earlier one are not disturbed and the history stays."""
    folder = generation_prefix(table.data_folder, account_id, period, generation)
    return f"{folder}reconciled_at={at.astimezone(UTC):%Y%m%dT%H%M%SZ}/"


def summary_row(outcome: Outcome) -> dict[str, Any]:
    """The row of `reconciliation`. What could not be compared is null."""
    judgement, totals = outcome.judgement, outcome.published.totals
    row: dict[str, Any] = dict.fromkeys(column.name for column in RECONCILIATION.columns)
    row |= {
        "generation": outcome.published.generation,
        "verdict": str(judgement.verdict),
        "reason": judgement.reason,
        "final": judgement.final,
        "rows": totals.rows,
        "billed_cost": float(totals.billed_cost),
        "effective_cost": float(totals.effective_cost),
        "currency": outcome.currency,
        "estimated": outcome.estimated,
        "ce_requests": outcome.ce_requests,
        "reconciled_at": outcome.at,
    }
    if outcome.comparison:
        row |= _compared(outcome.comparison, judgement)
    return row


def _compared(comparison: Comparison, judgement: Judgement) -> dict[str, Any]:
    lake, cost_explorer = comparison.lake.total, comparison.cost_explorer.total
    return {
        "rows": comparison.lake.rows,
        "rows_without_invoice": comparison.lake.rows_without_invoice,
        "billed_cost": float(lake.billed),
        "effective_cost": float(lake.effective),
        "cost_explorer_unblended": float(cost_explorer.billed),
        "cost_explorer_amortized": float(cost_explorer.effective),
        "residual": float(comparison.residual(Measure.BILLED)),
        "effective_residual": float(comparison.residual(Measure.EFFECTIVE)),
        "cells": len(comparison.cells),
        "cells_beyond_tolerance": len({d.cell for d in judgement.differences}),
        "unmapped": ", ".join(comparison.unmapped),
    }


def cell_rows(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """The rows of `reconciliation_cells`; none when nothing could be compared."""
    if not outcome.comparison:
        return
    lake, cost_explorer = outcome.comparison.lake.cells, outcome.comparison.cost_explorer.cells
    off = {difference.cell for difference in outcome.judgement.differences}
    for cell in outcome.comparison.cells:
        yield {
            "generation": outcome.published.generation,
            "within_tolerance": cell not in off,
            "currency": outcome.currency,
            **_figures(cell, lake.get(cell, Costs()), cost_explorer.get(cell, Costs())),
        }


def _figures(cell: Cell, lake: Costs, cost_explorer: Costs) -> dict[str, Any]:
    return {
        "sub_account_id": cell.account_id,
        "service": cell.service,
        "charge_type": cell.charge_type,
        "billed_cost": float(lake.billed),
        "cost_explorer_unblended": float(cost_explorer.billed),
        "residual": float(lake.billed - cost_explorer.billed),
        "effective_cost": float(lake.effective),
        "cost_explorer_amortized": float(cost_explorer.effective),
        "effective_residual": float(lake.effective - cost_explorer.effective),
    }
