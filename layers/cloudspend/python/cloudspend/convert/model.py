"""One piece of a conversion, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cloudspend import payload
from cloudspend.accounts.model import ExportKind
from cloudspend.exports.model import BillingPeriod, DeliveredFile

ROWS_READ = "rows_read"
ROWS_WRITTEN = "rows_written"
ROWS_LEFT_OUT = "rows_left_out"
UNKNOWN_COLUMNS = "unknown_columns"
UNKNOWN_CHARGE_TYPES = "unknown_charge_types"
OUTPUT = "output"


@dataclass(frozen=True)
class ConversionTask:
    """Files of one delivery that become one Parquet object: an entry of the plan file."""

    account_id: str
    period: BillingPeriod
    generation: str
    task: int
    kind: ExportKind
    compression: str
    files: tuple[DeliveredFile, ...]

    @property
    def output_key(self) -> str:
        """Where the Parquet object belongs in the lake; the same on every repeat."""
        return (
            f"cost_and_usage/account_id={self.account_id}/billing_period={self.period}"
            f"/generation={self.generation}/{self.task:05d}.parquet"
        )

    def to_payload(self) -> dict[str, Any]:
        """JSON-ready, with the keys of `cloudspend.payload`."""
        return {
            payload.ACCOUNT_ID: self.account_id,
            payload.PERIOD: str(self.period),
            payload.GENERATION: self.generation,
            payload.TASK: self.task,
            payload.KIND: str(self.kind),
            payload.COMPRESSION: self.compression,
            payload.FILES: [
                {"bucket": file.bucket, "key": file.key, "etag": file.etag, "size": file.size}
                for file in self.files
            ],
        }

    @classmethod
    def from_payload(cls, given: Mapping[str, Any]) -> "ConversionTask":
        """Read what `to_payload` wrote."""
        return cls(
            account_id=given[payload.ACCOUNT_ID],
            period=BillingPeriod.parse(given[payload.PERIOD]),
            generation=given[payload.GENERATION],
            task=int(given[payload.TASK]),
            kind=ExportKind(given[payload.KIND]),
            compression=given[payload.COMPRESSION],
            files=tuple(
                DeliveredFile(file["bucket"], file["key"], file["etag"], int(file["size"]))
                for file in given[payload.FILES]
            ),
        )


@dataclass(frozen=True)
class Output:
    """The Parquet object that was written; `size` in bytes."""

    bucket: str
    key: str
    size: int


@dataclass(frozen=True)
class ConversionSummary:
    """What was read from the source text, to be held against what stands in the Parquet object.

    `billed_cost` and `effective_cost` are what the written rows must add up to: exact sums of the
    source's decimal text, in `currency` (ISO 4217; empty when there was no row at all).
    `rows_left_out` counts the rows that repeat cost which other rows hold. `unknown_charge_types`
    are line item types that no rule knows; their rows are charge category Adjustment.
    """

    task: int
    rows_read: int
    rows_written: int
    rows_left_out: int
    billed_cost: Decimal
    effective_cost: Decimal
    currency: str
    unknown_columns: tuple[str, ...]
    unknown_charge_types: tuple[str, ...]
    output: Output

    def to_payload(self) -> dict[str, Any]:
        """JSON-ready; money as decimal text without an exponent."""
        return {
            payload.TASK: self.task,
            ROWS_READ: self.rows_read,
            ROWS_WRITTEN: self.rows_written,
            ROWS_LEFT_OUT: self.rows_left_out,
            payload.BILLED_COST: format(self.billed_cost, "f"),
            payload.EFFECTIVE_COST: format(self.effective_cost, "f"),
            payload.CURRENCY: self.currency,
            UNKNOWN_COLUMNS: list(self.unknown_columns),
            UNKNOWN_CHARGE_TYPES: list(self.unknown_charge_types),
            OUTPUT: {
                "bucket": self.output.bucket,
                "key": self.output.key,
                "size": self.output.size,
            },
        }

    @classmethod
    def from_payload(cls, given: Mapping[str, Any]) -> "ConversionSummary":
        """Read what `to_payload` wrote."""
        output = given[OUTPUT]
        return cls(
            task=int(given[payload.TASK]),
            rows_read=int(given[ROWS_READ]),
            rows_written=int(given[ROWS_WRITTEN]),
            rows_left_out=int(given[ROWS_LEFT_OUT]),
            billed_cost=Decimal(given[payload.BILLED_COST]),
            effective_cost=Decimal(given[payload.EFFECTIVE_COST]),
            currency=given[payload.CURRENCY],
            unknown_columns=tuple(given[UNKNOWN_COLUMNS]),
            unknown_charge_types=tuple(given[UNKNOWN_CHARGE_TYPES]),
            output=Output(output["bucket"], output["key"], int(output["size"])),
        )
