"""`cloudspend local`: a deployed local cloud that keeps running in the background."""

import os
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError
from rich.console import Console
from rich.table import Table

from cloudspend.errors import UsageError
from cloudspend.settings import REGISTRY_TABLE
from local.deploy import deploy
from local.machine import PLATFORM_ACCOUNT, ROOT, LocalCloud

PORT = "CLOUDSPEND_LOCAL_PORT"
DEFAULT_PORT = 4566

app = typer.Typer(
    help="A local cloud to try CloudSpend on: AWS as far as the main job needs it, on 127.0.0.1. "
    f"The port comes from {PORT} (default {DEFAULT_PORT}); several run side by side.",
    no_args_is_help=True,
)


@app.command()
def up() -> None:
    """Start a local cloud in the background and deploy every stack to it."""
    port = _port()
    folder = _folder(port)
    if LocalCloud.attach(port, folder):
        raise UsageError(
            f"A local cloud is running on port {port} already.",
            remedy=f"End it with `cloudspend local down`, or choose another port with {PORT}.",
        )
    shutil.rmtree(folder, ignore_errors=True)
    cloud = LocalCloud.start(port, folder, background=True)
    typer.echo(f"The local cloud answers at {cloud.endpoint}; its log is {cloud.log_file}.")
    try:
        deploy(cloud, typer.echo)
    except BaseException:
        cloud.stop()
        raise
    typer.echo('Deployed. Point any AWS tool at it: eval "$(cloudspend local env)"')


@app.command()
def down() -> None:
    """End the local cloud and forget everything in it."""
    port = _port()
    _running(port).stop()
    shutil.rmtree(_folder(port), ignore_errors=True)
    typer.echo(f"The local cloud on port {port} has ended.")


@app.command()
def env(
    account: Annotated[
        str, typer.Option(help="The account whose root the AWS tools act as.")
    ] = PLATFORM_ACCOUNT,
) -> None:
    """Print the variables that point AWS tools at it: eval "$(cloudspend local env)"."""
    for name, value in _running(_port()).environment(account).items():
        typer.echo(f"export {name}={value}")


@app.command()
def status() -> None:
    """Show the stacks, the onboarded accounts, the inbox and what has no effect here."""
    cloud = _running(_port())
    found = cloud.control("status")
    console = Console()
    console.print(f"{cloud.endpoint}, process {found['pid']}", highlight=False)
    _table(console, "Stacks", found["stacks"])
    _table(console, "Onboarded accounts", _accounts(cloud))
    _table(console, "Recorded only (no effect here)", found["recorded_only"])
    console.print(f"{found['inbox']} e-mails in the inbox", highlight=False)


def _accounts(cloud: LocalCloud) -> list[dict[str, str]]:
    """The registry's accounts; none when it is not deployed (yet)."""
    pages = cloud.session().client("dynamodb").get_paginator("scan")
    columns = ("account_id", "display_name", "state")
    try:
        items = [
            item for page in pages.paginate(TableName=REGISTRY_TABLE) for item in page["Items"]
        ]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return []
        raise
    profiles = [item for item in items if item["sk"]["S"] == "PROFILE"]
    return [{name: item.get(name, {}).get("S", "") for name in columns} for item in profiles]


def _table(console: Console, title: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        console.print(f"{title}: none", highlight=False)
        return
    table = Table(*rows[0], title=title, title_justify="left")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console.print(table)


def _running(port: int) -> LocalCloud:
    cloud = LocalCloud.attach(port, _folder(port))
    if cloud is None:
        raise UsageError(
            f"No local cloud is running on port {port}.",
            remedy=f"Start one with `cloudspend local up`, or name its port in {PORT}.",
        )
    return cloud


def _port() -> int:
    text = os.environ.get(PORT) or str(DEFAULT_PORT)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise UsageError(f"{PORT}={text} is not a port.", remedy="Give a number from 1 to 65535.")
    return int(text)


def _folder(port: int) -> Path:
    return ROOT / ".local" / str(port)
