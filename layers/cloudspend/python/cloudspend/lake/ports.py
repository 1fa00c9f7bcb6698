"""What the lake needs from outside: the registry's generations, catalog, storage, Athena, runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from cloudspend.convert.model import ParquetTotals
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import (
    AccountInventory,
    Generation,
    GenerationState,
    PublishedPeriod,
    SweepState,
    Totals,
    Verdict,
)
from cloudspend.lake.tables import Column


@dataclass(frozen=True)
class QueryResult:
    """A query's answer as Athena words it: every value is text, None is SQL's null.

    `types` are Athena's names of the columns' types; `scanned_bytes` is what Athena bills.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    scanned_bytes: int


class PeriodRegistry(Protocol):
    """Which generation of a billing period is current. Every read is consistent."""

    def pointer(self, account_id: str, period: BillingPeriod) -> PublishedPeriod | None:
        """The published generation, or None when the period was never published."""

    def periods(self, account_id: str) -> list[PublishedPeriod]:
        """Every published period of the account, oldest first."""

    def of_period(self, account_id: str, period: BillingPeriod) -> list[Generation]:
        """Every generation of the period, oldest delivery first."""

    def record_verdict(
        self,
        account_id: str,
        period: BillingPeriod,
        generation: str,
        *,
        verdict: Verdict,
        reason: str,
        residual: Decimal | None,
        at: datetime,
    ) -> bool:
        """Note what reconciliation said; False when `generation` is no longer the current one."""


class Generations(PeriodRegistry, Protocol):
    """The registry's generations, and the pointer that says which of them is current."""

    def get(self, account_id: str, period: BillingPeriod, generation: str) -> Generation | None:
        """One generation, or None."""

    def of_manifest(self, account_id: str, bucket: str, key: str) -> Generation | None:
        """The newest generation that was planned from this manifest, or None."""

    def plan(self, generation: Generation) -> None:
        """Write the generation as PLANNED without failure; one that is PUBLISHED keeps its state
        and totals and loses only its failure."""

    def record_checked(
        self, account_id: str, period: BillingPeriod, generation: str, totals: Totals
    ) -> None:
        """Write the totals and CHECKED; one that is PUBLISHED stays so."""

    def record_outcome(
        self,
        account_id: str,
        period: BillingPeriod,
        generation: str,
        state: GenerationState,
    ) -> None:
        """Write PUBLISHED or SUPERSEDED; PUBLISHED is never taken back."""

    def record_failure(
        self,
        account_id: str,
        period: BillingPeriod,
        generation: str,
        failure: Mapping[str, Any],
        *,
        final: bool = False,
    ) -> None:
        """Note what went wrong, in the shape of `errors.Failure`.

        The first failure of an attempt stays, unless it was a TransientError, which a later one
        replaces. `final` also sets FAILED; a generation that is PUBLISHED stays so.
        """

    def advance(self, published: PublishedPeriod, over: str | None) -> bool:
        """Make `published` current if the current generation is still `over` (None: there is
        none). False, and nothing written, if it is another one."""

    def roll_back(self, published: PublishedPeriod, over: str) -> bool:
        """Make `published` current as `advance` does, if its generation is still kept as well
        (`Generation.is_kept`). False, and nothing written, if not both hold."""


class SweptRegistry(Generations, Protocol):
    """What keeping the lake in order needs of the registry beyond what publishing does."""

    def holdings(self, account_id: str) -> AccountInventory:
        """All of the account's periods and generations, by one query."""

    def remember(self, account_id: str, watch: SweepState) -> None:
        """Replace what the next sweep is to know."""

    def expire(self, account_id: str, period: BillingPeriod, generation: str, at: datetime) -> bool:
        """Write EXPIRED. False, and nothing written, if the generation is current or unknown."""

    def retire(self, published: PublishedPeriod, at: datetime) -> bool:
        """Take the pointer away and write its generation EXPIRED, both or neither. False when
        another generation is current."""

    def restore(self, account_id: str, period: BillingPeriod, generation: str) -> bool:
        """Write PUBLISHED for the current generation, whatever its state. False, and nothing
        written, if it is not current."""

    def forget(self, account_id: str, period: BillingPeriod, generation: str) -> None:
        """Delete an EXPIRED generation; any other stays."""


class Catalog(Protocol):
    """The partitions of the lake's tables, as Athena plans with them."""

    def location(self, table: str, values: tuple[str, ...]) -> str | None:
        """Where the partition's data is (`s3://.../`), or None when there is no such partition."""

    def point(
        self,
        table: str,
        values: tuple[str, ...],
        location: str,
        columns: tuple[Column, ...] = (),
    ) -> None:
        """Make the partition read from `location`: one call, so readers see the old or the new.

        `columns` are those that its data have beyond the table's declared ones; the table must
        have them already (`ensure_columns`).
        """

    def ensure_columns(self, table: str, columns: tuple[Column, ...]) -> None:
        """Append those of `columns` that the table lacks. Those it has stay, whatever their type:
        a table's schema only ever grows."""

    def locations(self, table: str, account_id: str) -> dict[tuple[str, ...], str]:
        """Where every partition of the account is, by its values."""

    def remove(self, table: str, values: tuple[str, ...]) -> None:
        """Take the partition out of the table; its data stays. One that is gone is well."""


@dataclass(frozen=True)
class StagedFile:
    """An object of the lake. `size` in bytes, `modified` in UTC."""

    key: str
    size: int
    modified: datetime


class Lake(Protocol):
    """The lake bucket."""

    @property
    def bucket(self) -> str:
        """The bucket's name."""

    def write_json(self, key: str, value: Any) -> None:
        """Replace the object at `key`."""

    def read_json(self, key: str) -> Any:
        """The value at `key`. Raises Defect naming the key when it is missing or not JSON."""

    def staged(self, prefix: str) -> tuple[StagedFile, ...]:
        """Every object under `prefix`, all pages, in order of keys."""

    def groups(self, prefix: str, delimiter: str) -> tuple[str, ...]:
        """What keys under `prefix` begin with up to the first `delimiter` (one character) after
        it, each once. A key without one is not among them."""

    def delete(self, keys: Sequence[str]) -> None:
        """Delete the objects; one that is gone is well. Raises TransientError when S3 kept one."""

    def parquet_totals(self, key: str, columns: Sequence[str]) -> ParquetTotals:
        """Rows of the Parquet file at `key`, and the exact sums of its `columns`."""


class Queries(Protocol):
    """Athena in the workgroup `cloudspend` and the database `cloudspend`."""

    def query(self, sql: str) -> QueryResult:
        """Run one statement. Raises UsageError with Athena's reason when the statement is wrong,
        TransientError when Athena could not run it now, Defect for anything else."""

    def run(self, sql: str) -> list[dict[str, str | None]]:
        """The rows of one of the platform's own statements, each as column name to value.

        Raises Defect when the statement is wrong, TransientError as `query` does.
        """


class Executions(Protocol):
    """Executions of the Ingest state machine, by name."""

    def start(self, name: str, payload: Mapping[str, Any]) -> bool:
        """Start an execution; False when there already is one of that name."""

    def status(self, name: str) -> str | None:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED; None when there is none."""
