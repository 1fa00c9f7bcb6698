"""A round of Collect: which sources of which accounts, and what came of it."""

import json
from decimal import Decimal
from typing import Any

import pytest

from cloudspend.accounts.model import AccountState, AccountType
from cloudspend.collect.collect_run import list_accounts, report
from cloudspend.collect.sources import SOURCES
from cloudspend.errors import UsageError
from tests.fakes.accounts import FakeAccounts, an_account
from tests.fakes.alerts import FakeBus
from tests.fakes.lake import FakeLake

ORGANIZATION, LINKED, INVITED = "111111111111", "222222222222", "333333333333"


def accounts() -> FakeAccounts:
    registry = FakeAccounts(an_account(state=AccountState.ACTIVE, type=AccountType.ORGANIZATION))
    for account_id, state in ((LINKED, AccountState.ACTIVE), (INVITED, AccountState.INVITED)):
        registry.add(
            an_account(
                account_id=account_id,
                display_name=account_id,
                type=AccountType.LINKED,
                state=state,
            )
        )
    return registry


def listed(**wanted: Any) -> dict[str, list[tuple[str, bool]]]:
    lake = FakeLake()
    state = {**wanted, "round": {"collect": "a-round"}}
    added = list_accounts(state, accounts(), lake, SOURCES)
    assert added["collect"] == "a-round"
    return {
        item["account_id"]: [(one["source"], one["force"]) for one in item["sources"]]
        for item in lake.read_json(added["accounts_key"])
    }


def test_every_source_of_every_active_account() -> None:
    found = listed()
    assert [name for name, _ in found[ORGANIZATION]] == list(SOURCES)
    assert {name for name, _ in found[ORGANIZATION]} - {name for name, _ in found[LINKED]} == {
        "organization_accounts"
    }
    assert list(found) == [ORGANIZATION, LINKED]
    assert not any(force for sources in found.values() for _, force in sources)


def test_what_is_named_is_collected_though_it_is_not_due() -> None:
    assert listed(accounts=[LINKED], sources=["budgets"]) == {LINKED: [("budgets", True)]}
    assert listed(sources=["organization_accounts"]) == {
        ORGANIZATION: [("organization_accounts", True)],
        LINKED: [],
    }


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"accounts": [INVITED]}, "is invited"),
        ({"accounts": ["999999999999"]}, "999999999999"),
        ({"sources": ["budget"]}, "no source budget"),
    ],
)
def test_what_cannot_be_collected_is_named(wanted: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        listed(**wanted)


def outcome(source: str, status: str, pages: int = 0) -> dict[str, Any]:
    return {
        "account_id": LINKED,
        "source": source,
        "status": status,
        "reason": "",
        "rows": 1,
        "pages": pages,
        "cost": f"{Decimal(pages) / 100}",
    }


@pytest.mark.parametrize("status", ["collected", "degraded", "capped", "not_available", "failed"])
def test_only_a_failure_fails_the_round(status: str) -> None:
    lake, bus = FakeLake(), FakeBus()
    child = {
        "Output": json.dumps([outcome("budgets", status), outcome("invoices", "collected", 3)])
    }
    lake.write_json("succeeded", [child])
    lake.write_json("manifest", {"ResultFiles": {"SUCCEEDED": [{"Key": "succeeded"}]}})
    state = {"collect": "a-round", "conversion": {"ResultWriterDetails": {"Key": "manifest"}}}
    stated = report(state, lake, bus, "000000000000")
    assert stated["whole"] is (status != "failed")
    assert len(lake.read_json(stated["outcomes_key"])) == 2
    (event,) = bus.events
    assert event.details["pages"] == 3
    assert event.details["cost"] == "0.03"
    assert event.details[status] == 1 + (status == "collected")


def test_an_account_that_failed_as_a_whole_stands_for_its_sources() -> None:
    lake, bus = FakeLake(), FakeBus()
    sources = [{"account_id": LINKED, "source": name, "force": False} for name in ("a", "b")]
    child = {"Input": json.dumps({"sources": sources}), "Error": "States.Timeout"}
    lake.write_json("failed", [child])
    lake.write_json("manifest", {"ResultFiles": {"FAILED": [{"Key": "failed"}]}})
    state = {"collect": "a-round", "conversion": {"ResultWriterDetails": {"Key": "manifest"}}}
    stated = report(state, lake, bus, "000000000000")
    assert not stated["whole"]
    found = [(one["source"], one["reason"]) for one in lake.read_json(stated["outcomes_key"])]
    assert found == [("a", "States.Timeout"), ("b", "States.Timeout")]
