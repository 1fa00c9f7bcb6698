"""A month of an organization with every kind of charge, as AWS's legacy report has it.

The platform's own code converts its files; Cost Explorer's side is the local cloud's, computed from
the same line items by another way (`local.billing`), and asked through boto3.
"""

import csv
import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cloudspend.accounts.model import ExportKind
from cloudspend.collect.aws import CostExplorerApi
from cloudspend.convert.model import ConversionTask
from cloudspend.convert.task import convert_task
from cloudspend.lake.model import PublishedPeriod, Totals
from cloudspend.reconcile.invoice import invoices_of
from cloudspend.reconcile.ports import ReconcilePorts
from cloudspend.reconcile.reconcile import reconcile
from local.billing import cost_explorer, invoices, ledger
from local.world.charges import Item, Members, Month, columns_of
from tests.fakes.alerts import FakeBus
from tests.fakes.collect import client_of
from tests.fakes.collecting import FakeServices
from tests.fakes.convert import FakeSink, FakeSource
from tests.fakes.reconcile import FakePartitions, FakePeriods, FakeTables
from tests.unit.reconcile.reconcile_bills import ACCOUNT, AFTER, PAYER, PERIOD, LakeQueries

OF = Members(PAYER, "222222222222", "333333333333", "444444444444")
MONTH = Month(OF, PERIOD)
FIRST, SECOND = "20261104T000000Z-0000aaaa", "20261105T000000Z-0000bbbb"


class LedgerCostExplorer:
    """The local cloud's Cost Explorer, as the account that pays asks it."""

    def __init__(self, items: Sequence[Item]) -> None:
        columns = columns_of(items)
        rows = [[each.get(name, "") for name in columns] for each in items]
        ledger.LEDGER.clear()
        ledger.LEDGER.replace(PAYER, str(PERIOD), columns, rows)

    def cost_and_usage(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return cost_explorer.get_cost_and_usage(PAYER, dict(request))

    def dimension_values(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return cost_explorer.get_dimension_values(PAYER, dict(request))


class Clock(datetime):
    """The local cloud's clock, at the time of the comparison."""

    @classmethod
    def now(cls, _: Any = None) -> "Clock":
        return cls(AFTER.year, AFTER.month, AFTER.day, tzinfo=UTC)


@dataclass
class Organization:
    """A published month: AWS charged `items`, the lake was made of files."""

    items: Sequence[Item]
    now: datetime = AFTER
    bus: FakeBus = field(default_factory=FakeBus)
    tables: FakeTables = field(default_factory=FakeTables)

    def __post_init__(self) -> None:
        self.catalog = FakePartitions(self.tables)
        self.queries = LakeQueries(self.catalog)
        self.registry = FakePeriods()
        self.platform = ReconcilePorts(
            self.queries, self.registry, self.catalog, self.tables, self.bus
        )
        for table in ("cost_and_usage", "cost_and_usage_generations"):
            self.queries.connection.execute(f"DROP TABLE {table}")
        self._held: dict[str, pa.Table] = {}
        self._current = ""

    def publish(self, files: Sequence[Sequence[Item]], generation: str = FIRST) -> None:
        """Convert `files` with the platform's code and show readers the outcome."""
        self._held[generation] = converted(files, generation)
        self.show(generation)

    def show(self, generation: str) -> None:
        """Readers see this generation, whichever they saw before."""
        totals = Totals(0, Decimal(0), Decimal(0), "USD", Decimal(0))
        before = self._current or None
        self.registry.publish(
            PublishedPeriod(PAYER, PERIOD, generation, AFTER, totals, previous_generation=before)
        )
        self._current = generation
        connection = self.queries.connection
        keys = f"'{PAYER}' AS account_id, '{PERIOD}' AS billing_period"
        plain = "* REPLACE (CAST(chargeperiodstart AS TIMESTAMP) AS chargeperiodstart)"
        unions = []
        for number, (name, rows) in enumerate(self._held.items()):
            connection.register(f"held_{number}", rows)
            unions.append(f"SELECT {plain}, '{name}' AS generation, {keys} FROM held_{number}")
        every = " UNION ALL ".join(unions)
        connection.execute(f"CREATE OR REPLACE TABLE cost_and_usage_generations AS {every}")
        connection.execute(
            "CREATE OR REPLACE TABLE cost_and_usage AS SELECT * EXCLUDE (generation) "
            f"FROM cost_and_usage_generations WHERE generation = '{generation}'"
        )

    def reconcile(self) -> str:
        api = CostExplorerApi(client_of(LedgerCostExplorer(self.items)))  # type: ignore[arg-type]
        state = {"account_id": PAYER, "period": str(PERIOD), "generation": self._current}
        read = invoices_of(FakeServices(list_invoice_summaries=_invoices), PAYER)
        return str(reconcile(state, ACCOUNT, api, self.platform, self.now, read)["verdict"])

    @property
    def reason(self) -> str:
        return str(self.bus.events[-1].details["reason"])

    def cells(self) -> list[dict[str, Any]]:
        return self.catalog.read("reconciliation_cells", PAYER, str(PERIOD))

    def residuals(self, figure: str = "residual") -> dict[tuple[str, str, str], Decimal]:
        """The cells beyond tolerance in one figure, by account, service and charge type."""
        return {
            (row["sub_account_id"], row["service"], row["charge_type"]): amount
            for row in self.cells()
            if abs(amount := round(Decimal(str(row[figure])), 2)) > Decimal("0.01")
        }


def converted(files: Sequence[Sequence[Item]], generation: str) -> pa.Table:
    source, sink = FakeSource(), FakeSink()
    columns = columns_of([each for file in files for each in file])
    delivered = tuple(
        source.put(f"file-{number}.csv.gz", _csv(columns, file))
        for number, file in enumerate(files)
    )
    task = ConversionTask(PAYER, PERIOD, generation, 0, ExportKind.CUR_LEGACY, "gzip", delivered)
    summary = convert_task(task, source, sink)
    tables = (pq.read_table(io.BytesIO(sink.objects[each.key])) for each in summary.outputs)
    return pa.concat_tables(tables)


def _invoices(request: Mapping[str, Any]) -> Mapping[str, Any]:
    return invoices.list_invoice_summaries(PAYER, dict(request))


def _csv(columns: Sequence[str], items: Sequence[Item]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(items)
    return gzip.compress(text.getvalue().encode(), mtime=0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The local cloud in the days after the month, and without a bill afterwards."""
    monkeypatch.setattr(cost_explorer, "datetime", Clock)
    yield
    ledger.LEDGER.clear()
