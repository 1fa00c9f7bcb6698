"""Conversion tasks and their results."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from cloudspend import payloads
from cloudspend.accounts.model import ExportKind
from cloudspend.convert.focus.schema import COST_AND_USAGE
from cloudspend.exports.model import BillingPeriod, DeliveredFile

ROWS_READ = "rows_read"
ROWS_LEFT_OUT = "rows_left_out"
UNKNOWN_COLUMNS = "unknown_columns"
UNKNOWN_CHARGE_TYPES = "unknown_charge_types"
OUTPUTS = "outputs"


@dataclass(frozen=True)
class ConversionTask:
    """Files of one delivery that are converted together: one entry of the plan file.

    `compression` is gzip, zip or parquet. `tables` are the tables to write in the same pass.
    `tag_columns` are tag keys, in any spelling, that get a column of their own in `cost_and_usage`
    (`names.tag_column`).
    """

    account_id: str
    period: BillingPeriod
    generation: str
    task: int
    kind: ExportKind
    compression: str
    files: tuple[DeliveredFile, ...]
    tables: tuple[str, ...] = (COST_AND_USAGE,)
    tag_columns: tuple[str, ...] = ()

    def output_key(self, table: str, part: int = 0) -> str:
        """Return the lake key of a Parquet object. A repeated task returns the same keys."""
        return (
            f"{table}/account_id={self.account_id}/billing_period={self.period}"
            f"/generation={self.generation}/{self.task:05d}-{part:02d}.parquet"
        )

    def to_payload(self) -> dict[str, Any]:
        """Return the task as JSON-ready values, with the keys of `cloudspend.payloads`."""
        return {
            payloads.ACCOUNT_ID: self.account_id,
            payloads.PERIOD: str(self.period),
            payloads.GENERATION: self.generation,
            payloads.TASK: self.task,
            payloads.KIND: str(self.kind),
            payloads.COMPRESSION: self.compression,
            payloads.FILES: [
                {"bucket": file.bucket, "key": file.key, "etag": file.etag, "size": file.size}
                for file in self.files
            ],
            payloads.TABLES: list(self.tables),
            payloads.TAG_COLUMNS: list(self.tag_columns),
        }

    @classmethod
    def from_payload(cls, given: Mapping[str, Any]) -> "ConversionTask":
        """Read a task from the output of `to_payload`."""
        return cls(
            account_id=given[payloads.ACCOUNT_ID],
            period=BillingPeriod.parse(given[payloads.PERIOD]),
            generation=given[payloads.GENERATION],
            task=int(given[payloads.TASK]),
            kind=ExportKind(given[payloads.KIND]),
            compression=given[payloads.COMPRESSION],
            files=tuple(
                DeliveredFile(file["bucket"], file["key"], file["etag"], int(file["size"]))
                for file in given[payloads.FILES]
            ),
            tables=tuple(given[payloads.TABLES]),
            tag_columns=tuple(given[payloads.TAG_COLUMNS]),
        )


@dataclass(frozen=True)
class Output:
    """A Parquet object that was written for `table`; `size` in bytes."""

    table: str
    bucket: str
    key: str
    rows: int
    size: int


@dataclass(frozen=True)
class ConversionSummary:
    """Totals of the source text, to be compared with the totals of the Parquet objects.

    `billed_cost`, `effective_cost` and `list_cost` are the sums that the rows of `cost_and_usage`
    must have, `unblended_cost` the sum of `billing_detail`: exact sums of the source's decimal
    text, in `currency` (ISO 4217; empty when there were no rows). `rows_left_out` counts rows that
    repeat the cost of other rows and are therefore missing from `cost_and_usage`.
    `unknown_charge_types` are line item types without a rule; their rows have the charge category
    Adjustment.
    """

    task: int
    rows_read: int
    rows_left_out: int
    billed_cost: Decimal
    effective_cost: Decimal
    list_cost: Decimal
    unblended_cost: Decimal
    currency: str
    unknown_columns: tuple[str, ...]
    unknown_charge_types: tuple[str, ...]
    outputs: tuple[Output, ...]

    def rows_written(self, table: str) -> int:
        """Return the number of rows that were written for `table`."""
        return sum(output.rows for output in self.outputs if output.table == table)

    def to_payload(self) -> dict[str, Any]:
        """Return the summary as JSON-ready values; money as decimal text without an exponent."""
        return {
            payloads.TASK: self.task,
            ROWS_READ: self.rows_read,
            ROWS_LEFT_OUT: self.rows_left_out,
            payloads.BILLED_COST: format(self.billed_cost, "f"),
            payloads.EFFECTIVE_COST: format(self.effective_cost, "f"),
            payloads.LIST_COST: format(self.list_cost, "f"),
            payloads.UNBLENDED_COST: format(self.unblended_cost, "f"),
            payloads.CURRENCY: self.currency,
            UNKNOWN_COLUMNS: list(self.unknown_columns),
            UNKNOWN_CHARGE_TYPES: list(self.unknown_charge_types),
            OUTPUTS: [asdict(output) for output in self.outputs],
        }

    @classmethod
    def from_payload(cls, given: Mapping[str, Any]) -> "ConversionSummary":
        """Read a summary from the output of `to_payload`."""
        return cls(
            task=int(given[payloads.TASK]),
            rows_read=int(given[ROWS_READ]),
            rows_left_out=int(given[ROWS_LEFT_OUT]),
            billed_cost=Decimal(given[payloads.BILLED_COST]),
            effective_cost=Decimal(given[payloads.EFFECTIVE_COST]),
            list_cost=Decimal(given[payloads.LIST_COST]),
            unblended_cost=Decimal(given[payloads.UNBLENDED_COST]),
            currency=given[payloads.CURRENCY],
            unknown_columns=tuple(given[UNKNOWN_COLUMNS]),
            unknown_charge_types=tuple(given[UNKNOWN_CHARGE_TYPES]),
            outputs=tuple(
                Output(
                    output["table"],
                    output["bucket"],
                    output["key"],
                    int(output["rows"]),
                    int(output["size"]),
                )
                for output in given[OUTPUTS]
            ),
        )


@dataclass(frozen=True)
class ParquetTotals:
    """Row count and sums of a Parquet object. Sums are exact decimals of the stored doubles'
    text.
    """

    rows: int
    sums: Mapping[str, Decimal]
