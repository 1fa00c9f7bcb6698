"""`cloudspend periods`: billing periods of an account and their generations."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import typer

from cloudspend import wiring
from cloudspend.accounts.model import Account
from cloudspend.cli.options import LIST, AccountId, ListsByDefault, OutputOption
from cloudspend.cli.output import Output, progress, show
from cloudspend.errors import UsageError
from cloudspend.exports.model import BillingPeriod
from cloudspend.ingest.restatement import Change, changes_between
from cloudspend.ingest.rollback import Rollback, proposed, roll_back
from cloudspend.lake.model import Generation, GenerationState, PublishedPeriod, Totals

COLUMNS = (
    "period",
    "certification",
    "billed_cost",
    "effective_cost",
    "currency",
    "residual",
    "rows",
    "generation",
)
DETAILS = ("published_at", "reason")
GENERATIONS = (
    "generation",
    "state",
    "delivered_at",
    "rows",
    "billed_cost",
    "effective_cost",
    "list_cost",
    "currency",
    "tables",
    "certification",
    "failure",
)
CHANGES = (
    "account",
    "service",
    "charge_type",
    "billed_before",
    "billed_after",
    "billed_difference",
    "effective_difference",
)
TOTAL = "total"
# Generations that were published and are not current any more.
REPLACED, ROLLED_BACK = "replaced", "rolled back"


app = typer.Typer(
    cls=ListsByDefault,
    no_args_is_help=True,
    help="See, compare and roll back billing periods. `cloudspend periods ACCOUNT` lists them.",
)

Period = Annotated[str, typer.Argument(metavar="PERIOD", help="The billing period, as YYYY-MM.")]


@app.command(LIST)
def list_periods(account_id: AccountId, output: OutputOption = Output.TABLE) -> None:
    """List an account's billing periods with their certification.

    certified: final, and equal to Cost Explorer's figures. provisional: open, or not compared yet.
    disputed: the figures differ, see the reason. The residual is the unexplained rest of the
    difference.
    """
    operator = wiring.operator()
    account = operator.accounts.get(account_id)
    rows = [_row(period) for period in operator.generations.periods(account.account_id)]
    columns = COLUMNS if output is Output.TABLE else (*COLUMNS, *DETAILS)
    show(rows, columns, output, f"No period of {account.display_name} is published yet.")
    if output is Output.TABLE:
        for row in rows:
            progress(f"{row['period']} is {row['certification']}: {row['reason']}")


@app.command("show")
def show_period(account_id: AccountId, period: Period, output: OutputOption = Output.TABLE) -> None:
    """Show every generation of a billing period, oldest delivery first.

    published: the one that readers see. replaced: published before. rolled back: withdrawn by an
    operator. checked, planned: not published yet. superseded: a newer one was published first.
    failed: see the failure. expired: being removed.
    """
    operator = wiring.operator()
    account, month = operator.accounts.get(account_id), BillingPeriod.parse(period)
    pointer = operator.generations.pointer(account.account_id, month)
    held = operator.generations.of_period(account.account_id, month)
    rows = [_generation(generation, pointer) for generation in held]
    show(rows, GENERATIONS, output, f"{account.display_name} has no delivery of {month} yet.")
    if output is Output.TABLE and pointer:
        progress(f"{month} is {pointer.verdict}: {pointer.verdict_reason}")


@app.command()
def diff(
    account_id: AccountId,
    period: Period,
    before: Annotated[str, typer.Argument(metavar="GENERATION", help="The earlier generation.")],
    after: Annotated[str, typer.Argument(metavar="GENERATION", help="The later generation.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Show the exact differences between two generations of a billing period.

    By account, service and charge type, largest difference of the billed cost first, with the
    total. Any two checked generations can be compared, published or not.
    """
    operator = wiring.operator()
    account, month = operator.accounts.get(account_id), BillingPeriod.parse(period)
    older, newer = (_totals(account, month, name, operator) for name in (before, after))
    found = changes_between(account.account_id, month, before, after, operator.queries)
    rows = [_change(change) for change in found]
    total = [_total(older, newer)] if rows else []
    show([*rows, *total], CHANGES, output, f"{before} and {after} hold the same costs.")


@app.command()
def rollback(
    account_id: AccountId,
    period: Period,
    reason: Annotated[str, typer.Option(help="Why, as a sentence; subscribers read it.")],
    generation: Annotated[
        str | None,
        typer.Argument(metavar="[GENERATION]", help="Default: what readers saw before."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Roll a billing period back to an earlier generation.

    The delivery that is rolled back and older ones are not published again; a newer one is,
    automatically. The period is compared with Cost Explorer again automatically, and provisional
    until then.
    """
    operator = wiring.operator()
    account, month = operator.accounts.get(account_id), BillingPeriod.parse(period)
    wanted = proposed(account.account_id, month, generation, operator.generations)
    progress(_question(account.display_name, wanted))
    if not yes:
        typer.confirm("Roll back?", abort=True, err=True)
    held = roll_back(account, wanted, reason, operator.publish_ports, datetime.now(UTC))
    progress(
        f"Readers of {month} see {held.generation} from their next query on. "
        f"{month} is {held.verdict}: {held.verdict_reason}"
    )


def _totals(
    account: Account, period: BillingPeriod, name: str, operator: wiring.Platform
) -> Totals:
    held = operator.generations.get(account.account_id, period, name)
    if held is None or held.totals is None or not held.is_kept:
        raise UsageError(
            f"There is no checked generation {name!r} of {period}.",
            remedy=f"See every generation: cloudspend periods show {account.account_id} {period}.",
        )
    return held.totals


def _row(period: PublishedPeriod) -> dict[str, object]:
    totals = period.totals
    return {
        "period": str(period.period),
        "certification": str(period.verdict),
        "billed_cost": round(totals.billed_cost, 2),
        "effective_cost": round(totals.effective_cost, 2),
        "currency": totals.currency,
        "residual": None if period.residual is None else round(period.residual, 4),
        "rows": totals.rows,
        "generation": period.generation,
        "published_at": _time(period.published_at),
        "reason": period.verdict_reason,
    }


def _generation(generation: Generation, pointer: PublishedPeriod | None) -> dict[str, object]:
    totals, failure = generation.totals, generation.failure
    is_shown = pointer is not None and pointer.generation == generation.generation
    return {
        "generation": generation.generation,
        "state": _state(generation, pointer),
        "delivered_at": _time(generation.delivered_at),
        "rows": totals and totals.rows,
        "billed_cost": totals and round(totals.billed_cost, 2),
        "effective_cost": totals and round(totals.effective_cost, 2),
        "list_cost": totals and round(totals.list_cost, 2),
        "currency": totals and totals.currency,
        "tables": totals and list(totals.tables),
        "certification": str(pointer.verdict) if pointer and is_shown else None,
        "failure": failure and f"{failure['error']}: {failure['summary']}",
    }


def _state(generation: Generation, pointer: PublishedPeriod | None) -> str:
    """Return the generation's state; `published` only for the current one."""
    if pointer is None or generation.state is not GenerationState.PUBLISHED:
        return str(generation.state)
    if generation.generation == pointer.generation:
        return str(GenerationState.PUBLISHED)
    return ROLLED_BACK if generation.generation > pointer.generation else REPLACED


def _change(change: Change) -> dict[str, object]:
    return {
        "account": change.account,
        "service": change.service,
        "charge_type": change.charge_type,
        "billed_before": _exact(change.billed_before),
        "billed_after": _exact(change.billed_after),
        "billed_difference": _exact(change.billed),
        "effective_difference": _exact(change.effective),
    }


def _total(older: Totals, newer: Totals) -> dict[str, object]:
    """Return the totals of the whole bill, including unchanged rows."""
    return {
        "account": TOTAL,
        "service": None,
        "charge_type": None,
        "billed_before": _exact(older.billed_cost),
        "billed_after": _exact(newer.billed_cost),
        "billed_difference": _exact(newer.billed_cost - older.billed_cost),
        "effective_difference": _exact(newer.effective_cost - older.effective_cost),
    }


def _exact(amount: Decimal) -> Decimal:
    """Return every significant digit, and at least two decimals."""
    whole, _, decimals = f"{amount:f}".partition(".")
    return Decimal(f"{whole}.{decimals.rstrip('0').ljust(2, '0')}")


def _question(name: str, wanted: Rollback) -> str:
    current, target, totals = wanted.current, wanted.target, wanted.totals
    return (
        f"Readers of {current.period} of {name} see {current.generation}: "
        f"{current.totals.billed_cost:.2f} {current.totals.currency} billed, {current.verdict}. "
        f"They will see {target.generation}: {totals.billed_cost:.2f} {totals.currency} billed, "
        "provisional."
    )


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
