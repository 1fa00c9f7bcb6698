"""The `cloudspend` command: its groups, exit codes and error output.

Exit codes: 0 done, 1 the job failed, 2 wrong usage.
"""

import sys
from functools import cache
from importlib.metadata import entry_points

import typer

from cloudspend.cli import (
    accounts,
    alerts,
    collect,
    convert,
    exports,
    findings,
    importing,
    ingest,
    keys,
    lifecycle,
    members,
    offboard,
    periods,
    query,
    reconcile,
    repair,
    sweep,
)
from cloudspend.cli.output import progress
from cloudspend.errors import CloudSpendError, UsageError
from cloudspend.wiring import AWS_ERRORS

FAILED, MISUSED = 1, 2
PLUGINS = "cloudspend.commands"

app = typer.Typer(
    name="cloudspend",
    help="From a customer's AWS account to reconciled cost data.",
    epilog="Exit codes: 0 done, 1 the job failed, 2 wrong usage.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
accounts.app.command("import")(importing.import_file)
accounts.app.command("connect-key")(keys.connect)
accounts.app.command("rotate-key")(keys.rotate)
accounts.app.command("key-policy")(keys.key_policy)
accounts.app.command("move-to-role")(keys.move)
for _command in (
    lifecycle.update,
    lifecycle.verify,
    lifecycle.suspend,
    lifecycle.resume,
    lifecycle.history,
):
    accounts.app.command()(_command)
accounts.app.command("offboard")(offboard.offboard_account)
accounts.app.command("proof")(offboard.show_proof)
accounts.app.command("members")(members.list_members)
accounts.app.command("members-link")(members.link_members)
app.add_typer(accounts.app, name="accounts")
app.add_typer(exports.app, name="exports")
periods.app.command("repair")(repair.repair_periods)
app.add_typer(periods.app, name="periods")
app.add_typer(findings.app, name="findings")
app.add_typer(alerts.app, name="alerts")
app.command("ingest")(ingest.ingest)
app.command("reconcile")(reconcile.reconcile)
app.command("query")(query.query)
app.command("sweep")(sweep.sweep)
app.command("collect")(collect.collect)
app.command("convert")(convert.convert)


@cache
def command_line() -> typer.Typer:
    """Return the command line with the commands of plug-ins."""
    for plugin in sorted(entry_points(group=PLUGINS), key=lambda plugin: plugin.name):
        app.add_typer(plugin.load(), name=plugin.name)
    return app


def run() -> None:
    """Run the command line. Errors are sentences, never tracebacks."""
    try:
        command_line()()
    except UsageError as error:
        _end(error.sentence, MISUSED)
    except CloudSpendError as error:
        _end(error.sentence, FAILED)
    except AWS_ERRORS as error:
        _end(
            f"AWS refused or could not be reached: {error} "
            "Check the credentials, the region and AWS_ENDPOINT_URL of this shell.",
            FAILED,
        )


def _end(sentence: str, code: int) -> None:
    progress(f"cloudspend: {sentence}")
    sys.exit(code)
