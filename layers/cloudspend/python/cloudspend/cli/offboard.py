"""`cloudspend accounts offboard|proof`: remove an account and show the proof."""

from typing import Annotated

import typer

from cloudspend import wiring
from cloudspend.cli.options import AccountId, OutputOption, act_of
from cloudspend.cli.output import Output, progress, show, show_one
from cloudspend.errors import UsageError
from cloudspend.offboarding.begin import offboard
from cloudspend.offboarding.model import Data, Report, facts_of, instruction, report_folder

REMAINING = ("kind", "removed", "remaining", "names")


def offboard_account(
    account_id: AccountId,
    data: Annotated[
        Data, typer.Option(help="Whether what was taken in is deleted, or kept for readers.")
    ],
    reason: Annotated[str, typer.Option(help="Why, as a sentence; it is kept in the report.")],
    confirm: Annotated[
        str | None,
        typer.Option(metavar="ACCOUNT", help="The account's id once more; asked for otherwise."),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Offboard an account with the state machine cloudspend-offboard.

    Always deletes its access key. With `--data delete`, permanently deletes all generations,
    partitions, collected and reconciliation results, and its registry items. A report proves it:
    cloudspend accounts proof ACCOUNT.
    """
    operator = wiring.operator()
    account = operator.accounts.get(account_id)
    if confirm is None:
        what = "and delete all of its data" if data is Data.DELETE else "and keep its data"
        progress(f"This is to offboard {account.display_name} ({account_id}) {what}.")
        confirm = typer.prompt("Type the account's id to confirm", err=True)
    act = act_of(operator, reason)
    begun = offboard(
        account_id, confirm, data, operator.invitation_ports, operator.offboardings, act
    )
    facts = {
        "account_id": account_id,
        "state": str(begun.account.state),
        "data": str(data),
        "execution": begun.execution,
        "report": f"s3://{operator.lake.bucket}/{begun.report_key}",
    }
    show_one(facts, output)
    if output is Output.TABLE:
        progress("For the customer, at the end:")
        progress(instruction(facts_of(account)))


def show_proof(account_id: AccountId, output: OutputOption = Output.TABLE) -> None:
    """Show the report of an account's last offboarding: removed and remaining data."""
    lake = wiring.operator().lake
    found = lake.staged(report_folder(account_id))
    if not found:
        raise UsageError(
            f"There is no report of an offboarding of {account_id}.",
            remedy=f"Begin with: cloudspend accounts offboard {account_id} --help",
        )
    newest = max(found, key=lambda each: each.modified)
    report = Report.from_payload(lake.read_json(newest.key))
    if output is Output.JSON:
        show_one(report.to_payload(), output)
        return
    rows = [_row(report, kind) for kind in dict.fromkeys((*report.removed, *report.remaining))]
    if output is Output.TABLE:
        finished = report.finished_at
        show_one(
            {
                **report.account,
                "data": str(report.data),
                "finished_at": f"{finished:%Y-%m-%d %H:%M:%S} UTC" if finished else "not yet",
            },
            output,
        )
    show(rows, REMAINING, output, "Nothing was held of the account.")
    if output is Output.TABLE:
        progress(instruction(report.account))


def _row(report: Report, kind: str) -> dict[str, object]:
    left = report.remaining.get(kind)
    return {
        "kind": kind,
        "removed": report.removed.get(kind, 0),
        "remaining": left.count if left else None,
        "names": list(left.names) if left else [],
    }
