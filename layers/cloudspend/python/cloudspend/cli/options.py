"""Arguments and options that several commands share."""

from typing import Annotated

import typer

from cloudspend.cli.output import Output

AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's 12 digits.")]
OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="A table for people; json or csv for scripts.")
]
