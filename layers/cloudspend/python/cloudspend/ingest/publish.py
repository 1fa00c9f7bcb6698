"""Publish a checked generation: one conditional write, then one Glue call per table.

The registry decides, and Glue follows. Two concurrent publishers cannot leave Glue at the older
generation, because each reads the registry again after its own Glue call.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloudspend import payloads as p
from cloudspend.accounts.model import Account
from cloudspend.accounts.ports import AccountReader
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.ingest import PeriodPublished, PeriodRestated
from cloudspend.alerts.catalog.reconcile import CostChange
from cloudspend.alerts.event import Bus, Event
from cloudspend.alerts.money import money
from cloudspend.errors import Defect, TotalsDiffer
from cloudspend.exports.model import BillingPeriod
from cloudspend.ingest.decisions import Advance, Repeat, Superseded, decide_publish, restates
from cloudspend.ingest.restatement import services_between
from cloudspend.lake.model import GenerationState, PublishedPeriod, Totals
from cloudspend.lake.ports import Catalog, Generations, Queries
from cloudspend.lake.tables import (
    COST_AND_USAGE,
    PERIOD_TABLES,
    Table,
    generation_prefix,
    period_values,
    tag_columns,
)
from cloudspend.lake.totals import differences, from_payload

State = Mapping[str, Any]

# `cost_and_usage` last: a reader that finds a generation there finds the same one in the other
# tables.
PUBLISH_ORDER = tuple(sorted(PERIOD_TABLES, key=lambda table: table is COST_AND_USAGE))


@dataclass(frozen=True)
class PublishPorts:
    """Ports of publishing."""

    generations: Generations
    catalog: Catalog
    queries: Queries
    bus: Bus
    lake_bucket: str


def publish(
    state: State, registry: AccountReader, publish_ports: PublishPorts, now: datetime
) -> dict[str, Any]:
    """Publish the generation of `state` unless a newer one is published.

    Raises TotalsDiffer, and changes nothing, when Athena's sums differ from those of the check.
    """
    account = registry.get(state[p.ACCOUNT_ID])
    wanted = PublishedPeriod(
        account_id=account.account_id,
        period=BillingPeriod.parse(state[p.PERIOD]),
        generation=state[p.GENERATION],
        published_at=now,
        totals=from_payload(state[p.TOTALS]),
    )
    _require_same(wanted.totals, from_payload(state[p.SUMS], wanted.totals.currency))
    published = advance(wanted, publish_ports.generations)
    if isinstance(published, Superseded):
        _record(wanted, GenerationState.SUPERSEDED, publish_ports)
        return {
            **state,
            p.PUBLISHED: False,
            p.REASON: published.reason,
            p.PREVIOUS_GENERATION: None,
        }
    sync_partitions(account, wanted.period, publish_ports)
    _record(wanted, GenerationState.PUBLISHED, publish_ports)
    # A repeat after a rollback only compares the period again: AWS delivered nothing.
    if published.rolled_back_from is None:
        publish_ports.bus.put(_outcome(account, published, publish_ports))
    return {
        **state,
        p.PUBLISHED: True,
        p.REASON: "It is the newest delivery.",
        p.PREVIOUS_GENERATION: published.previous_generation,
    }


def advance(wanted: PublishedPeriod, generations: Generations) -> PublishedPeriod | Superseded:
    """Make `wanted` current unless a newer one is, and return the current period.

    After a lost race, decide again. The current generation only becomes newer, so this ends.
    """
    while True:
        pointer = generations.pointer(wanted.account_id, wanted.period)
        match decide_publish(wanted.generation, pointer):
            case Superseded() as superseded:
                return superseded
            case Repeat() if pointer:
                return pointer
            case Advance(over):
                published = _following(wanted, over)
                if generations.advance(published, over):
                    return published


def sync_partitions(account: Account, period: BillingPeriod, publish_ports: PublishPorts) -> None:
    """Set the period's partition of every table to the registry's generation, until the registry is
    stable.

    A table without the generation gets no partition of the period.
    """
    shown: str | None = None
    while (pointer := publish_ports.generations.pointer(account.account_id, period)) and (
        pointer.generation != shown
    ):
        shown = pointer.generation
        for table in PUBLISH_ORDER:
            _show(table, account, pointer, publish_ports)


def _show(
    table: Table, account: Account, pointer: PublishedPeriod, publish_ports: PublishPorts
) -> None:
    held = pointer.account_id, pointer.period, pointer.generation
    values = period_values(pointer.account_id, pointer.period)
    if table.name in pointer.totals.tables:
        location = f"s3://{publish_ports.lake_bucket}/{generation_prefix(table.data_folder, *held)}"
        publish_ports.catalog.point(table.name, values, location, tag_columns(table, account))
    else:
        publish_ports.catalog.remove(table.name, values)


def _following(wanted: PublishedPeriod, over: str | None) -> PublishedPeriod:
    return PublishedPeriod(
        account_id=wanted.account_id,
        period=wanted.period,
        generation=wanted.generation,
        published_at=wanted.published_at,
        totals=wanted.totals,
        previous_generation=over,
    )


def _record(wanted: PublishedPeriod, state: GenerationState, publish_ports: PublishPorts) -> None:
    publish_ports.generations.record_outcome(
        wanted.account_id, wanted.period, wanted.generation, state
    )


def _require_same(expected: Totals, found: Totals) -> None:
    wrong = differences(expected, found)
    if wrong:
        raise TotalsDiffer(
            f"Athena does not read what was written: {'; '.join(wrong)}.",
            remedy="Report this to CloudSpend; the generation is not published.",
        )


def _outcome(account: Account, published: PublishedPeriod, publish_ports: PublishPorts) -> Event:
    """Return PeriodRestated if complete figures changed, otherwise PeriodPublished.

    AWS also delivers closed months again without a change.
    """
    previous = published.previous_generation
    if previous and restates(previous, published.period):
        changes = _changes(published, previous, publish_ports.queries)
        if changes:
            return _restated(account, published, previous, changes, publish_ports)
    return event(
        PeriodPublished(
            period=str(published.period),
            generation=published.generation,
            rows=published.totals.rows,
            billed_cost=money(published.totals.billed_cost),
            currency=published.totals.currency,
        ),
        account.for_events,
        f"{published.period}/{published.generation}",
    )


def _restated(
    account: Account,
    published: PublishedPeriod,
    previous: str,
    changes: tuple[CostChange, ...],
    publish_ports: PublishPorts,
) -> Event:
    before = publish_ports.generations.get(account.account_id, published.period, previous)
    if before is None or before.totals is None:
        raise Defect(f"The generation {previous} was published without totals.")
    was, now = before.totals.billed_cost, published.totals.billed_cost
    return event(
        PeriodRestated(
            period=str(published.period),
            generation=published.generation,
            previous_generation=previous,
            billed_cost=money(now),
            previous_billed_cost=money(was),
            difference=money(now - was),
            currency=published.totals.currency,
            changes=changes,
        ),
        account.for_events,
        f"{published.period}/{published.generation}",
    )


def _changes(published: PublishedPeriod, previous: str, queries: Queries) -> tuple[CostChange, ...]:
    """Return the changes of a restatement by account and service, largest difference first."""
    found = services_between(
        published.account_id, published.period, previous, published.generation, queries
    )
    return tuple(
        CostChange(
            account=linked,
            service=service,
            before=money(before),
            after=money(after),
            difference=money(after - before),
        )
        for linked, service, before, after in found
    )
