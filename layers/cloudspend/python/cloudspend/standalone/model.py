"""Values of a standalone conversion: the bill and the result."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from cloudspend.accounts.model import ExportKind
from cloudspend.exports.model import BillingPeriod, DeliveredFile


@dataclass(frozen=True)
class BillFile:
    """A data file and its detected properties. `compression` as in a ConversionTask."""

    file: DeliveredFile
    compression: str
    period: BillingPeriod


@dataclass(frozen=True)
class Bill:
    """All files of the sources: one export kind, one or more billing periods.

    `empty` are data files without rows, which belong to no period.
    """

    kind: ExportKind
    files: tuple[BillFile, ...]
    empty: tuple[DeliveredFile, ...] = ()

    @property
    def size(self) -> int:
        """Return the compressed bytes."""
        return sum(each.file.size for each in self.files)


@dataclass(frozen=True)
class Group:
    """Rows of a table that share a value, and the sums of their costs by column."""

    value: str
    rows: int
    costs: Mapping[str, Decimal]


@dataclass(frozen=True)
class Converted:
    """The written files and their totals.

    `rows_read` counts rows of the source, `rows_written` those of all `files` together. Costs are
    exact sums of the source's decimal text in `currency` (ISO 4217, empty without rows). `groups`
    are read back from the written Parquet: title -> groups, largest cost first.
    """

    kind: ExportKind
    periods: tuple[BillingPeriod, ...]
    rows_read: int
    rows_written: int
    billed_cost: Decimal
    effective_cost: Decimal
    list_cost: Decimal
    currency: str
    unknown_columns: tuple[str, ...]
    unknown_charge_types: tuple[str, ...]
    groups: Mapping[str, tuple[Group, ...]]
    files: tuple[Path, ...]
    empty: tuple[DeliveredFile, ...]
