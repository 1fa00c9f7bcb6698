"""Roll a billing period back to an earlier generation, by an operator's decision.

One conditional write changes the current generation and holds it: deliveries up to the one that was
rolled back from are not published, a newer one is. The verdict does not hold for other figures, so
the period is provisional until it is compared again, which the event PeriodRolledBack starts
(docs/decisions/0032).
"""

from dataclasses import dataclass
from datetime import datetime

from cloudspend.accounts.model import Account
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.ingest import PeriodRolledBack
from cloudspend.alerts.event import Event
from cloudspend.alerts.money import money
from cloudspend.errors import TotalsDiffer, UsageError
from cloudspend.exports.model import BillingPeriod
from cloudspend.ingest.publish import PublishPorts, sync_partitions
from cloudspend.lake.model import Generation, GenerationState, PublishedPeriod, Totals
from cloudspend.lake.ports import Generations
from cloudspend.lake.statements import statement
from cloudspend.lake.totals import differences, from_row

SHOW = "See every generation: cloudspend periods show {} {}."


@dataclass(frozen=True)
class Rollback:
    """A proposed rollback: readers will see `target` instead of `current`.

    `totals` are those of the target.
    """

    current: PublishedPeriod
    target: Generation
    totals: Totals


def proposed(
    account_id: str, period: BillingPeriod, generation: str | None, generations: Generations
) -> Rollback:
    """Return the rollback to `generation`, or to the one that was current before.

    Raises UsageError when the period is not published, or the generation is unknown, current, or
    without checked data.
    """
    current = generations.pointer(account_id, period)
    if current is None:
        raise UsageError(f"No delivery of {period} is published for the account {account_id}.")
    held = generations.of_period(account_id, period)
    target = _named(generation, current, held) if generation else _previous(current, held)
    if target.totals is None or not target.is_kept:
        raise UsageError(
            f"The generation {target.generation} is {target.state}: there are no checked data "
            "to go back to.",
            remedy=SHOW.format(account_id, period),
        )
    return Rollback(current, target, target.totals)


def roll_back(
    account: Account, rollback: Rollback, reason: str, publish_ports: PublishPorts, now: datetime
) -> PublishedPeriod:
    """Execute a rollback for the operator's `reason` and publish PeriodRolledBack.

    Raises TotalsDiffer, and changes nothing, when Athena's sums of the target differ from its
    totals. Raises UsageError, and changes nothing, when the period changed or the target expired in
    the meantime.
    """
    _require_whole(rollback, publish_ports)
    held = _held(rollback, reason, now)
    if not publish_ports.generations.roll_back(held, rollback.current.generation):
        raise UsageError(
            "Another generation was published in the meantime, or the earlier one has expired. "
            "Nothing was changed.",
            remedy=SHOW.format(account.account_id, held.period),
        )
    sync_partitions(account, held.period, publish_ports)
    publish_ports.generations.record_outcome(
        held.account_id, held.period, held.generation, GenerationState.PUBLISHED
    )
    publish_ports.bus.put(_event(account, rollback, held, reason))
    return held


def _named(name: str, current: PublishedPeriod, held: list[Generation]) -> Generation:
    for generation in held:
        if generation.generation == name:
            if name == current.generation:
                raise UsageError(f"Readers see the generation {name} already.")
            return generation
    raise UsageError(
        f"There is no generation {name!r} of {current.period}.",
        remedy=SHOW.format(current.account_id, current.period),
    )


def _previous(current: PublishedPeriod, held: list[Generation]) -> Generation:
    """Return the newest published generation that was delivered before the current one."""
    seen = [
        generation
        for generation in held
        if generation.generation < current.generation
        and generation.state is GenerationState.PUBLISHED
    ]
    if not seen:
        raise UsageError(
            f"Readers saw no earlier generation of {current.period} that is still kept.",
            remedy=SHOW.format(current.account_id, current.period),
        )
    return seen[-1]


def _require_whole(rollback: Rollback, publish_ports: PublishPorts) -> None:
    target, totals = rollback.target, rollback.totals
    sql = statement(
        "generation_totals",
        account_id=target.account_id,
        period=str(target.period),
        generation=target.generation,
    )
    [sums] = publish_ports.queries.run(sql)
    wrong = differences(totals, from_row(sums, totals.currency))
    if wrong:
        raise TotalsDiffer(
            f"The generation {target.generation} is no longer whole: {'; '.join(wrong)}.",
            remedy="Choose another generation; nothing was changed.",
        )


def _held(rollback: Rollback, reason: str, now: datetime) -> PublishedPeriod:
    current, target = rollback.current, rollback.target
    # Returning to the newest generation that was ever current ends the hold.
    held_from = current.floor if current.floor > target.generation else None
    return PublishedPeriod(
        account_id=target.account_id,
        period=target.period,
        generation=target.generation,
        published_at=now,
        totals=rollback.totals,
        verdict_reason=f"Rolled back from {current.generation}: {reason} "
        "Not compared with Cost Explorer since.",
        previous_generation=current.generation,
        rolled_back_from=held_from,
    )


def _event(account: Account, rollback: Rollback, held: PublishedPeriod, reason: str) -> Event:
    was, now = rollback.current.totals.billed_cost, held.totals.billed_cost
    return event(
        PeriodRolledBack(
            period=str(held.period),
            generation=held.generation,
            previous_generation=rollback.current.generation,
            billed_cost=money(now),
            previous_billed_cost=money(was),
            difference=money(now - was),
            currency=held.totals.currency,
            reason=reason,
        ),
        account.for_events,
        f"{held.period}/{held.generation}/{held.published_at.isoformat()}",
    )
