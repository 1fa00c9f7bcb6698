"""`cloudspend sweep`: start a run of Sweep and show its results.

It starts the state machine instead of calling the library: the run has the machine's permissions,
so operators need none in customers' accounts, and months that were never compared are compared as
well.
"""

import time
from datetime import UTC, datetime

import typer

from cloudspend import payloads as p
from cloudspend import wiring
from cloudspend.cli.options import OutputOption
from cloudspend.cli.output import Output, progress, show
from cloudspend.errors import Defect

COLUMNS = ("what", "number")
RUNNING, SUCCEEDED = "RUNNING", "SUCCEEDED"
FAILED = 1
POLL_SECONDS = 1.0
PATIENCE_SECONDS = 10.0


def sweep(output: OutputOption = Output.TABLE) -> None:
    """Sweep every account now: find and repair what events missed.

    Waits for the end and lists the results; events report the details. Fails if an account could
    not be swept.
    """
    sweeps = wiring.operator().sweeps
    name = f"operator-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    sweeps.start(name, {})
    began = spoke = time.monotonic()
    while (status := sweeps.status(name)) in (RUNNING, None):
        if time.monotonic() - spoke >= PATIENCE_SECONDS:
            spoke = time.monotonic()
            progress(f"running for {spoke - began:.0f} s")
        time.sleep(POLL_SECONDS)
    if status != SUCCEEDED:
        raise Defect(
            f"The execution {name} of cloudspend-sweep ended as {status}.",
            remedy="The event SweepCompleted names the accounts that were not swept; the log of "
            "cloudspend-sweep-accounts says why.",
        )
    result = sweeps.output(name)
    rows = [
        {"what": what.replace("_", " "), "number": number}
        for what, number in result[p.COUNTS].items()
    ]
    show(rows, COLUMNS, output, "There is no active account.")
    for one in result[p.NOT_SWEPT]:
        progress(f"{one[p.ACCOUNT_ID]} was not swept: {one['reason']}")
    if result[p.NOT_SWEPT]:
        raise typer.Exit(FAILED)
