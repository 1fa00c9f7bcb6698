"""One round over all accounts: who is swept, what came of it, and when the execution must fail."""

import json
from typing import Any

import pytest

from cloudspend import payloads as p
from cloudspend.accounts.model import AccountState
from cloudspend.errors import Defect
from cloudspend.sweep.sweep_run import compared, list_accounts, report
from tests.fakes.accounts import FakeAccounts, an_account
from tests.fakes.alerts import FakeBus
from tests.fakes.lake import FakeLake

STATE = {p.SWEEP: "a-round"}
PLATFORM = "000000000000"
COMPARE = {p.ACCOUNT_ID: "111111111111", p.PERIOD: "2026-10", p.GENERATION: "g"}


def test_only_active_accounts_are_swept() -> None:
    registry = FakeAccounts(
        an_account("111111111111", state=AccountState.ACTIVE),
        an_account("222222222222", state=AccountState.INVITED),
        an_account("333333333333", state=AccountState.ACTIVE),
    )
    lake = FakeLake()
    answer = list_accounts(STATE, registry, lake)
    assert lake.read_json(answer[p.ACCOUNTS_KEY]) == ["111111111111", "333333333333"]
    assert answer[p.BUCKET] == lake.bucket
    assert answer[p.SWEEP] == "a-round"


def written(lake: FakeLake, succeeded: list[dict[str, Any]], failed: list[Any]) -> dict[str, Any]:
    """The state after the map, whose result files are in the lake."""
    lake.write_json(
        "sweeps/a-round/SUCCEEDED_0.json", [{"Output": json.dumps(one)} for one in succeeded]
    )
    lake.write_json("sweeps/a-round/FAILED_0.json", failed)
    files = {
        "PENDING": [],
        "SUCCEEDED": [{"Key": "sweeps/a-round/SUCCEEDED_0.json"}],
        "FAILED": [{"Key": "sweeps/a-round/FAILED_0.json"}],
    }
    lake.write_json("sweeps/a-round/manifest.json", {"ResultFiles": files})
    details = {"Key": "sweeps/a-round/manifest.json"}
    return {**STATE, p.MAP_RUN: {"ResultWriterDetails": details}}


def batch(*not_swept: str, compare: int = 0, **counts: int) -> dict[str, Any]:
    return {
        p.COUNTS: counts,
        p.COMPARE: [COMPARE] * compare,
        p.NOT_SWEPT: [
            {p.ACCOUNT_ID: "222222222222", "error": error, "reason": "Why."} for error in not_swept
        ],
    }


def test_the_batches_are_summed_and_told() -> None:
    lake, bus = FakeLake(), FakeBus()
    state = written(lake, [batch(accounts=50, comparisons=1, compare=1), batch(accounts=3)], [])
    answer = report(state, lake, bus, PLATFORM)
    assert answer[p.COUNTS]["accounts"] == 53
    assert answer[p.COUNTS]["partitions_repaired"] == 0
    assert (answer[p.COMPARISONS], answer[p.WHOLE]) == (1, True)
    assert lake.read_json(answer[p.COMPARE_KEY]) == [COMPARE]
    (event,) = bus.events
    assert event.detail_type == "SweepCompleted"
    assert (event.account.id, event.account.type) == (PLATFORM, "PLATFORM")
    assert event.details["accounts"] == 53


@pytest.mark.parametrize(
    ("error", "whole"), [("TransientError", True), ("AccountChanged", True), ("KeyError", False)]
)
def test_what_does_not_pass_by_itself_fails_the_round(error: str, whole: bool) -> None:
    lake, bus = FakeLake(), FakeBus()
    answer = report(written(lake, [batch(error, accounts=1)], []), lake, bus, PLATFORM)
    assert answer[p.WHOLE] is whole
    assert bus.events[0].details["not_swept"] == ["222222222222: Why."]


def test_a_batch_that_died_stands_for_its_accounts() -> None:
    lake = FakeLake()
    died = {
        "Input": json.dumps({"Items": ["111111111111", "222222222222"]}),
        "Error": "Sandbox.Timedout",
        "Cause": "Task timed out after 900.00 seconds",
    }
    answer = report(written(lake, [batch(accounts=1)], [died]), lake, FakeBus(), PLATFORM)
    assert answer[p.WHOLE] is False
    assert [one[p.ACCOUNT_ID] for one in answer[p.NOT_SWEPT]] == ["111111111111", "222222222222"]
    assert "timed out" in answer[p.NOT_SWEPT][0]["reason"]


def test_months_that_could_not_be_compared_for_our_fault_fail_the_round() -> None:
    lake = FakeLake()
    assert compared(written(lake, [{}], []), lake)[p.SWEEP] == "a-round"
    died = {"Input": json.dumps(COMPARE), "Error": "Defect", "Cause": "It broke."}
    with pytest.raises(Defect, match=r"could not be compared .*: 111111111111 2026-10"):
        compared(written(lake, [{}], [died]), lake)
