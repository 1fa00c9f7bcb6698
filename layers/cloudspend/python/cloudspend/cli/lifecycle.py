"""`cloudspend accounts update|verify|suspend|resume|history`: operations on existing accounts."""

from typing import Annotated

import typer

from cloudspend import wiring
from cloudspend.accounts import operate
from cloudspend.accounts.model import Account, Change
from cloudspend.accounts.validation import AccountFields
from cloudspend.cli import fields as o
from cloudspend.cli.options import AccountId, OutputOption, act_of
from cloudspend.cli.output import Output, progress, show, show_one

HISTORY = ("number", "at", "before", "after", "by", "reason")

Why = Annotated[str, typer.Option(help="Why, as a sentence; it is kept as history.")]


def update(  # noqa: PLR0913, PLR0917 - one parameter an option; they become one request in the first line
    account_id: AccountId,
    name: o.Name = None,
    region: o.Regions = None,
    start_date: o.StartDate = None,
    retention_months: o.Retention = None,
    billing_detail: o.BillingDetail = None,
    tag_column: o.TagColumns = None,
    contact: o.Contacts = None,
    owner: o.Owner = None,
    cost_centre: o.CostCentre = None,
    notes: o.Notes = None,
    freshness_hours: o.Freshness = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Change fields of an account; fields that are not given keep their value.

    The export belongs to the customer's stack: invite the account again to change it. After an
    earlier start date, `cloudspend ingest ACCOUNT` ingests the deliveries since.
    """
    operator = wiring.operator()
    wanted = AccountFields(
        display_name=name,
        regions=region,
        start_date=start_date,
        retention_months=retention_months,
        billing_detail=billing_detail,
        tag_columns=tag_column,
        contacts=contact,
        owner=owner,
        cost_centre=cost_centre,
        notes=notes,
        fresh_hours=freshness_hours,
    )
    before = operator.accounts.get(account_id)
    after = operate.update(account_id, wanted, operator.invitation_ports, act_of(operator))
    change = after.last_change
    changed = after != before and change is not None
    reason = change.reason if changed and change else "nothing: it is so already"
    show_one({"account_id": account_id, "name": after.display_name, "changed": reason}, output)


def verify(
    account_id: AccountId,
    move_coverage: Annotated[
        bool,
        typer.Option(
            "--move-coverage",
            help="Let the organization take over what its members bring that are onboarded by "
            "themselves.",
        ),
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Verify an account's connection and every permission again, and ingest missing bills.

    `cloudspend accounts show ACCOUNT` shows the result.
    """
    operator = wiring.operator()
    after = operate.verify(
        account_id,
        operator.invitation_ports,
        operator.onboarding,
        act_of(operator),
        move_coverage=move_coverage,
    )
    _show(after, output)
    progress(f"Its checks run now. See how they went: cloudspend accounts show {account_id}")


def suspend(account_id: AccountId, reason: Why, output: OutputOption = Output.TABLE) -> None:
    """Suspend an account: no ingest, sweep or collection; its data stays."""
    operator = wiring.operator()
    _show(operate.suspend(account_id, operator.invitation_ports, act_of(operator, reason)), output)


def resume(account_id: AccountId, output: OutputOption = Output.TABLE) -> None:
    """Resume a suspended account: verify it, and ingest the deliveries since."""
    operator = wiring.operator()
    after = operate.resume(
        account_id, operator.invitation_ports, operator.onboarding, act_of(operator)
    )
    _show(after, output)
    progress(f"It is verified now. See how that went: cloudspend accounts show {account_id}")


def history(account_id: AccountId, output: OutputOption = Output.TABLE) -> None:
    """Show the history of an account: who changed its state, when, and why."""
    accounts = wiring.operator().accounts
    account = accounts.get(account_id)
    rows = [_step(change) for change in accounts.history(account_id)]
    show(rows, HISTORY, output, f"Nothing is written down of {account.display_name} yet.")


def _show(account: Account, output: Output) -> None:
    facts = {
        "account_id": account.account_id,
        "name": account.display_name,
        "state": str(account.state),
        "reason": account.state_reason,
    }
    show_one(facts, output)


def _step(change: Change) -> dict[str, object]:
    return {
        "number": change.number,
        "at": f"{change.at:%Y-%m-%d %H:%M:%S} UTC",
        "before": change.before and str(change.before),
        "after": str(change.after),
        "by": change.by,
        "reason": change.reason,
    }
