"""Collect's four handlers, from event to event, over the fakes of its ports."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

import collect_failed
import collect_list
import collect_report
import collect_source
from cloudspend import wiring
from cloudspend.accounts.model import AccountState
from cloudspend.collect.model import Status
from cloudspend.collect.runner import CollectPorts
from cloudspend.settings import Settings
from tests.fakes.accounts import FakeAccounts, an_account
from tests.fakes.alerts import FakeBus
from tests.fakes.collecting import FakeProgress, FakeServices, FakeSpend, FakeStore
from tests.fakes.lake import FakeCatalog, FakeLake

CONTEXT = SimpleNamespace(
    function_name="f",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:f",
    aws_request_id="1",
)
ACCOUNT = an_account(state=AccountState.ACTIVE)
ID = ACCOUNT.account_id
ONE = {"account_id": ID, "source": "budgets", "force": True}


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Any:
    accounts, bus, lake, progress = FakeAccounts(ACCOUNT), FakeBus(), FakeLake(), FakeProgress()
    held: Any = (FakeSpend(), progress, FakeStore(), FakeCatalog(), lake, bus)
    services = FakeServices(describe_budgets=lambda _: {"Budgets": []})
    made = SimpleNamespace(
        accounts=accounts,
        bus=bus,
        lake=lake,
        progress=progress,
        collect_ports=CollectPorts(accounts, *held, 9),
        services=lambda account: services if account == ACCOUNT else None,
        settings=Settings("000000000000", "us-east-1"),
    )
    monkeypatch.setattr(wiring, "platform", lambda: made)
    return made


def test_the_list_names_the_sources_of_each_account(platform: Any) -> None:
    event = {"accounts": [ID], "sources": ["budgets"], "round": {"collect": "a-round"}}
    answer = collect_list.handler(event, CONTEXT)
    listed = platform.lake.read_json(answer["accounts_key"])
    assert listed == [{"account_id": ID, "sources": [ONE]}]


def test_a_source_is_collected_and_its_outcome_travels_on(platform: Any) -> None:
    answer = collect_source.handler(ONE, CONTEXT)
    assert (answer["source"], answer["status"], answer["pages"]) == ("budgets", "collected", 1)
    assert platform.progress.get(ID, "budgets").status is Status.COLLECTED


def test_a_step_that_failed_is_written_down_and_told(platform: Any) -> None:
    failure = {"Error": "TransientError", "Cause": "AWS was away."}
    answer = collect_failed.handler(ONE | {"failure": failure}, CONTEXT)
    assert (answer["status"], answer["reason"]) == ("failed", "AWS was away.")
    assert platform.progress.get(ID, "budgets").status is Status.FAILED
    assert platform.bus.kinds == ["SourceFailed"]
    assert platform.progress.get(ID, "budgets").at <= datetime.now(UTC)


def test_the_round_is_summed_up_and_told(platform: Any) -> None:
    outcome = collect_source.handler(ONE, CONTEXT)
    platform.lake.write_json("done.json", [{"Output": json.dumps([outcome])}])
    files = {"SUCCEEDED": [{"Key": "done.json"}], "FAILED": [], "PENDING": []}
    platform.lake.write_json("manifest.json", {"ResultFiles": files})
    details = {"ResultWriterDetails": {"Key": "manifest.json"}}
    answer = collect_report.handler({"collect": "a-round", "conversion": details}, CONTEXT)
    assert answer["whole"] is True
    assert answer["counts"]["collected"] == 1
    (stated,) = [event for event in platform.bus.events if event.detail_type == "CollectCompleted"]
    assert stated.details["pages"] == 1
