"""Announcements, attempts and the operator's ingest: what starts an execution and what does not."""

from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudspend import payloads as p
from cloudspend.accounts.model import INGESTING_STATES, Account, AccountState, Export, ExportKind
from cloudspend.errors import PermissionDenied, TransientError, UsageError
from cloudspend.exports.deliveries import read_delivery
from cloudspend.exports.model import BillingPeriod
from cloudspend.exports.ports import CustomerBucket
from cloudspend.ingest.backfill import find_backfill
from cloudspend.ingest.delivery_event import Announced, announce
from cloudspend.ingest.start import IngestRequest, start_ingest
from cloudspend.settings import MANIFEST_SUFFIX
from tests.fakes.accounts import FakeAccounts, an_account
from tests.fakes.alerts import FakeBus
from tests.fakes.exports import DELIVERED, FakeCustomerBucket, legacy_manifest
from tests.fakes.lake import ACCOUNT, FakeExecutions
from tests.unit.exports.exports_world import LAYOUTS, Layout

BUCKET = "cost-bucket"
ACTIVE = an_account(
    state=AccountState.ACTIVE,
    start_date=date(2026, 9, 17),
    export=Export(ExportKind.CUR_LEGACY, BUCKET, "cost", "report"),
)
SEPTEMBER, OCTOBER = BillingPeriod(2026, 9), BillingPeriod(2026, 10)


def folder(period: BillingPeriod) -> str:
    return f"cost/report/{period.start:%Y%m%d}-{period.end:%Y%m%d}"


def copies(period: BillingPeriod) -> list[str]:
    """Where AWS puts a manifest: in the assembly's folder and in the date range's."""
    name = "report-Manifest.json"
    return [f"{folder(period)}/an-assembly/{name}", f"{folder(period)}/{name}"]


class World:
    def __init__(self, *accounts: Account, bucket: CustomerBucket | None = None) -> None:
        self.objects = FakeCustomerBucket()
        self.bucket = bucket or self.objects
        self.registry = FakeAccounts(*(accounts or (ACTIVE,)))
        self.executions = FakeExecutions()
        self.bus = FakeBus()
        for period in (BillingPeriod(2026, 8), SEPTEMBER, OCTOBER):
            keys = [f"{folder(period)}/an-assembly/report-1.csv.gz"]
            for key in copies(period):
                body = legacy_manifest("an-assembly", f"{period.start:%Y%m%d}", keys)
                self.objects.put(BUCKET, key, body, DELIVERED)

    def announce(self, event: dict[str, Any]) -> Announced:
        return announce(event, self.registry, self._open, self.executions, self.bus)

    def ingest(self, period: BillingPeriod | None = None) -> list[str]:
        found, _ = find_backfill(ACCOUNT, period, self.registry, self._open)
        started = [start_ingest(each, self.executions, again=True) for each in found.waiting]
        return [each.execution for each in started if each.started]

    def name(self, period: BillingPeriod = OCTOBER) -> str:
        delivery = read_delivery(ACTIVE, self.objects, BUCKET, copies(period)[0])
        return f"{ACCOUNT}_{period}_{delivery.generation}"

    def _open(self, _account: Account) -> CustomerBucket:
        return self.bucket


def created(key: str, bucket: str = BUCKET, account: str = ACCOUNT) -> dict[str, Any]:
    """The event as S3 writes it."""
    detail = {"bucket": {"name": bucket}, "object": {"key": key, "size": 1}}
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "account": account,
        "detail": detail,
    }


def test_a_manifest_starts_one_execution_named_after_its_delivery() -> None:
    world = World()
    assert world.announce(created(copies(OCTOBER)[0])).started
    assert world.executions.payloads == {
        world.name(): {
            p.ACCOUNT_ID: ACCOUNT,
            p.MANIFEST_BUCKET: BUCKET,
            p.MANIFEST_KEY: copies(OCTOBER)[0],
        }
    }
    assert len(world.name()) <= 80


def test_both_copies_and_every_repeat_are_one_execution() -> None:
    world = World()
    for key in [*copies(OCTOBER), *copies(OCTOBER)]:
        world.announce(created(key))
    assert list(world.executions.payloads) == [world.name()]


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout_s_manifests_are_heard_of_and_are_one_execution(layout: Layout) -> None:
    world = World(replace(ACTIVE, export=layout.account.export))
    for key in layout.deliver(world.objects):
        # what the rules of the customer's stack and of the platform let through
        assert fnmatchcase(key, f"{layout.account.export.prefix}/*{MANIFEST_SUFFIX}")
        world.announce(created(key))
    [request] = world.executions.payloads.values()
    assert request[p.MANIFEST_KEY] == layout.manifests(OCTOBER, "aaaa-1")[0]


def test_a_delivery_of_another_kind_is_reported_with_what_was_found() -> None:
    focus, cur = LAYOUTS["FOCUS_1_2.csv.gz"], LAYOUTS["CUR_2_0.csv.gz"]
    world = World(replace(ACTIVE, export=cur.account.export))
    for key in focus.deliver(world.objects):
        assert not world.announce(created(key)).started
    event, _ = world.bus.events
    assert "FOCUS 1.2 export" in event.details["reason"]
    assert "configured for a CUR 2.0 export (CUR_2_0)" in event.details["reason"]
    assert "ExportKind FOCUS_1_2" in event.details["remedy"]


def test_a_late_event_does_not_repeat_a_failure() -> None:
    world = World()
    world.announce(created(copies(OCTOBER)[0]))
    world.executions.end(world.name(), "FAILED")
    assert not world.announce(created(copies(OCTOBER)[0])).started
    assert list(world.executions.payloads) == [world.name()]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"account": ACCOUNT, "detail": []},
        {"account": ACCOUNT, "detail": {"bucket": "b", "object": "k"}},
        {"account": 111111111111, "detail": {"bucket": {"name": BUCKET}, "object": {"key": "k"}}},
        created("cost/report/x"),
        created("another/report/20261001-20261101/report-Manifest.json"),
        created("cost/report/../report/20261001-20261101/report-Manifest.json"),
        created(copies(OCTOBER)[0], bucket="another-bucket"),
        created(copies(OCTOBER)[0], account="222222222222"),
        created(copies(OCTOBER)[0], account="999999999999"),
        created("k" * 1025),
    ],
)
def test_a_forged_event_starts_nothing(event: dict[str, Any]) -> None:
    second = replace(
        ACTIVE,
        account_id="222222222222",
        display_name="B",
        export=replace(ACTIVE.export, bucket="b"),
    )
    world = World(ACTIVE, second)
    answer = world.announce(event)
    assert not answer.started
    assert answer.reason
    assert world.executions.payloads == {}
    assert world.bus.events == []


def test_a_flood_of_forged_events_starts_nothing_and_looks_into_no_bucket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    looked: list[Account] = []
    monkeypatch.setattr(World, "_open", lambda _, account: looked.append(account))
    for number in range(300):
        for event in (
            created(copies(OCTOBER)[0], account=f"{number:012d}"),
            created(copies(OCTOBER)[0], bucket=f"{BUCKET}-{number}"),
            created(f"cost/report/{number}/report.csv"),
        ):
            assert not world.announce(event).started
    assert (looked, world.executions.payloads, world.bus.events) == ([], {}, [])


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda each: (
            st.lists(each)
            | st.dictionaries(
                st.sampled_from(["account", "detail", "bucket", "object", "name", "key"]), each
            )
        ),
    )
)
def test_no_shape_of_an_event_is_an_error(event: Any) -> None:
    if isinstance(event, dict):
        assert not World().announce(event).started


@pytest.mark.parametrize("state", [s for s in AccountState if s not in INGESTING_STATES])
def test_an_account_that_is_not_active_is_not_listened_to(state: AccountState) -> None:
    world = World(replace(ACTIVE, state=state))
    assert not world.announce(created(copies(OCTOBER)[0])).started
    with pytest.raises(UsageError, match="not active"):
        world.ingest()
    assert world.executions.payloads == {}


def test_a_manifest_that_cannot_be_read_is_reported() -> None:
    world = World()
    for key in copies(OCTOBER):
        world.objects.put(BUCKET, key, b"{")
    assert not world.announce(created(copies(OCTOBER)[0])).started
    [event] = world.bus.events
    assert event.detail_type == "IngestFailed"
    assert event.details["generation"] is None


class _Broken(FakeCustomerBucket):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def read(self, *_arguments: Any) -> Any:
        raise self._error


def test_a_fault_that_passes_is_left_to_the_next_try() -> None:
    world = World(bucket=_Broken(TransientError("S3 asks to try later.")))
    with pytest.raises(TransientError):
        world.announce(created(copies(OCTOBER)[0]))
    assert world.bus.events == []


def test_a_role_that_may_no_longer_read_is_reported() -> None:
    world = World(bucket=_Broken(PermissionDenied("s3:GetObject is refused.", remedy="Allow it.")))
    assert not world.announce(created(copies(OCTOBER)[0])).started
    assert world.bus.kinds == ["IngestFailed"]


def test_ingest_takes_the_newest_delivery_of_each_period_since_the_start_date() -> None:
    world = World()
    assert world.ingest() == [world.name(OCTOBER), world.name(SEPTEMBER)]


def test_ingest_of_one_period_may_reach_behind_the_start_date() -> None:
    world = World()
    august = BillingPeriod(2026, 8)
    assert world.ingest(august) == [world.name(august)]


def test_ingest_of_a_period_that_was_never_delivered_is_the_users_mistake() -> None:
    with pytest.raises(UsageError, match="2026-07"):
        World().ingest(BillingPeriod(2026, 7))


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_ingest_starts_the_next_attempt_after_one_that_failed(status: str) -> None:
    world = World()
    name = world.name()
    for expected in (name, f"{name}_2", f"{name}_3"):
        assert world.ingest(OCTOBER) == [expected]
        world.executions.end(expected, status)


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED"])
def test_ingest_leaves_alone_what_runs_or_is_done(status: str) -> None:
    world = World()
    world.ingest(OCTOBER)
    world.executions.end(world.name(), "FAILED")
    world.ingest(OCTOBER)
    world.executions.end(f"{world.name()}_2", status)
    assert world.ingest(OCTOBER) == []


class _JustTaken(FakeExecutions):
    """A name that someone took a moment ago and that cannot be read yet."""

    def start(self, *_arguments: Any) -> bool:
        return False


def test_a_name_just_taken_is_not_jumped_over() -> None:
    world = World()
    delivery = read_delivery(ACTIVE, world.objects, BUCKET, copies(OCTOBER)[0])
    started = start_ingest(IngestRequest.of(delivery), _JustTaken(), again=True)
    assert (started.started, started.running) == (False, True)
    assert started.execution == world.name()
