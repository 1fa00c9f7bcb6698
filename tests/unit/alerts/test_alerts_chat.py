"""Notifications for chat channels."""

import json
from dataclasses import replace

import pytest

from cloudspend.alerts.catalog import CATALOG, event
from cloudspend.alerts.catalog.sweep import AccountUnreachable
from cloudspend.alerts.chat import MAX_TEXT, is_for_chat, notification_of
from cloudspend.alerts.event import EventAccount, Severity
from cloudspend.alerts.message import message_of
from cloudspend.alerts.ports import Message
from tests.unit.alerts.event_examples import example


@pytest.mark.parametrize("detail_type", CATALOG)
def test_every_event_has_a_notification_in_the_form_that_is_shown(detail_type: str) -> None:
    detail = example(detail_type).detail
    notification = notification_of(message_of(detail_type, detail))
    assert (notification["version"], notification["source"]) == ("1.0", "custom")
    assert notification["content"]["description"] == detail["summary"]
    assert len(notification["content"]["nextSteps"]) == len(detail["actions"])
    assert json.loads(json.dumps(notification)) == notification


@pytest.mark.parametrize(
    ("detail_type", "in_chat"),
    [("PeriodPublished", False), ("PeriodRestated", True), ("PeriodDisputed", True)],
)
def test_chat_gets_only_alerts_that_need_action(detail_type: str, in_chat: bool) -> None:
    assert is_for_chat(message_of(detail_type, example(detail_type).detail)) is in_chat


def test_every_severity_but_info_is_told() -> None:
    message = message_of("FindingRaised", example("FindingRaised").detail)
    in_chat = {severity for severity in Severity if is_for_chat(_weighing(message, severity))}
    assert in_chat == {Severity.WARNING, Severity.CRITICAL}


def test_a_name_calls_nobody() -> None:
    account = EventAccount("111111111111", "<!channel> & sons", "LINKED")
    said = event(AccountUnreachable(error="E", reason="<@U1>", remedy="<!here>"), account, "x")
    text = json.dumps(notification_of(message_of("AccountUnreachable", said.detail)))
    assert "<" not in text
    assert "channel" in text


def test_a_long_reason_is_cut() -> None:
    said = example("FindingRaised", reason="x" * 9000)
    content = notification_of(message_of("FindingRaised", said.detail))["content"]
    assert len(content["description"]) == MAX_TEXT


def test_one_finding_is_one_thread() -> None:
    threads = [
        notification_of(message_of(kind, example(kind, finding=finding).detail))["metadata"]
        for kind, finding in (
            ("FindingRaised", "aaaaaaaaaa"),
            ("FindingResolved", "aaaaaaaaaa"),
            ("FindingRaised", "bbbbbbbbbb"),
        )
    ]
    first, again, other = (each["threadId"] for each in threads)
    assert first == again != other


def _weighing(message: Message, severity: Severity) -> Message:
    return replace(message, severity=str(severity))
