"""Tables with the proof of a period, and their rows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import PublishedPeriod
from cloudspend.lake.tables import ACCOUNT_KEY, PERIOD_KEY, Column, Table, generation_prefix
from cloudspend.reconcile.cells import Cell
from cloudspend.reconcile.compare import Comparison, Measure
from cloudspend.reconcile.coverage import Freshness, coverage, membership
from cloudspend.reconcile.evidence import Agreement
from cloudspend.reconcile.invoice import InvoiceCheck
from cloudspend.reconcile.previous import PreviousComparison
from cloudspend.reconcile.quality import QualityReport
from cloudspend.reconcile.verdict import Judgement

_GENERATION = Column("generation", "string", "The published generation that was compared")
_CURRENCY = Column("currency", "string", "ISO 4217 currency of all costs")

RECONCILIATION = Table(
    name="reconciliation",
    comment="The newest comparison of each published period with Cost Explorer, one row a period",
    partition_keys=(ACCOUNT_KEY, PERIOD_KEY),
    columns=(
        _GENERATION,
        Column("verdict", "string", "certified, provisional or disputed"),
        Column("reason", "string", "Why, as a sentence"),
        Column("final", "boolean", "Whether AWS has closed the bill"),
        Column("rows", "bigint", "Rows that readers see"),
        Column("rows_without_invoice", "bigint", "Rows that belong to no invoice yet"),
        Column("billed_cost", "double", "BilledCost in the lake"),
        Column("effective_cost", "double", "EffectiveCost in the lake"),
        Column("net_effective_cost", "double", "x_NetEffectiveCost in the lake"),
        Column("cost_explorer_unblended", "double", "UnblendedCost in Cost Explorer"),
        Column("cost_explorer_amortized", "double", "AmortizedCost in Cost Explorer"),
        Column("cost_explorer_net_amortized", "double", "NetAmortizedCost in Cost Explorer"),
        Column("explained", "double", "What rules explain of the difference, billed"),
        Column("effective_explained", "double", "What they explain, effective"),
        Column("net_effective_explained", "double", "What they explain, net"),
        Column("residual", "double", "Sum of the cells' absolute residuals, billed"),
        Column("effective_residual", "double", "Sum of the cells' absolute residuals, effective"),
        Column("net_effective_residual", "double", "The same, net; null where it is not compared"),
        Column("cells", "bigint", "Cells compared"),
        Column("cells_explained", "bigint", "Cells that agree only by an explanation"),
        Column("cells_beyond_tolerance", "bigint", "Cells with a residual beyond tolerance"),
        Column("unmapped", "string", "Charge types without a word, separated by commas"),
        Column("services_missing", "string", "Services that only Cost Explorer has"),
        Column("services_extra", "string", "Services that only the lake has"),
        Column("accounts_missing", "string", "Linked accounts that only Cost Explorer has"),
        Column("accounts_extra", "string", "Linked accounts that only the lake has"),
        Column("members_absent", "string", "Members of the month without a charge in the lake"),
        Column("members_unexpected", "string", "Accounts with charges that were no members then"),
        Column("invoices", "bigint", "Invoices compared; null where AWS gives none"),
        Column("invoiced", "double", "What AWS has invoiced"),
        Column("invoice_residual", "double", "Sum of the invoices' absolute residuals"),
        Column("invoices_missing_because", "string", "Why no invoice was compared, as a sentence"),
        Column("delivered_at", "timestamp", "When AWS delivered the generation, in UTC"),
        Column("newest_charge", "string", "The last day within the period that has a charge"),
        Column("charge_age_hours", "double", "From that day's end to now or the period's end"),
        Column("fresh", "boolean", "Whether that is within the target"),
        _CURRENCY,
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
        _GENERATION,
        Column("sub_account_id", "string", "The linked account"),
        Column("service", "string", "The service as Cost Explorer names it"),
        Column("charge_type", "string", "The charge type as Cost Explorer names it, or unmapped"),
        Column("billed_cost", "double", "BilledCost in the lake"),
        Column("cost_explorer_unblended", "double", "UnblendedCost in Cost Explorer"),
        Column("explained", "double", "What rules explain of the difference, billed"),
        Column("residual", "double", "Lake less Cost Explorer less explained, billed"),
        Column("effective_cost", "double", "EffectiveCost in the lake"),
        Column("cost_explorer_amortized", "double", "AmortizedCost in Cost Explorer"),
        Column("effective_explained", "double", "What rules explain, effective"),
        Column("effective_residual", "double", "What remains, effective"),
        Column("net_effective_cost", "double", "x_NetEffectiveCost in the lake"),
        Column("cost_explorer_net_amortized", "double", "NetAmortizedCost in Cost Explorer"),
        Column("net_effective_explained", "double", "What rules explain, net"),
        Column("net_effective_residual", "double", "What remains, net"),
        Column("within_tolerance", "boolean", "Whether the residuals are within tolerance"),
        Column("explained_by", "string", "The rules that explain it, separated by commas"),
        Column("explanation", "string", "Why, as sentences"),
        Column("agreed_at", "timestamp", "When the lake's figures were last Cost Explorer's"),
        Column("differs_since", "timestamp", "When they were first seen not to be, after that"),
        _CURRENCY,
    ),
)

DATA_QUALITY = Table(
    name="data_quality",
    comment="Rows of each period's published generation, compared with the one before",
    partition_keys=(ACCOUNT_KEY, PERIOD_KEY),
    columns=(
        Column("generation", "string", "The published generation"),
        Column("rows", "bigint", "Rows"),
        Column("billed_cost", "double", "BilledCost"),
        Column("corrections", "double", "BilledCost of credits and refunds"),
        Column("correction_rows", "bigint", "Rows of credits and refunds"),
        Column("nulls", "string", "Columns that FOCUS allows no null in, with their nulls"),
        Column("negative_usage_rows", "bigint", "Rows with a negative usage"),
        Column("unknown_charge_types", "string", "Charge types that no rule knows"),
        Column("unknown_columns", "string", "Columns that are kept in x_other"),
        Column("currencies", "string", "ISO 4217 currencies, separated by commas"),
        Column("usage_rows", "bigint", "Rows of charge category Usage"),
        Column("usage_rows_without_resource", "bigint", "Those that name no resource"),
        Column("tag_coverage", "double", "The share of usage rows that bear a tag"),
        Column("previous_generation", "string", "The generation that was published before"),
        Column("previous_rows", "bigint", "Its rows"),
        Column("previous_billed_cost", "double", "Its BilledCost"),
        Column("previous_tag_coverage", "double", "Its share of usage rows that bear a tag"),
        Column("doubts", "string", "What a person should look at, as sentences"),
        Column("losses", "string", "What a closed bill has lost, as sentences"),
        Column("losses_confirmed", "boolean", "Whether Cost Explorer has the same figures"),
        Column("measured_at", "timestamp", "When, in UTC"),
    ),
)

PROOF_TABLES = (RECONCILIATION, RECONCILIATION_CELLS)
TABLES = (*PROOF_TABLES, DATA_QUALITY)


@dataclass(frozen=True)
class Outcome:
    """A reconciliation of a published period.

    `comparison` is None when Cost Explorer did not answer; `at` is in UTC, to the second. `before`
    is the previous comparison, if it was read; for `agreed` see `Evidence`. `members` are those of
    the period, empty if unknown.
    """

    published: PublishedPeriod
    judgement: Judgement
    comparison: Comparison | None
    estimated: bool | None
    ce_requests: int
    at: datetime
    before: PreviousComparison = field(default_factory=PreviousComparison)
    agreed: Mapping[Cell, Agreement] = field(default_factory=dict)
    invoice: InvoiceCheck | None = None
    freshness: Freshness | None = None
    members: frozenset[str] = frozenset()

    @property
    def currency(self) -> str:
        """Return the currency of the published generation, which is that of every figure."""
        return self.published.totals.currency


def prefix(
    table: Table, account_id: str, period: BillingPeriod, generation: str, at: datetime
) -> str:
    """Return the folder of a reconciliation's rows.

    Each reconciliation has its own, so readers of an earlier one are not disturbed and the history
    remains.
    """
    folder = generation_prefix(table.data_folder, account_id, period, generation)
    return f"{folder}reconciled_at={at.astimezone(UTC):%Y%m%dT%H%M%SZ}/"


def summary_row(outcome: Outcome) -> dict[str, Any]:
    """Return the row of `reconciliation`. Values that were not compared are null."""
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
    if outcome.comparison and outcome.members:
        found = membership(outcome.comparison, outcome.members)
        row["members_absent"] = _listed(found.absent)
        row["members_unexpected"] = _listed(found.unexpected)
    if outcome.freshness:
        row |= _freshness(outcome.freshness)
    if outcome.invoice:
        row |= _invoiced(outcome.invoice)
    return row


def cell_rows(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """Yield the rows of `reconciliation_cells`; none if nothing was compared."""
    if not outcome.comparison:
        return
    plain = outcome.comparison.explained_by(())
    why = _explanations(outcome.comparison)
    for cell in outcome.comparison.cells:
        agreement = outcome.agreed.get(cell)
        agrees_now = plain.agrees(cell)
        yield {
            "generation": outcome.published.generation,
            "sub_account_id": cell.account_id,
            "service": cell.service,
            "charge_type": cell.charge_type,
            "within_tolerance": outcome.comparison.agrees(cell),
            "currency": outcome.currency,
            "agreed_at": outcome.at if agrees_now else agreement and agreement.at,
            "differs_since": agreement and agreement.differs_since,
            **why.get(cell, {"explained_by": None, "explanation": None}),
            **_figures(outcome.comparison, cell),
        }


def quality_row(report: QualityReport, *, certified: bool, at: datetime) -> dict[str, Any]:
    """Return the row of `data_quality`."""
    quality, before = report.quality, report.before
    return {
        "generation": quality.generation,
        "rows": quality.rows,
        "billed_cost": float(quality.billed_cost),
        "corrections": float(quality.corrections),
        "correction_rows": quality.correction_rows,
        "nulls": _listed(f"{name}: {count}" for name, count in quality.nulls.items()),
        "negative_usage_rows": quality.negative_usage_rows,
        "unknown_charge_types": _listed(quality.unknown_charge_types),
        "unknown_columns": _listed(quality.unknown_columns),
        "currencies": _listed(quality.currencies),
        "usage_rows": quality.usage_rows,
        "usage_rows_without_resource": quality.usage_rows_without_resource,
        "tag_coverage": _number(quality.tag_coverage),
        "previous_generation": before and before.generation,
        "previous_rows": before and before.rows,
        "previous_billed_cost": before and float(before.billed_cost),
        "previous_tag_coverage": _number(before and before.tag_coverage),
        "doubts": " ".join(report.doubts),
        "losses": " ".join(report.losses),
        "losses_confirmed": certified if report.losses else None,
        "measured_at": at,
    }


def quality_prefix(published: PublishedPeriod) -> str:
    """Return the folder of a generation's row, which is measured once."""
    return generation_prefix(
        DATA_QUALITY.data_folder, published.account_id, published.period, published.generation
    )


def _compared(comparison: Comparison, judgement: Judgement) -> dict[str, Any]:
    lake, cost_explorer = comparison.lake.total, comparison.cost_explorer.total
    plain, known = comparison.explained_by(()), coverage(comparison)
    explained = [c for c in comparison.cells if comparison.agrees(c) and not plain.agrees(c)]
    return {
        "rows": comparison.lake.rows,
        "rows_without_invoice": comparison.lake.rows_without_invoice,
        "billed_cost": float(lake.billed),
        "effective_cost": float(lake.effective),
        "net_effective_cost": float(lake.net),
        "cost_explorer_unblended": float(cost_explorer.billed),
        "cost_explorer_amortized": float(cost_explorer.effective),
        "cost_explorer_net_amortized": float(cost_explorer.net),
        "explained": float(comparison.total_explained.billed),
        "effective_explained": float(comparison.total_explained.effective),
        "net_effective_explained": float(comparison.total_explained.net),
        "residual": float(comparison.residual(Measure.BILLED)),
        "effective_residual": float(comparison.residual(Measure.EFFECTIVE)),
        "net_effective_residual": float(comparison.residual(Measure.NET))
        if Measure.NET in comparison.measures
        else None,
        "cells": len(comparison.cells),
        "cells_explained": len(explained),
        "cells_beyond_tolerance": len({d.cell for d in judgement.differences}),
        "unmapped": _listed(comparison.unmapped),
        "services_missing": _listed(known.services_missing),
        "services_extra": _listed(known.services_extra),
        "accounts_missing": _listed(known.accounts_missing),
        "accounts_extra": _listed(known.accounts_extra),
    }


def _freshness(freshness: Freshness) -> dict[str, Any]:
    age, newest = freshness.charge_age, freshness.newest_charge
    return {
        "delivered_at": freshness.delivered_at,
        "newest_charge": newest and newest.isoformat(),
        "charge_age_hours": None if age is None else age / timedelta(hours=1),
        "fresh": freshness.is_within_target,
    }


def _invoiced(check: InvoiceCheck) -> dict[str, Any]:
    if not check.invoices:
        return {"invoices_missing_because": check.why_none}
    return {
        "invoices": len(check.invoices),
        "invoiced": float(check.total),
        "invoice_residual": float(check.residual),
    }


def _explanations(comparison: Comparison) -> dict[Cell, dict[str, str]]:
    """Return the distinct rules and sentences of each explained cell."""
    rules: dict[Cell, dict[str, None]] = {}
    sentences: dict[Cell, dict[str, None]] = {}
    for each in comparison.explanations:
        rules.setdefault(each.cell, {})[each.rule] = None
        sentences.setdefault(each.cell, {})[each.because] = None
    return {
        cell: {"explained_by": _listed(names), "explanation": " ".join(sentences[cell])}
        for cell, names in rules.items()
    }


def _figures(comparison: Comparison, cell: Cell) -> dict[str, Any]:
    lake, cost_explorer = comparison.lake.of(cell), comparison.cost_explorer.of(cell)
    explained, remaining = comparison.explained(cell), comparison.remaining(cell)
    return {
        "billed_cost": float(lake.billed),
        "cost_explorer_unblended": float(cost_explorer.billed),
        "explained": float(explained.billed),
        "residual": float(remaining.billed),
        "effective_cost": float(lake.effective),
        "cost_explorer_amortized": float(cost_explorer.effective),
        "effective_explained": float(explained.effective),
        "effective_residual": float(remaining.effective),
        "net_effective_cost": float(lake.net),
        "cost_explorer_net_amortized": float(cost_explorer.net),
        "net_effective_explained": float(explained.net),
        "net_effective_residual": float(remaining.net),
    }


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _number(share: object) -> float | None:
    return None if share is None else float(str(share))
