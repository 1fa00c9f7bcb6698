"""`cloudspend accounts import`: invite a list of accounts."""

from pathlib import Path
from typing import Annotated

import typer

from cloudspend import wiring
from cloudspend.accounts.account_list import read_sheet
from cloudspend.accounts.importing import COLUMNS, LISTS, Imported, check, import_accounts
from cloudspend.cli.options import OutputOption, act_of
from cloudspend.cli.output import Output, Row, progress, show, show_whole
from cloudspend.errors import UsageError

WRONG = ("line", "field", "value", "allowed")
ANSWER = ("account_id", "name", "type", "state", "note", "link_expires")


def import_file(
    file: Annotated[Path, typer.Argument(help="A CSV table or a YAML list of accounts.")],
    checked_only: Annotated[
        bool, typer.Option("--check", help="Say what is wrong with the list and write nothing.")
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Make new links, and void the earlier ones, also for accounts of the list that "
            "are invited already.",
        ),
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Invite every account of a list and print their links.

    Checks the whole list first, and writes nothing while it has errors. Missing values follow the
    conventions of 'accounts invite'. Run it again after an interruption: existing accounts are
    skipped and reported.
    """
    operator = wiring.operator()
    act, invitation_ports = act_of(operator), operator.invitation_ports
    sheet = read_sheet(file.name, _text_of(file), tuple(COLUMNS), LISTS)
    wanted, problems = check(sheet, invitation_ports, act, again=again)
    if problems:
        show([vars(problem) for problem in problems], WRONG, output, "")
        raise UsageError(
            f"{file} has {len(problems)} mistakes; nothing was written.",
            remedy="Correct the lines above and import the file again.",
        )
    if checked_only:
        progress(f"{file} can be imported: {len(wanted)} accounts. Nothing was written.")
        return
    rows: list[Row] = []
    try:
        for one in import_accounts(wanted, invitation_ports, act, again=again):
            rows.append(_row(one))  # noqa: PERF401 - a link that was made is shown even if a later line fails
    finally:
        _show(rows, output)


def _show(rows: list[Row], output: Output) -> None:
    """Print the results; for people, each link is on a line of its own, for copying."""
    if output is not Output.TABLE:
        show(rows, (*ANSWER, "link", "members_link"), output, "")
        return
    show(rows, ANSWER, output, "Nothing was imported.")
    if any(row["link"] for row in rows):
        progress("Send each link to someone who may create IAM roles in its account:")
    for row in rows:
        if row["link"]:
            show_whole(f"{row['account_id']} {row['link']}")
        if row["members_link"]:
            progress("And for the delegated administrator of StackSets:")
            show_whole(f"{row['account_id']} {row['members_link']}")


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "It is not UTF-8."
        raise UsageError(
            f"{file} cannot be read: {reason}", remedy="Give a CSV or YAML file in UTF-8."
        ) from error


def _row(one: Imported) -> Row:
    account = one.account
    return {
        "account_id": account.account_id,
        "name": account.display_name,
        "type": str(account.type),
        "state": str(account.state),
        "note": one.note,
        "link_expires": f"{account.expires_at:%Y-%m-%d %H:%M} UTC" if one.link else "",
        "link": one.link,
        "members_link": one.members_link,
    }
