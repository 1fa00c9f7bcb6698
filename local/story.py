"""The main job, step by step, as the demo shows it and the end-to-end tests check it.

Steps of a person are done as the person does them: the operator uses the command line, the
customer follows the link, AWS delivers files.
"""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from local.platform import OnWait, Platform
from local.world import estate
from local.world.bill import Bill
from local.world.console import follow
from local.world.delivery import Assembly, Report, deliver
from local.world.world import World

CUSTOMER = estate.PAYER
NAME = "Example Shop"
BUCKET = f"cloudspend-export-{CUSTOMER}-us-east-1"
PREFIX = "cloudspend"
REPORT = "cloudspend-cur"
INBOX = "finops@example.com"
QUEUE = "alerts"
COST_BY_SERVICE = """
SELECT service, round(sum(billed_cost), 2) AS billed_cost,
       round(sum(effective_cost), 2) AS effective_cost
FROM cost_by_service_daily GROUP BY service ORDER BY billed_cost DESC
""".strip()
SEVERITIES = ("info", "warning", "critical")
ENDS = {"active", "failed"}

Say = Callable[[str], None]


class Story:
    """One customer on one platform, from the invitation to the restated month."""

    def __init__(self, platform: Platform, today: date) -> None:
        self.platform = platform
        self.world = World.standard(today)
        self.customer = platform.cloud.session(CUSTOMER)
        self._ingested = 0
        self._link = ""
        self._queue = ""

    @property
    def invitation(self) -> list[str]:
        """The operator's command."""
        start = self.world.last_closed.previous.start.date()
        return [
            *("accounts", "invite", CUSTOMER),
            *("--name", NAME),
            *("--type", "ORGANIZATION"),
            *("--start-date", start.isoformat()),
            *("--retention-months", "36"),
            *("--export-kind", "CUR_LEGACY"),
        ]

    @property
    def questions(self) -> list[list[str]]:
        """What a person asks at the end."""
        return [
            ["accounts", "list"],
            ["periods", CUSTOMER],
            self._restatement(),
            ["query", COST_BY_SERVICE],
        ]

    def _restatement(self) -> list[str]:
        """What the restatement changed, between the two newest generations of its month."""
        period = str(self.world.restatement().period)
        answer = self.platform.run("periods", "show", CUSTOMER, period, "--output", "json")
        if answer.code:
            raise RuntimeError(answer.err.strip())
        before, after = [row["generation"] for row in answer.json][-2:]
        return ["periods", "diff", CUSTOMER, period, before, after]

    def subscribe(self) -> None:
        """A queue and an e-mail inbox, on the topics of all severities."""
        sqs, sns = self.platform.session.client("sqs"), self.platform.session.client("sns")
        self._queue = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
        wanted = ["QueueArn"]
        arn = sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=wanted)["Attributes"][
            "QueueArn"
        ]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": policy})
        for severity in SEVERITIES:
            topic = self.platform.settings.alert_topic_arn(severity)
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
            sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=INBOX)

    def generate(self, on_wait: OnWait) -> list[Bill]:
        """The customer's bills: two closed months and the current one."""
        bills: list[Bill] = []
        worker = threading.Thread(target=lambda: bills.extend(self.world.bills()))
        worker.start()
        while worker.is_alive():
            on_wait("generating")
            worker.join(0.25)
        if not bills:
            raise RuntimeError("koku-nise made no bill.")
        return bills

    def invite(self) -> str:
        """Run the operator's command and return the link it prints."""
        answer = self.platform.run(*self.invitation, "--output", "json")
        if answer.code:
            raise RuntimeError(answer.err.strip())
        self._link = str(answer.json["link"])
        return self._link

    def connect(self) -> Iterator[str]:
        """Follow the link as the customer; yields what the stack's outputs say."""
        self.platform.cloud.control("world", self.world.organization)
        for name, value in follow(self._link, self.customer).items():
            yield f"{name}: {value}"

    def onboarding(self) -> dict[str, Any]:
        """The account with its checks, as `cloudspend accounts show` has it."""
        answer = self.platform.run("accounts", "show", CUSTOMER, "--output", "json")
        if answer.code:
            raise RuntimeError(answer.err.strip())
        found: dict[str, Any] = answer.json
        return found

    def wait_for_onboarding(self, on_wait: OnWait | None = None) -> dict[str, Any]:
        """Wait until the Onboard execution has ended; returns the account."""
        machine = self.platform.settings.onboard_machine_arn
        self.platform.wait_for_quiet(machine, CUSTOMER, 1, on_wait)
        return self.onboarding()

    def deliver(self, bill: Bill) -> Assembly:
        """AWS delivers a bill to the customer's bucket."""
        self._ingested += 1
        return deliver(bill, self.customer, Report(BUCKET, PREFIX, REPORT))

    def wait_for_ingestion(self, on_wait: OnWait | None = None) -> None:
        """Wait until every delivery so far has been ingested."""
        machine = self.platform.settings.ingest_machine_arn
        self.platform.wait_for_quiet(machine, CUSTOMER, self._ingested, on_wait)

    def received(self) -> list[dict[str, Any]]:
        """What the queue has received, in the order of sending; each message is taken once."""
        sqs = self.platform.session.client("sqs")
        taken: list[dict[str, Any]] = []
        while True:
            page = sqs.receive_message(
                QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1
            ).get("Messages", [])
            if not page:
                return sorted(taken, key=lambda message: str(message["Timestamp"]))
            for message in page:
                taken.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])

    def inbox(self) -> list[dict[str, Any]]:
        """The e-mails that arrived."""
        mails: list[dict[str, Any]] = self.platform.cloud.control("inbox")
        return mails
