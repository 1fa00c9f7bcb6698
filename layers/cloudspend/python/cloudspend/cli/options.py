"""Arguments, options and behaviour that several commands share."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cloudspend.accounts.model import Act
from cloudspend.cli.output import Output
from cloudspend.wiring import Platform

AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's 12 digits.")]
OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="A table for people; json or csv for scripts.")
]
LIST = "list"


class ListsByDefault(TyperGroup):
    """`cloudspend periods ACCOUNT` lists its periods, and so on: an account's digits, or an
    option, where a command's name would stand mean the command `list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and (args[0].isdecimal() or args[0].startswith("-")) and args[0] != "--help":
            args = [LIST, *args]
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed


def act_of(operator: Platform, reason: str = "") -> Act:
    """What the person at this shell does now."""
    return Act(operator.caller, datetime.now(UTC), reason)
