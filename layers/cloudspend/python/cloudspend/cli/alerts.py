"""`cloudspend alerts`: subscriptions, a test alert, and dead letters."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cloudspend import wiring
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.platform import TestAlert
from cloudspend.alerts.dead_letters import Outcome, redrive
from cloudspend.alerts.event import EventAccount, Severity
from cloudspend.alerts.subscription import (
    DeliveryProtocol,
    Subscription,
    SubscriptionRequest,
    confirmed_subscriptions,
    subscription_request,
)
from cloudspend.cli.options import OutputOption
from cloudspend.cli.output import Output, progress, show
from cloudspend.errors import CloudSpendError, UsageError
from cloudspend.settings import Settings

SUBSCRIPTIONS = ("endpoint", "way", "severities", "accounts", "kinds", "confirmed", "dead_letters")
QUEUES = ("queue", "messages")
LETTERS = ("queue", "since", "what", "why", "to", "outcome")
TEST = TestAlert.__name__

app = typer.Typer(help="Choose who receives which alerts, test it, redeliver what did not arrive.")

Account = Annotated[
    list[str] | None,
    typer.Option("--account", metavar="ACCOUNT", help="Only of these accounts (repeatable)."),
]
Weight = Annotated[
    list[str] | None,
    typer.Option(
        "--severity", help="info, warning or critical (repeatable); warning and critical if not."
    ),
]
Kind = Annotated[
    list[str] | None,
    typer.Option("--kind", metavar="EVENT", help="Only these events (repeatable)."),
]


@app.command()
def subscribe(  # noqa: PLR0913, PLR0917 (options of a command)
    email: Annotated[str, typer.Option(help="A mail address: gets text.")] = "",
    sqs: Annotated[str, typer.Option(help="A queue's ARN: gets JSON.")] = "",
    https: Annotated[str, typer.Option(help="An address: gets JSON by POST.")] = "",
    function: Annotated[str, typer.Option("--lambda", help="A function's ARN: gets JSON.")] = "",
    account: Account = None,
    severity: Weight = None,
    kind: Kind = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Subscribe an endpoint to alerts. A new choice for the same endpoint replaces the earlier
    one.
    """
    given = {
        DeliveryProtocol.EMAIL: email,
        DeliveryProtocol.SQS: sqs,
        DeliveryProtocol.HTTPS: https,
        DeliveryProtocol.LAMBDA: function,
    }
    named = [(way, endpoint) for way, endpoint in given.items() if endpoint]
    if len(named) != 1:
        raise UsageError(
            "Alerts are sent to one place at a time.",
            remedy="Give one of --email, --sqs, --https and --lambda.",
        )
    wanted = subscription_request(*named[0], severity or (), account or (), kind or ())
    operator = wiring.operator()
    for account_id in wanted.accounts:
        operator.accounts.get(account_id)
    operator.subscriptions.add(wanted)
    same = (wanted.protocol, wanted.endpoint)
    own = [one for one in operator.subscriptions.all() if (one.protocol, one.endpoint) == same]
    show([_row(each) for each in own], SUBSCRIPTIONS, output, "Nothing is subscribed.")
    progress(_next_step(wanted, operator.settings))


@app.command("list")
def list_subscriptions(output: OutputOption = Output.TABLE) -> None:
    """List all subscriptions."""
    found = wiring.operator().subscriptions.all()
    rows = [_row(each) for each in sorted(found, key=lambda each: (each.endpoint, each.severities))]
    show(rows, SUBSCRIPTIONS, output, "No one is subscribed yet.")


@app.command()
def unsubscribe(
    endpoint: Annotated[str, typer.Argument(help="The address or ARN, as the list has it.")],
) -> None:
    """End the subscriptions of an endpoint."""
    subscriptions = wiring.operator().subscriptions
    own = confirmed_subscriptions(subscriptions.all(), endpoint)
    for each in own:
        subscriptions.remove(each)
    progress(f"{endpoint} no longer receives alerts.")


@app.command("test")
def try_out(
    severity: Annotated[Severity, typer.Option(help="As if it were of this weight.")] = (
        Severity.WARNING
    ),
    output: OutputOption = Output.TABLE,
) -> None:
    """Send a test alert the way of all alerts, and list its recipients."""
    operator = wiring.operator()
    account_id = operator.settings.account_id
    found = operator.subscriptions.all()
    now = datetime.now(UTC)
    operator.bus.put(
        event(
            TestAlert(sender=operator.caller, sent_at=now),
            EventAccount.platform(account_id),
            now.isoformat(),
            severity=severity,
        )
    )
    hearers = [each for each in found if each.receives(severity, account_id, TEST)]
    none = f"No confirmed subscription receives {TEST}, {severity}, about the platform."
    show([_row(each) for each in hearers], SUBSCRIPTIONS, output, none)
    progress(
        f"Sent at {now:%Y-%m-%d %H:%M:%S} UTC. What does not arrive: cloudspend alerts redrive."
    )


@app.command("redrive")
def redrive_letters(
    queue: Annotated[
        str, typer.Argument(metavar="[QUEUE]", help="One dead letter queue; without it, all.")
    ] = "",
    dry_run: Annotated[bool, typer.Option(help="Only say what would be sent, and where.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Deliver dead letters again, each to its original target."""
    queues = wiring.operator().dead_letters
    outcomes = list(redrive(queues, datetime.now(UTC), queue, dry_run=dry_run))
    rows = [_letter(each, dry_run) for each in outcomes]
    show(rows, LETTERS, output, "No dead letter queue holds anything.")
    kept = sum(bool(each.wrong) for each in outcomes)
    if dry_run and outcomes:
        progress(f"{len(outcomes) - kept} can be sent again, {kept} cannot. Nothing was sent.")
    elif outcomes:
        progress(f"{len(outcomes) - kept} were sent again, {kept} stay in their queues.")
    if kept:
        raise CloudSpendError(
            f"{kept} dead letters stay where they are.",
            remedy="The last column says why; they are kept for 14 days.",
        )


def _row(subscription: Subscription) -> dict[str, Any]:
    return {
        "endpoint": subscription.endpoint,
        "way": str(subscription.protocol),
        "severities": list(subscription.severities),
        "accounts": list(subscription.accounts) or "all",
        "kinds": list(subscription.kinds) or "all",
        "confirmed": "yes" if subscription.is_confirmed else "no",
        "dead_letters": "yes" if subscription.has_dead_letters else "no",
    }


def _letter(outcome: Outcome, dry_run: bool) -> dict[str, Any]:
    letter = outcome.letter
    return {
        "queue": letter.queue,
        "since": f"{letter.sent_at:%Y-%m-%d %H:%M:%S}",
        "what": letter.what,
        "why": letter.why,
        "to": outcome.to.rpartition(":")[2],
        "outcome": outcome.wrong or ("can be sent" if dry_run else "sent"),
    }


def _next_step(wanted: SubscriptionRequest, settings: Settings) -> str:
    """Return what the subscriber must do to receive alerts."""
    topic = settings.event_topic_arn
    return {
        DeliveryProtocol.EMAIL: (
            f"AWS has sent {wanted.endpoint} a mail for each severity: follow their links."
        ),
        DeliveryProtocol.HTTPS: (
            f"AWS has sent {wanted.endpoint} a request to confirm: open its SubscribeURL."
        ),
        DeliveryProtocol.SQS: (
            f"The queue's policy must let sns.amazonaws.com send to it from {topic}."
        ),
        DeliveryProtocol.LAMBDA: f"The function must let sns.amazonaws.com invoke it from {topic}.",
    }[wanted.protocol] + " Then try it: cloudspend alerts test."
