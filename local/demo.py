"""`make demo`: the main job on a local cloud, shown step by step.

Everything shown is what a user would see: the commands are run as written, the tables are theirs,
the alerts are what the subscribers received.
"""

import contextlib
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.rule import Rule

from cloudspend.errors import CloudSpendError
from local.deploy import deploy
from local.machine import LocalCloud
from local.platform import Platform
from local.story import CUSTOMER, Story

PATIENCE = 2.0  # seconds without a word before a step says that it is alive


class Narrator:
    """Shows the steps on a terminal or in a log, and gives a sign of life while one runs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._number = 0

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator["Step"]:
        """One numbered step; prints how long it took."""
        self._number += 1
        self._console.print(f"[bold]{self._number}. {title}[/bold]")
        step = Step(self._console)
        yield step
        step.end()

    def show(self, title: str, text: str) -> None:
        """A table or a message, under a rule with its title."""
        self._console.print(Rule(title, align="left", style="dim"))
        self._console.print(text.rstrip(), markup=False, highlight=False)
        self._console.print()


class Step:
    """What a step says while it goes on."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = self._spoke = time.monotonic()

    def say(self, text: str) -> None:
        """A fact of this step."""
        self._console.print(f"   {text}", markup=False, highlight=False)
        self._spoke = time.monotonic()

    def alive(self, what: str) -> None:
        """Called often; speaks only when nothing was said for a while."""
        if time.monotonic() - self._spoke >= PATIENCE:
            self.say(f"… {what} ({time.monotonic() - self._started:.0f} s)")

    def end(self) -> None:
        self._console.print(f"   [dim]{time.monotonic() - self._started:.1f} s[/dim]")


def main() -> int:
    console = Console(width=None if sys.stdout.isatty() else 110, soft_wrap=True)
    try:
        with tempfile.TemporaryDirectory(prefix="cloudspend-demo-") as folder:
            tell(Narrator(console), Path(folder))
    except (CloudSpendError, TimeoutError, RuntimeError) as error:
        sentence = error.sentence if isinstance(error, CloudSpendError) else str(error)
        console.print(f"cloudspend: the demo stopped: {sentence}", markup=False, style="red")
        return 1
    return 0


def tell(narrator: Narrator, folder: Path) -> None:
    port = os.environ.get("CLOUDSPEND_LOCAL_PORT")
    with narrator.step("Start a local cloud, with IAM enforced") as step:
        cloud = LocalCloud.start(port=int(port) if port else None, state_dir=folder / "cloud")
        step.say(f"{cloud.endpoint}, platform account 000000000000")
    with cloud:
        with narrator.step("Deploy every stack with the CDK") as step:
            deploy(cloud, step.say)
        story = Story(Platform(cloud), datetime.now(UTC).date())
        _onboard(narrator, story)
        _ingest(narrator, story)
        _ask(narrator, story)
        _alerts(narrator, story)


def _onboard(narrator: Narrator, story: Story) -> None:
    with narrator.step("Subscribe to alerts: an SQS queue and an e-mail inbox"):
        story.subscribe()
    with narrator.step("Generate the customer's bill with koku-nise") as step:
        for bill in story.generate(step.alive):
            step.say(
                f"{bill.period}: {sum(map(len, bill.files)):,} rows in {len(bill.files)} files"
            )
    with narrator.step("Invite the customer") as step:
        command = story.invitation
        step.say("$ " + shlex.join(["cloudspend", *command]))
        link = story.invite()
        step.say(link)
    with narrator.step(f"Follow the link as the customer, account {CUSTOMER}") as step:
        for line in story.connect():
            step.say(line)
    with narrator.step("Onboard: prove the connection and each permission") as step:
        account = story.wait_for_onboarding(step.alive)
        for check in account["checks"]:
            step.say(f"{check['status']:14} {check['check']}")
        step.say(f"the account is {account['state']} {account['reason'] or ''}")


def _ingest(narrator: Narrator, story: Story) -> None:
    with narrator.step("AWS delivers three months; each manifest starts an ingestion") as step:
        for bill in story.world.bills():
            step.say(f"{bill.period}: s3://{story.deliver(bill).folder}")
        story.wait_for_ingestion(step.alive)
    with narrator.step("AWS restates the last closed month") as step:
        assembly = story.deliver(story.world.restatement())
        step.say(f"{assembly.bill.period}: s3://{assembly.folder}")
        story.wait_for_ingestion(step.alive)


def _ask(narrator: Narrator, story: Story) -> None:
    for command in story.questions:
        answer = story.platform.run(*command)
        if answer.code:
            raise RuntimeError(f"`cloudspend {shlex.join(command)}` failed: {answer.err.strip()}")
        narrator.show("$ " + shlex.join(["cloudspend", *command]), answer.out)


def _alerts(narrator: Narrator, story: Story) -> None:
    for message in story.received():
        narrator.show(f"queue received: {message['Subject']}", message["Message"])
    mails = story.inbox()
    narrator.show(
        f"inbox of {mails[0]['to']}" if mails else "inbox",
        "\n".join(mail["subject"] for mail in mails),
    )


if __name__ == "__main__":
    sys.exit(main())
