"""Messages are text that a person can act on."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from cloudspend.alerts.catalog import CATALOG, event
from cloudspend.alerts.catalog.ingest import PeriodRestated
from cloudspend.alerts.catalog.reconcile import CostChange
from cloudspend.alerts.event import EventAccount
from cloudspend.alerts.message import MAX_ROWS, MAX_SUBJECT, message_of
from cloudspend.alerts.notify import notify
from tests.fakes.alerts import FakeTopics
from tests.unit.alerts.event_examples import ACCOUNT, example
from tests.unit.alerts.test_alerts_catalog import CELL


def restated(changes: list[CostChange], account: EventAccount = ACCOUNT) -> dict[str, Any]:
    made = event(
        PeriodRestated(
            period="2026-10",
            generation="20261103T000000Z-aaaaaaaa",
            previous_generation="20261101T000000Z-bbbbbbbb",
            billed_cost=Decimal("110"),
            previous_billed_cost=Decimal("100"),
            difference=Decimal("10"),
            currency="USD",
            changes=tuple(changes),
        ),
        account,
        "2026-10",
    )
    return made.detail


def change(service: str, before: str, after: str) -> CostChange:
    difference = Decimal(after) - Decimal(before)
    return CostChange(
        account="222222222222",
        service=service,
        before=Decimal(before),
        after=Decimal(after),
        difference=difference,
    )


def test_a_restatement_reads_from_top_to_bottom() -> None:
    detail = restated([change("AmazonEC2", "1090.1", "1100.100001"), change("AWSKMS", "0", "-0.1")])
    message = message_of("PeriodRestated", detail)
    assert message.subject == (
        "Acme {Corp}: October 2026's bill was restated, +10.00 USD (+10.0 %)"
    )
    assert message.text == (
        "AWS restated the bill of 2026-10 for Acme {Corp} (111111111111) from 100.00 to 110.00 "
        "USD, a difference of 10.00 USD.\n"
        "\n"
        "  account               Acme {Corp} (111111111111, ORGANIZATION)\n"
        "  severity              warning\n"
        "  period                2026-10\n"
        "  generation            20261103T000000Z-aaaaaaaa\n"
        "  previous generation   20261101T000000Z-bbbbbbbb\n"
        "  billed cost           110.00\n"
        "  previous billed cost  100.00\n"
        "  difference            10.00\n"
        "  currency              USD\n"
        "\n"
        "Changes:\n"
        "  account       service      before     after  difference\n"
        "  222222222222  AmazonEC2  1,090.10  1,100.10       10.00\n"
        "  222222222222  AWSKMS         0.00     -0.10       -0.10\n"
        "\n"
        "What to do:\n"
        "  1. Correct reports and charges that used the earlier figures.\n"
        "  2. See the difference: cloudspend periods diff 111111111111 2026-10 "
        "20261101T000000Z-bbbbbbbb 20261103T000000Z-aaaaaaaa.\n"
        "\n"
        f"Event {detail['event_id']}. Retries carry the same event id.\n"
    )


@pytest.mark.parametrize("detail_type", CATALOG)
def test_every_event_has_a_message(detail_type: str) -> None:
    detail = example(detail_type).detail
    message = message_of(detail_type, detail)
    assert detail["summary"] in message.text
    assert all(action in message.text for action in detail["actions"])
    assert (message.severity, message.account_id, message.detail_type) == (
        detail["severity"],
        "111111111111",
        detail_type,
    )


@pytest.mark.parametrize("name", ["Ä" * 64, "x" * 64, "Müller & Söhne 株式会社", "a\nb\tc"])
def test_a_subject_is_one_short_ascii_line(name: str) -> None:
    detail = restated([], EventAccount("111111111111", name, "LINKED"))
    subject = message_of("PeriodRestated", detail).subject
    assert len(subject) <= MAX_SUBJECT
    assert subject.isascii()
    assert subject.isprintable()


def test_a_long_table_says_how_much_is_left_out() -> None:
    changes = [change(f"service-{i}", "0", "1") for i in range(MAX_ROWS + 3)]
    text = message_of("PeriodRestated", restated(changes)).text
    assert f"service-{MAX_ROWS - 1} " in text
    assert f"service-{MAX_ROWS} " not in text
    assert "and 3 more" in text


def test_a_long_name_does_not_break_the_table() -> None:
    detail = example("PeriodDisputed", cells=[replace(CELL, service="S" * 500)]).detail
    lines = message_of("PeriodDisputed", detail).text.splitlines()
    assert max(len(line) for line in lines if "SSS" in line) < 160


def test_news_says_that_no_action_is_needed() -> None:
    message = message_of("PeriodCertified", example("PeriodCertified").detail)
    assert "No action is needed." in message.text


def test_notify_publishes_what_the_bus_brings() -> None:
    topics, detail = FakeTopics(), example("PeriodPublished").detail
    notify({"detail-type": "PeriodPublished", "source": "cloudspend", "detail": detail}, topics)
    assert topics.messages == [message_of("PeriodPublished", detail)]
