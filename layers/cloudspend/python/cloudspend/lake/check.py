"""Source text against written Parquet; the third path, Athena, is prepared here and judged when
publishing."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from cloudspend import payload as p
from cloudspend.accounts.ports import AccountReader
from cloudspend.alerts.catalog import event
from cloudspend.alerts.event import Bus
from cloudspend.convert.model import ConversionSummary, ConversionTask, Output
from cloudspend.errors import Defect, DeliveryError, TotalsDiffer
from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.decide import differences
from cloudspend.lake.model import Totals
from cloudspend.lake.plan import Shelf
from cloudspend.lake.ports import Catalog, Lake
from cloudspend.lake.statements import statement
from cloudspend.lake.tables import COST_AND_USAGE, COST_AND_USAGE_GENERATIONS, generation_prefix
from cloudspend.lake.totals import to_payload

State = Mapping[str, Any]

BILLED, EFFECTIVE, LIST = "billedcost", "effectivecost", "listcost"


def check(
    state: State, registry: AccountReader, shelf: Shelf, catalog: Catalog, bus: Bus
) -> dict[str, Any]:
    """Prove that the Parquet files hold the delivery, whole and once, and register the generation.

    Returns the state with the totals and the query by which Athena sums the generation. Raises
    TotalsDiffer when source and Parquet disagree, Defect when a task has not exactly one result
    or a file stands there that no task wrote.
    """
    account_id, generation = state[p.ACCOUNT_ID], state[p.GENERATION]
    period = BillingPeriod.parse(state[p.PERIOD])
    summaries = _summaries(state, shelf.lake)
    expected = _expected(summaries)
    prefix = generation_prefix(COST_AND_USAGE.data_folder, account_id, period, generation)
    _require_exactly(summaries, prefix, shelf.lake)
    _require_same(summaries, shelf.lake)
    location = f"s3://{shelf.lake.bucket}/{prefix}"
    catalog.point(COST_AND_USAGE_GENERATIONS.name, (account_id, str(period), generation), location)
    shelf.generations.record_checked(account_id, period, generation, expected)
    _report_unknown(state, summaries, registry, bus)
    query = statement(
        "generation_totals", account_id=account_id, period=str(period), generation=generation
    )
    return {**state, p.TOTALS: to_payload(expected), p.QUERY: query}


def _report_unknown(
    state: State, summaries: Sequence[ConversionSummary], registry: AccountReader, bus: Bus
) -> None:
    columns = sorted({name for summary in summaries for name in summary.unknown_columns})
    if columns:
        period, generation = state[p.PERIOD], state[p.GENERATION]
        account = registry.get(state[p.ACCOUNT_ID])
        subject = f"{period}/{generation}"
        bus.put(
            event(
                "UnknownColumns",
                account.for_events,
                subject,
                period=period,
                generation=generation,
                columns=columns,
            )
        )


def _summaries(state: State, lake: Lake) -> list[ConversionSummary]:
    """The result of every task of the plan, from the files that the Distributed Map wrote."""
    tasks = [ConversionTask.from_payload(task) for task in lake.read_json(state[p.PLAN_KEY])]
    written = lake.read_json(state[p.CONVERSION]["ResultWriterDetails"]["Key"])
    summaries = [
        ConversionSummary.from_payload(json.loads(child["Output"]))
        for file in written["ResultFiles"]["SUCCEEDED"]
        for child in lake.read_json(file["Key"])
    ]
    planned, done = [task.task for task in tasks], sorted(summary.task for summary in summaries)
    if planned != done:
        raise Defect(
            "The conversion has not exactly one result for each task.", planned=planned, done=done
        )
    return summaries


def _expected(summaries: Sequence[ConversionSummary]) -> Totals:
    """What the source text of all files adds up to."""
    currencies = sorted({summary.currency for summary in summaries if summary.currency})
    if len(currencies) > 1:
        raise DeliveryError(
            f"The delivery is in several currencies: {', '.join(currencies)}.",
            remedy="Ask AWS Support why the export mixes currencies.",
            column="bill/BillingCurrency",
            value=", ".join(currencies),
        )
    return Totals(
        rows=sum(summary.rows_read - summary.rows_left_out for summary in summaries),
        billed_cost=sum((s.billed_cost for s in summaries), start=Decimal(0)),
        effective_cost=sum((s.effective_cost for s in summaries), start=Decimal(0)),
        currency=currencies[0] if currencies else "USD",
        list_cost=sum((s.list_cost for s in summaries), start=Decimal(0)),
    )


def _require_exactly(summaries: Sequence[ConversionSummary], prefix: str, lake: Lake) -> None:
    written = {
        (output.key, output.size)
        for summary in summaries
        for output in summary.outputs
        if output.table == COST_AND_USAGE.name
    }
    found = {(file.key, file.size) for file in lake.staged(prefix)}
    if written != found:
        raise Defect(
            "The generation's folder does not hold exactly the files that the conversion wrote.",
            missing=sorted(key for key, _ in written - found),
            unexpected=sorted(key for key, _ in found - written),
        )


def _require_same(summaries: Sequence[ConversionSummary], lake: Lake) -> None:
    """Task by task, so that a loss in one cannot hide behind a gain in another."""
    for summary in summaries:
        outputs = [output for output in summary.outputs if output.table == COST_AND_USAGE.name]
        expected = _expected([summary])
        wrong = differences(expected, _written(outputs, expected.currency, lake))
        if wrong:
            raise TotalsDiffer(
                f"Parquet files do not add up to the text they were made from: {'; '.join(wrong)}.",
                remedy="Report this to CloudSpend; the generation is not published.",
                file=", ".join(f"s3://{output.bucket}/{output.key}" for output in outputs),
            )


def _written(outputs: Sequence[Output], currency: str, lake: Lake) -> Totals:
    found = [lake.parquet_totals(output.key, (BILLED, EFFECTIVE, LIST)) for output in outputs]
    return Totals(
        rows=sum(totals.rows for totals in found),
        billed_cost=sum((totals.sums[BILLED] for totals in found), start=Decimal(0)),
        effective_cost=sum((totals.sums[EFFECTIVE] for totals in found), start=Decimal(0)),
        currency=currency,
        list_cost=sum((totals.sums[LIST] for totals in found), start=Decimal(0)),
    )
