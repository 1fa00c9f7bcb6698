"""Source text against written Parquet; the third path, Athena, is prepared here and judged when
publishing."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cloudspend import payload as p
from cloudspend.accounts.ports import AccountReader
from cloudspend.alerts.catalog import event
from cloudspend.alerts.event import Bus
from cloudspend.convert.model import ConversionSummary, ConversionTask
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
    _require_same(expected, summaries, shelf.lake)
    location = f"s3://{shelf.lake.bucket}/{prefix}"
    catalog.point(COST_AND_USAGE_GENERATIONS.name, (account_id, str(period), generation), location)
    shelf.generations.record_checked(account_id, period, generation, expected)
    unknown = sorted({name for summary in summaries for name in summary.unknown_columns})
    if unknown:
        account = registry.get(account_id)
        bus.put(
            event(
                "UnknownColumns",
                account.for_events,
                f"{period}/{generation}",
                period=period,
                generation=generation,
                columns=unknown,
            )
        )
    query = statement(
        "generation_totals", account_id=account_id, period=str(period), generation=generation
    )
    return {**state, p.TOTALS: to_payload(expected), p.QUERY: query}


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
        rows=sum(summary.rows_written for summary in summaries),
        billed_cost=sum((s.billed_cost for s in summaries), start=0 * summaries[0].billed_cost),
        effective_cost=sum(
            (s.effective_cost for s in summaries), start=0 * summaries[0].effective_cost
        ),
        currency=currencies[0] if currencies else "USD",
    )


def _require_exactly(summaries: Sequence[ConversionSummary], prefix: str, lake: Lake) -> None:
    written = {(summary.output.key, summary.output.size) for summary in summaries}
    found = {(file.key, file.size) for file in lake.staged(prefix)}
    if written != found:
        raise Defect(
            "The generation's folder does not hold exactly the files that the conversion wrote.",
            missing=sorted(key for key, _ in written - found),
            unexpected=sorted(key for key, _ in found - written),
        )


def _require_same(expected: Totals, summaries: Sequence[ConversionSummary], lake: Lake) -> None:
    parts = [lake.parquet_totals(s.output.key, expected.currency) for s in summaries]
    found = Totals(
        rows=sum(part.rows for part in parts),
        billed_cost=sum((t.billed_cost for t in parts), start=0 * expected.billed_cost),
        effective_cost=sum((t.effective_cost for t in parts), start=0 * expected.effective_cost),
        currency=expected.currency,
    )
    wrong = differences(expected, found)
    if wrong:
        raise TotalsDiffer(
            f"The Parquet files do not add up to the delivered text: {'; '.join(wrong)}.",
            remedy="Report this to CloudSpend; the generation is not published.",
        )
