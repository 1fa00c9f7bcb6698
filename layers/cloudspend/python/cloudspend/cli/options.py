"""Arguments, options and behavior that several commands share."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cloudspend.accounts.model import Account, ChangeCause
from cloudspend.cli.output import Output
from cloudspend.errors import UsageError
from cloudspend.wiring import Platform

AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's 12 digits.")]
OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="A table for people; json or csv for scripts.")
]
LIST = "list"


class ListsByDefault(TyperGroup):
    """Makes `list` the default command: an account id or an option in place of a command lists.

    Example: `cloudspend periods ACCOUNT`.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and (args[0].isdecimal() or args[0].startswith("-")) and args[0] != "--help":
            args = [LIST, *args]
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed


def act_of(operator: Platform, reason: str = "") -> ChangeCause:
    """Return the cause of a change by the person at this shell."""
    return ChangeCause(operator.caller, datetime.now(UTC), reason)


def ingesting(account: Account) -> Account:
    """Return the account if it is ingesting. Raises UsageError that names what it waits for."""
    if not account.is_ingesting:
        raise UsageError(
            f"The account {account.account_id} is {account.state}: nothing is read from it.",
            remedy=f"See why: cloudspend accounts show {account.account_id}.",
        )
    return account
