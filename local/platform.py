"""The deployed platform on a local cloud, handled as its users do: by commands and AWS calls."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cloudspend.settings import Settings
from local.machine import PLATFORM_ACCOUNT, REGION, LocalCloud

ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}

QUIET_SECONDS = 180

OnWait = Callable[[str], None]


@dataclass(frozen=True)
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Platform:
    """The platform account of `cloud`, once CloudSpend is deployed there."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.session = cloud.session(PLATFORM_ACCOUNT)
        self.settings = Settings(account_id=PLATFORM_ACCOUNT, region=REGION)

    def run(self, *arguments: str, typed: str = "") -> Answer:
        """Run `cloudspend` with `arguments` as the operator of the platform; `typed` is what it
        finds on standard input."""
        command = [str(Path(sys.executable).with_name("cloudspend")), *arguments]
        done = subprocess.run(
            command, env=self.environment, input=typed, capture_output=True, text=True, check=False
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    @property
    def environment(self) -> dict[str, str]:
        """The operator's shell after `eval "$(cloudspend local env)"`; nothing of AWS inherited."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CLOUDSPEND_"))}
        return kept | {
            **self.cloud.environment(),
            "COLUMNS": os.environ.get("COLUMNS", "110"),
        }

    def executions(self, machine_arn: str) -> list[dict[str, Any]]:
        """Every execution of a state machine, newest first."""
        client = self.session.client("stepfunctions")
        pages = client.get_paginator("list_executions").paginate(stateMachineArn=machine_arn)
        return [execution for page in pages for execution in page["executions"]]

    def wait_until(
        self,
        what: str,
        done: Callable[[], bool],
        seconds: float = 120,
        on_wait: OnWait | None = None,
    ) -> None:
        """Wait for `done`, telling `on_wait` in the meantime. Raises TimeoutError that names
        `what`.
        """
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {seconds:.0f} s for {what}")
            if on_wait:
                on_wait(what)
            time.sleep(0.25)

    def wait_for_quiet(
        self,
        machine_arn: str,
        account_id: str,
        at_least: int,
        on_wait: OnWait | None = None,
    ) -> None:
        """Wait until a machine has had `at_least` executions for an account, and all have ended.

        Executions are named after their account first.
        """

        def quiet() -> bool:
            all_of_them = self.executions(machine_arn)
            found = [e for e in all_of_them if e["name"].startswith(f"{account_id}_")]
            return len(found) >= at_least and all(e["status"] in ENDED for e in found)

        name = machine_arn.rpartition(":")[2]
        self.wait_until(f"{at_least} executions of {name}", quiet, QUIET_SECONDS, on_wait)


def now() -> datetime:
    return datetime.now(UTC)
