"""Ports of the lake: registry, catalog, objects, Athena and executions."""

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
    """The result of a query in Athena's form: every value is text, None is SQL's null.

    `types` are Athena's type names; `scanned_bytes` is the billed amount.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    scanned_bytes: int


class PeriodRegistry(Protocol):
    """The current generation of billing periods. Every read is consistent."""

    def pointer(self, account_id: str, period: BillingPeriod) -> PublishedPeriod | None:
        """Return the published period, or None when it was never published."""

    def periods(self, account_id: str) -> list[PublishedPeriod]:
        """Return every published period of the account, oldest first."""

    def of_period(self, account_id: str, period: BillingPeriod) -> list[Generation]:
        """Return every generation of the period, oldest delivery first."""

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
        """Record the result of a reconciliation. Return False when `generation` is not current any
        more.
        """


class Generations(PeriodRegistry, Protocol):
    """Generations in the registry, and the current one of each period."""

    def get(self, account_id: str, period: BillingPeriod, generation: str) -> Generation | None:
        """Return a generation, or None."""

    def of_manifest(self, account_id: str, bucket: str, key: str) -> Generation | None:
        """Return the newest generation that was planned from this manifest, or None."""

    def plan(self, generation: Generation) -> None:
        """Save the generation as PLANNED without a failure.

        A PUBLISHED one keeps its state and totals, and loses only its failure.
        """

    def record_checked(
        self, account_id: str, period: BillingPeriod, generation: str, totals: Totals
    ) -> None:
        """Save the totals and the state CHECKED. A PUBLISHED generation stays published."""

    def record_outcome(
        self,
        account_id: str,
        period: BillingPeriod,
        generation: str,
        state: GenerationState,
    ) -> None:
        """Save the state PUBLISHED or SUPERSEDED. PUBLISHED is never reverted."""

    def record_failure(
        self,
        account_id: str,
        period: BillingPeriod,
        generation: str,
        failure: Mapping[str, Any],
        *,
        final: bool = False,
    ) -> None:
        """Record a failure in the form of `errors.Failure`.

        The first failure of an attempt is kept, unless it was a TransientError, which a later one
        replaces. `final` also sets FAILED; a PUBLISHED generation stays published.
        """

    def advance(self, published: PublishedPeriod, over: str | None) -> bool:
        """Make `published` current if the current generation is `over` (None: there is none).

        Return False, and write nothing, if it is another one.
        """

    def roll_back(self, published: PublishedPeriod, over: str) -> bool:
        """Make `published` current as `advance` does, if its generation still has its data.

        Return False, and write nothing, otherwise (see `Generation.is_kept`).
        """


class SweptRegistry(Generations, Protocol):
    """Registry operations that Sweep needs in addition."""

    def holdings(self, account_id: str) -> AccountInventory:
        """Return all periods and generations of the account, with one query."""

    def remember(self, account_id: str, watch: SweepState) -> None:
        """Save the state for the next sweep."""

    def expire(self, account_id: str, period: BillingPeriod, generation: str, at: datetime) -> bool:
        """Set EXPIRED. Return False, and write nothing, if the generation is current or unknown."""

    def retire(self, published: PublishedPeriod, at: datetime) -> bool:
        """Delete the published period and set its generation EXPIRED, both or neither.

        Return False when another generation is current.
        """

    def restore(self, account_id: str, period: BillingPeriod, generation: str) -> bool:
        """Set PUBLISHED for the current generation, from any state.

        Return False, and write nothing, if it is not current.
        """

    def forget(self, account_id: str, period: BillingPeriod, generation: str) -> None:
        """Delete an EXPIRED generation; any other stays."""


class Catalog(Protocol):
    """Partitions of the lake's tables in the Glue catalog."""

    def location(self, table: str, values: tuple[str, ...]) -> str | None:
        """Return the location of a partition (`s3://.../`), or None when it does not exist."""

    def point(
        self,
        table: str,
        values: tuple[str, ...],
        location: str,
        columns: tuple[Column, ...] = (),
    ) -> None:
        """Set the location of a partition with one call: readers see the old location or the new
        one.

        `columns` are columns of its data beyond the declared ones; the table must have them
        (`ensure_columns`).
        """

    def ensure_columns(self, table: str, columns: tuple[Column, ...]) -> None:
        """Append missing columns to a table. Existing columns keep their type: a schema only
        grows.
        """

    def locations(self, table: str, account_id: str) -> dict[tuple[str, ...], str]:
        """Return the location of every partition of the account, by its values."""

    def remove(self, table: str, values: tuple[str, ...]) -> None:
        """Delete a partition and keep its data. Does nothing for a missing one."""


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
        """Return the bucket's name."""

    def write_json(self, key: str, value: Any) -> None:
        """Write the object at `key`, replacing an existing one."""

    def read_json(self, key: str) -> Any:
        """Read the value at `key`. Raises Defect that names the key when it is missing or not
        JSON.
        """

    def staged(self, prefix: str) -> tuple[StagedFile, ...]:
        """Return every object under `prefix`, over all pages, in order of keys."""

    def groups(self, prefix: str, delimiter: str) -> tuple[str, ...]:
        """Return the distinct beginnings of keys under `prefix` up to the next `delimiter` (one
        character).

        Keys without a delimiter are left out.
        """

    def delete(self, keys: Sequence[str]) -> None:
        """Delete the objects; missing ones are ignored. Raises TransientError when S3 kept one."""

    def parquet_totals(self, key: str, columns: Sequence[str]) -> ParquetTotals:
        """Return the row count of the Parquet file at `key`, and the exact sums of its
        `columns`.
        """


class Queries(Protocol):
    """Athena in the workgroup `cloudspend` and the database `cloudspend`."""

    def query(self, sql: str) -> QueryResult:
        """Run one statement.

        Raises UsageError with Athena's reason for an invalid statement, TransientError when Athena
        cannot run it now, and Defect otherwise.
        """

    def run(self, sql: str) -> list[dict[str, str | None]]:
        """Return the rows of one of the platform's own statements, each as column name to value.

        Raises Defect for an invalid statement, and TransientError as `query` does.
        """


class Executions(Protocol):
    """Executions of a state machine, by name."""

    def start(self, name: str, payload: Mapping[str, Any]) -> bool:
        """Start an execution. Return False when one of that name exists."""

    def status(self, name: str) -> str | None:
        """Return RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED; None when there is none."""
