"""Compare the source text with the written Parquet, and prepare the query for the third path,
Athena.

Athena's sums are compared when publishing.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from cloudspend import payloads as p
from cloudspend.accounts.model import Account
from cloudspend.accounts.ports import AccountReader
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.ingest import UnknownChargeTypes, UnknownColumns
from cloudspend.alerts.event import Bus
from cloudspend.convert.model import ConversionSummary, ConversionTask, ParquetTotals
from cloudspend.errors import Defect, DeliveryError, TotalsDiffer
from cloudspend.exports.model import BillingPeriod
from cloudspend.ingest.map_results import SUCCEEDED, children_that
from cloudspend.ingest.plan import IngestPorts
from cloudspend.lake.model import DetailTotals, Totals
from cloudspend.lake.ports import Catalog, Lake
from cloudspend.lake.statements import statement
from cloudspend.lake.tables import (
    BILLING_DETAIL,
    COST_AND_USAGE,
    GENERATION_TABLES,
    PERIOD_TABLES,
    generation_prefix,
    generation_values,
    tag_columns,
)
from cloudspend.lake.totals import differences, to_payload

State = Mapping[str, Any]
# Account, period and name of a generation.
Held = tuple[str, BillingPeriod, str]

ZERO = Decimal(0)

BILLED, EFFECTIVE, LIST = "billedcost", "effectivecost", "listcost"
UNBLENDED = "line_item_unblended_cost"


def check(
    state: State, registry: AccountReader, ingest_ports: IngestPorts, catalog: Catalog, bus: Bus
) -> dict[str, Any]:
    """Verify that the Parquet files contain the delivery completely and once, and register the
    generation.

    Return the state with the totals and the query with which Athena sums the generation. Raises
    TotalsDiffer when source and Parquet differ, and Defect when a task does not have exactly one
    result or a file exists that no task wrote.
    """
    account = registry.get(state[p.ACCOUNT_ID])
    held = account.account_id, BillingPeriod.parse(state[p.PERIOD]), state[p.GENERATION]
    tasks = _tasks(state, ingest_ports.lake)
    summaries = _summaries(state, tasks, ingest_ports.lake)
    tables = _tables(tasks)
    expected = _expected(summaries, tables)
    _require_exactly(summaries, tables, held, ingest_ports.lake)
    _require_same(summaries, tables, ingest_ports.lake)
    _register(account, held, tables, ingest_ports, catalog)
    ingest_ports.generations.record_checked(*held, expected)
    _report_unknown(account, held, summaries, bus)
    query = statement(
        "generation_totals", account_id=held[0], period=str(held[1]), generation=held[2]
    )
    return {**state, p.TOTALS: to_payload(expected), p.QUERY: query}


def _register(
    account: Account,
    held: Held,
    tables: Collection[str],
    ingest_ports: IngestPorts,
    catalog: Catalog,
) -> None:
    """Add the generation to the tables of all generations, and its columns to the tables for
    readers.
    """
    for table in (*PERIOD_TABLES, *GENERATION_TABLES):
        if columns := tag_columns(table, account):
            catalog.ensure_columns(table.name, columns)
    for table in GENERATION_TABLES:
        if table.data_folder in tables:
            location = (
                f"s3://{ingest_ports.lake.bucket}/{generation_prefix(table.data_folder, *held)}"
            )
            columns = tag_columns(table, account)
            catalog.point(table.name, generation_values(*held), location, columns)


def _report_unknown(
    account: Account, held: Held, summaries: Sequence[ConversionSummary], bus: Bus
) -> None:
    """Publish one event per generation for unknown columns, and one for unknown charge types."""
    _, period, generation = held
    columns = sorted({name for summary in summaries for name in summary.unknown_columns})
    types = sorted({name for summary in summaries for name in summary.unknown_charge_types})
    subject = f"{period}/{generation}"
    if columns:
        new_columns = UnknownColumns(
            period=str(period), generation=generation, columns=tuple(columns)
        )
        bus.put(event(new_columns, account.for_events, subject))
    if types:
        new_types = UnknownChargeTypes(
            period=str(period), generation=generation, charge_types=tuple(types)
        )
        bus.put(event(new_types, account.for_events, subject))


def _tasks(state: State, lake: Lake) -> list[ConversionTask]:
    return [ConversionTask.from_payload(task) for task in lake.read_json(state[p.PLAN_KEY])]


def _tables(tasks: Sequence[ConversionTask]) -> tuple[str, ...]:
    """Return the tables of the plan, the same for each of its tasks; the first table for no
    files.
    """
    found = {task.tables for task in tasks} or {(COST_AND_USAGE.name,)}
    if len(found) > 1:
        raise Defect("The tasks of a plan fill different tables.", tables=sorted(found))
    return found.pop()


def _summaries(
    state: State, tasks: Sequence[ConversionTask], lake: Lake
) -> list[ConversionSummary]:
    """Return the result of every task of the plan, from the result files of the Distributed Map."""
    summaries = [
        ConversionSummary.from_payload(json.loads(child["Output"]))
        for child in children_that(SUCCEEDED, state, lake)
    ]
    planned, done = [task.task for task in tasks], sorted(summary.task for summary in summaries)
    if planned != done:
        raise Defect(
            "The conversion has not exactly one result for each task.", planned=planned, done=done
        )
    return summaries


def _expected(summaries: Sequence[ConversionSummary], tables: Collection[str]) -> Totals:
    """Return the totals of the source text of all files."""
    currencies = sorted({summary.currency for summary in summaries if summary.currency})
    if len(currencies) > 1:
        raise DeliveryError(
            f"The delivery is in several currencies: {', '.join(currencies)}.",
            remedy="Ask AWS Support why the export mixes currencies.",
            column="bill/BillingCurrency",
            value=", ".join(currencies),
        )
    detail = DetailTotals(
        rows=sum(summary.rows_read for summary in summaries),
        unblended_cost=sum((s.unblended_cost for s in summaries), start=ZERO),
    )
    return Totals(
        rows=sum(summary.rows_read - summary.rows_left_out for summary in summaries),
        billed_cost=sum((s.billed_cost for s in summaries), start=ZERO),
        effective_cost=sum((s.effective_cost for s in summaries), start=ZERO),
        currency=currencies[0] if currencies else "USD",
        list_cost=sum((s.list_cost for s in summaries), start=ZERO),
        detail=detail if BILLING_DETAIL.name in tables else None,
    )


def _require_exactly(
    summaries: Sequence[ConversionSummary], tables: Sequence[str], held: Held, lake: Lake
) -> None:
    """Check that each table's folder contains exactly the objects of the tasks."""
    written = {(output.key, output.size) for summary in summaries for output in summary.outputs}
    found = {
        (file.key, file.size)
        for table in tables
        for file in lake.staged(generation_prefix(table, *held))
    }
    if written != found:
        raise Defect(
            "The generation's folders do not hold exactly the files that the conversion wrote.",
            missing=sorted(key for key, _ in written - found),
            unexpected=sorted(key for key, _ in found - written),
        )


def _require_same(
    summaries: Sequence[ConversionSummary], tables: Collection[str], lake: Lake
) -> None:
    """Compare task by task, so a loss in one cannot be hidden by a gain in another."""
    for summary in summaries:
        expected = _expected([summary], tables)
        wrong = differences(expected, _written(summary, expected, lake))
        if wrong:
            places = (f"s3://{output.bucket}/{output.key}" for output in summary.outputs)
            raise TotalsDiffer(
                f"Parquet files do not add up to the text they were made from: {'; '.join(wrong)}.",
                remedy="Report this to CloudSpend; the generation is not published.",
                file=", ".join(places),
            )


def _written(summary: ConversionSummary, expected: Totals, lake: Lake) -> Totals:
    """Return the totals of one task's Parquet files."""
    cost = _sums(summary, COST_AND_USAGE.name, (BILLED, EFFECTIVE, LIST), lake)
    detail = None
    if expected.detail:
        found = _sums(summary, BILLING_DETAIL.name, (UNBLENDED,), lake)
        detail = DetailTotals(found.rows, found.sums[UNBLENDED])
    return Totals(
        rows=cost.rows,
        billed_cost=cost.sums[BILLED],
        effective_cost=cost.sums[EFFECTIVE],
        currency=expected.currency,
        list_cost=cost.sums[LIST],
        detail=detail,
    )


def _sums(
    summary: ConversionSummary, table: str, columns: Sequence[str], lake: Lake
) -> ParquetTotals:
    outputs = [output for output in summary.outputs if output.table == table]
    found = [lake.parquet_totals(output.key, columns) for output in outputs]
    return ParquetTotals(
        sum(totals.rows for totals in found),
        {name: sum((totals.sums[name] for totals in found), start=ZERO) for name in columns},
    )
