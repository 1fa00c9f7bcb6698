"""The guides of the platform team and of the customer's reviewer, followed from top to bottom."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloudspend.accounts.model import ExportKind
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.sweep import DeliveryOverdue
from cloudspend.alerts.event import EventAccount
from cloudspend.exports.model import BillingPeriod
from local.machine import PLATFORM_ACCOUNT
from local.story import Story
from local.world.bill import Bill
from local.world.delivery import tell
from tests.e2e import warm
from tests.e2e.guide import (
    CUSTOMER,
    PLATFORM,
    SECOND,
    THIRD,
    Guide,
    Word,
    attachments,
    blocks,
)
from tests.e2e.scene import Customer, Scene, dearer, hours_for

ACCOUNT, SHOP, MEMBER = "616161616161", "626262626262", "636363636363"
GROUP = "606060606060"
NAME, MAIL, QUEUE = "Guided Org", "guides@example.com", "guides-alerts"

# What is in the place of the guides' examples.
PLACEHOLDERS: dict[str, Word] = {
    CUSTOMER: ACCOUNT,
    PLATFORM: PLATFORM_ACCOUNT,
    SECOND: SHOP,
    THIRD: GROUP,
    "Example Group": "Guided Group",
    "Example Org": NAME,
    "Example Shop": "Guided Shop",
    "finops@example.com": MAIL,
    "cost-alerts": QUEUE,
}
# What is not run, and what shows it instead.
ELSEWHERE = {
    "git pull": "What is to be updated is what is tested.",
    "npx cdk bootstrap": "`cloud` has run it, on the local cloud (`local.deploy`).",
    "npx cdk deploy": "`cloud` has run it, with the local stage; the templates of production are "
    "those of tests/stacks.",
    "npx cdk diff": "It compares with AWS what tests/stacks synthesize.",
}


class Reader:
    """Who follows the guides, and the customer whose account they are about."""

    def __init__(self, story: Story, scene: Scene, folder: Path, programs: Path) -> None:
        self.programs = (programs,)
        self.scene, self.platform = scene, scene.platform
        self.customer = Customer(scene, ACCOUNT, NAME, ExportKind.CUR_2_0)
        self.bill: Bill = hours_for(ACCOUNT, story.world.bills()[1])
        self.period = str(self.bill.period)
        today = datetime.now(UTC)
        self.words = PLACEHOLDERS | {
            "accounts.csv": str(folder / "accounts.csv"),
            "2026-08": self.period,
            "2026-10": str(BillingPeriod(today.year, today.month)),
            "OLDER": lambda: self.generations()[-2],
            "NEWER": lambda: self.generations()[-1],
            "GENERATION": lambda: self.generations()[0],
            "3f2a9c04d1": self.finding,
            "EXTERNAL-ID": lambda: str(self.customer.shown()["external_id"]),
        }

    def generations(self) -> list[str]:
        """The month's, from the oldest on."""
        rows = self.scene.command("periods", "show", ACCOUNT, self.period)
        return [str(row["generation"]) for row in rows]

    def finding(self) -> str:
        """The open finding that no delivery came."""
        rows = self.scene.command("findings", "list", ACCOUNT)
        (found,) = [row for row in rows if row["kind"] == "freshness"]
        return str(found["finding"])

    def delivers(self, bill: Bill) -> Callable[[], None]:
        """AWS delivers `bill`; what it knows itself is the first one."""

        def happens() -> None:
            execution = self.customer.deliver(self.customer.assembly(bill), self.bill)
            self.scene.expect_success(execution)

        return happens

    def overdue(self) -> None:
        """Sweep says that no delivery came."""
        account = EventAccount(ACCOUNT, NAME, "ORGANIZATION")
        said = event(DeliveryOverdue(hours=40, target_hours=36), account, "a delivery")
        self.scene.say(said)
        self.platform.wait_until("the finding", self._is_found, 30)

    def _is_found(self) -> bool:
        rows = self.scene.command("findings", "list", ACCOUNT)
        return "freshness" in {row["kind"] for row in rows}

    def is_verified(self) -> None:
        assert self.customer.wait_until_onboarded()["state"] == "active"

    def is_removed(self) -> None:
        recorder = self.scene.recorder
        self.platform.wait_until(
            "AccountRemoved", lambda: bool(recorder.of(ACCOUNT, "AccountRemoved"))
        )

    def members_are_listed(self) -> None:
        self.is_verified()
        self.scene.command("collect", ACCOUNT, "--source", "organization_accounts")


@pytest.fixture(scope="module")
def reader(
    story: Story, scene: Scene, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("guides")
    members = [
        {"id": ACCOUNT, "name": "Payer", "email": "p@example.com"},
        {"id": MEMBER, "name": "Shop", "email": "s@example.com"},
    ]
    tell(scene.platform.cloud.endpoint, "world", {"management": ACCOUNT, "members": members})
    sqs = scene.platform.session.client("sqs")
    queue = sqs.create_queue(QueueName=QUEUE, Attributes={"Policy": _from_topics()})["QueueUrl"]
    with warm.command(folder) as programs:
        yield Reader(story, scene, folder, programs)
    arn = f"arn:aws:sqs:us-east-1:{PLATFORM_ACCOUNT}:{QUEUE}"
    scene.platform.run("alerts", "unsubscribe", arn)
    sqs.delete_queue(QueueUrl=queue)


def _from_topics() -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": f"arn:aws:sqs:us-east-1:{PLATFORM_ACCOUNT}:{QUEUE}",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def invited(reader: Reader) -> str:
    """The platform team deploys and invites; returns all that it saw."""
    words = dict(reader.words)
    guide = Guide(
        "deploying.md",
        reader.platform.environment,
        words,
        elsewhere=ELSEWHERE,
        seen={
            ".venv/bin/cloudspend alerts subscribe": [MAIL, "critical"],
            ".venv/bin/cloudspend alerts test": [MAIL],
            ".venv/bin/cloudspend accounts invite": ["quickcreate"],
            ".venv/bin/cloudspend accounts update": ["Cloud team", "36"],
            ".venv/bin/cloudspend accounts import": ["can be imported", SHOP],
        },
    )
    (table,) = attachments("deploying.md", "csv")
    Path(str(words["accounts.csv"])).write_text(guide.filled(table), encoding="utf-8")
    return guide.follow()


@pytest.fixture(scope="module")
def connected(reader: Reader, invited: str) -> Customer:
    """The customer follows the link, with a key of its own."""
    (link,) = {word for word in invited.split() if word.startswith("https://") and ACCOUNT in word}
    key = reader.customer.session.client("kms").create_key()["KeyMetadata"]["Arn"]
    assert reader.customer.follow(link, KmsKeyArn=key) == "CREATE_COMPLETE"
    reader.is_verified()
    return reader.customer


def test_the_team_deploys_and_invites_by_the_guide(connected: Customer) -> None:
    assert connected.shown()["owner"] == "Cloud team"


def test_the_reviewer_sees_what_the_guide_says(reader: Reader, connected: Customer) -> None:
    cloud = reader.platform.cloud
    environment = reader.platform.environment | cloud.environment(ACCOUNT)
    guide = Guide("security.md", environment, reader.words)
    first, *rest = blocks("security.md")
    guide.do(first)
    assert len(rest) > 15
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(guide.do, rest))


def test_the_team_runs_the_platform_by_the_guide(reader: Reader, connected: Customer) -> None:
    Guide(
        "operations.md",
        reader.platform.environment,
        reader.words,
        programs=reader.programs,
        elsewhere={
            "aws schemas": "The local cloud records schemas and answers nothing of them; what they "
            "are is shown in tests/stacks (test_stacks_schemas.py)."
        },
        answers={
            "cloudspend periods rollback": "y",
            "cloudspend accounts offboard": CUSTOMER,
        },
        before={
            "cloudspend ingest": reader.delivers(reader.bill),
            "cloudspend periods show": reader.delivers(dearer(reader.bill)),
            "cloudspend findings list": reader.overdue,
            "cloudspend accounts invite": reader.is_verified,
            "cloudspend accounts members": reader.members_are_listed,
            "cloudspend accounts offboard": reader.is_verified,
            "cloudspend accounts proof": reader.is_removed,
        },
        seen={
            "cloudspend alerts list": [MAIL, QUEUE],
            "cloudspend alerts test": [MAIL],
            "cloudspend periods rollback": ["OLDER"],
            "cloudspend findings list": ["freshness"],
            "cloudspend collect": ["collected"],
            "cloudspend query": ["within_tolerance"],
            "aws stepfunctions start-execution": ["executionArn"],
            "cloudspend accounts history": ["The contract rests until March."],
            "cloudspend accounts members": [MEMBER],
            "cloudspend accounts proof": ["finished at"],
        },
    ).follow()
    assert reader.platform.run("accounts", "show", ACCOUNT).code != 0
