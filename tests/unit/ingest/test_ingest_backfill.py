"""Backfill: the order, the bound, the repeats, and what cannot be read."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudspend import payloads as p
from cloudspend.accounts.model import Account, AccountState, Export, ExportKind
from cloudspend.errors import PermissionDenied, TransientError, UsageError
from cloudspend.exports.model import BillingPeriod
from cloudspend.exports.ports import CustomerBucket
from cloudspend.ingest.backfill import Backfill, advance, find_backfill, onboard_backfill
from cloudspend.ingest.start import IngestRequest
from tests.fakes.accounts import FakeAccounts, an_account
from tests.fakes.alerts import FakeBus
from tests.fakes.exports import DELIVERED, FakeCustomerBucket, legacy_manifest
from tests.fakes.lake import ACCOUNT, FakeExecutions

BUCKET = "cost-bucket"
ACTIVE = an_account(
    state=AccountState.ACTIVE,
    start_date=date(2026, 6, 17),
    export=Export(ExportKind.CUR_LEGACY, BUCKET, "cost", "report"),
)
MONTHS = [BillingPeriod(2026, month) for month in range(5, 11)]
TAKEN = [str(month) for month in reversed(MONTHS[1:])]  # since the start date, newest first
ENDS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


class World:
    def __init__(self, bucket: CustomerBucket | None = None) -> None:
        self.objects = FakeCustomerBucket()
        self.bucket = bucket or self.objects
        self.registry = FakeAccounts(ACTIVE)
        self.executions = FakeExecutions()
        self.bus = FakeBus()
        for month in MONTHS:
            self.put(month, legacy_manifest("an-id", f"{month.start:%Y%m%d}", [self.file(month)]))

    def put(self, month: BillingPeriod, body: bytes) -> None:
        key = f"cost/report/{month.start:%Y%m%d}-{month.end:%Y%m%d}/report-Manifest.json"
        self.objects.put(BUCKET, key, body, DELIVERED)

    def file(self, month: BillingPeriod) -> str:
        return f"cost/report/{month.start:%Y%m%d}-{month.end:%Y%m%d}/an-id/report-1.csv.gz"

    def find(self, period: BillingPeriod | None = None) -> Backfill:
        return find_backfill(ACCOUNT, period, self.registry, self.open)[0]

    def open(self, _account: Account) -> CustomerBucket:
        return self.bucket

    def turn(self, state: dict[str, Any], at_once: int = 2) -> dict[str, Any]:
        return onboard_backfill(state, self.registry, self.open, self.executions, self.bus, at_once)

    @property
    def begun(self) -> list[str]:
        return [name.split("_")[1] for name in self.executions.payloads]

    @property
    def running(self) -> list[str]:
        names = self.executions.payloads
        return [name for name in names if self.executions.status(name) == "RUNNING"]


def test_periods_since_the_start_date_wait_newest_first() -> None:
    assert [str(each.period) for each in World().find().waiting] == TAKEN


@given(
    at_once=st.integers(1, 7),
    ends=st.lists(st.tuples(st.integers(0, 6), st.sampled_from(ENDS)), max_size=60),
)
def test_never_more_than_the_bound_run_and_each_is_begun_once_in_order(
    at_once: int, ends: list[tuple[int, str]]
) -> None:
    world = World()
    backfill, _ = advance(world.find(), world.executions, at_once)
    for number, status in ends:
        assert len(world.running) <= at_once
        if number < len(world.running):
            world.executions.end(world.running[number], status)
        backfill, _ = advance(backfill, world.executions, at_once)
    while backfill.waiting:
        world.executions.end(world.running[0], "SUCCEEDED")
        backfill, _ = advance(backfill, world.executions, at_once)
    assert world.begun == TAKEN


@pytest.mark.parametrize("status", ENDS[1:])
def test_a_second_backfill_does_only_what_is_missing(status: str) -> None:
    world = World()
    advance(world.find(), world.executions, 9)
    names = list(world.executions.payloads)
    for name in names[:2]:
        world.executions.end(name, "SUCCEEDED")
    world.executions.end(names[2], status)
    _, started = advance(world.find(), world.executions, 9)
    assert [each.execution for each in started if each.started] == [f"{names[2]}_2"]


def test_what_others_started_counts_against_the_bound() -> None:
    world = World()
    advance(world.find(), world.executions, 2)
    backfill, started = advance(world.find(), world.executions, 2)
    assert not any(each.started for each in started)
    assert len(backfill.waiting) == len(TAKEN) - 2


def test_an_execution_that_cannot_be_read_yet_counts_as_running() -> None:
    world = World()
    backfill = Backfill(world.find().waiting, ("begun-a-moment-ago",))
    assert advance(backfill, world.executions, 1) == (backfill, [])


def test_a_backfill_travels_between_steps() -> None:
    world = World()
    backfill, _ = advance(world.find(), world.executions, 2)
    assert Backfill.from_payload(backfill.to_payload()) == backfill
    assert backfill.to_payload()["done"] is False
    assert Backfill((), ("one",)).to_payload()["done"] is False
    assert Backfill().to_payload()["done"] is True


def test_the_longest_backfill_fits_into_a_state() -> None:
    """256 KB (AWS Step Functions developer guide, "Quotas")."""
    longest = IngestRequest(ACCOUNT, MONTHS[0], "20261103T063000Z-0123abcd", "b" * 63, "k" * 1024)
    assert len(str(Backfill((longest,) * 120, ("n" * 80,) * 20).to_payload())) < 200_000


def test_onboarding_starts_some_and_goes_on_as_they_end() -> None:
    world, turns = World(), 0
    state: dict[str, Any] = {p.ACCOUNT_ID: ACCOUNT}
    while not state.get(p.BACKFILL, {}).get("done"):
        state, turns = world.turn(state), turns + 1
        assert len(world.running) <= 2
        for name in world.running:
            world.executions.end(name, "FAILED")
    assert world.begun == TAKEN
    assert turns == 4
    assert state[p.ACCOUNT_ID] == ACCOUNT


def test_a_manifest_that_cannot_be_read_is_reported_by_name_and_the_rest_goes_on() -> None:
    world = World()
    world.put(BillingPeriod(2026, 8), b"{")
    state = world.turn({p.ACCOUNT_ID: ACCOUNT}, at_once=9)
    assert world.begun == [month for month in TAKEN if month != "2026-08"]
    world.turn(state, at_once=9)
    [event] = world.bus.events
    assert (event.detail_type, event.details["period"]) == ("IngestFailed", "2026-08")
    assert "20260801-20260901/report-Manifest.json" in event.details["reason"]


def test_a_bucket_that_may_not_be_read_is_reported_and_does_not_undo_the_activation() -> None:
    class Denied(FakeCustomerBucket):
        def folders(self, *_: object) -> Any:
            raise PermissionDenied("s3:ListBucket is refused.", remedy="Allow it.")

    world = World(bucket=Denied())
    assert world.turn({p.ACCOUNT_ID: ACCOUNT})[p.BACKFILL]["done"] is True
    assert [event.details["reason"] for event in world.bus.events] == ["s3:ListBucket is refused."]


def test_what_passes_by_itself_is_left_to_the_next_try() -> None:
    class Slow(FakeCustomerBucket):
        def folders(self, *_: object) -> Any:
            raise TransientError("Later.")

    world = World(bucket=Slow())
    with pytest.raises(TransientError):
        world.turn({p.ACCOUNT_ID: ACCOUNT})
    assert world.bus.events == []


def test_a_period_that_cannot_be_read_was_delivered_all_the_same() -> None:
    world = World()
    world.put(MONTHS[-1], b"{")
    backfill, unreadable = find_backfill(ACCOUNT, MONTHS[-1], world.registry, world.open)
    assert backfill == Backfill()
    assert [each.period for each in unreadable] == [MONTHS[-1]]
    with pytest.raises(UsageError, match="2026-11"):
        world.find(BillingPeriod(2026, 11))
