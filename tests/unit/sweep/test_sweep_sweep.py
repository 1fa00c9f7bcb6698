"""A whole sweep: all that is wrong with an account is fixed at once, said once, and then quiet."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from cloudspend import payloads as p
from cloudspend.accounts.model import Account, AccountState, Export, ExportKind
from cloudspend.errors import Defect, PermissionDenied, TransientError
from cloudspend.exports.definition import CSV, Definition
from cloudspend.lake.model import GenerationState, SweepState, Verdict
from cloudspend.sweep.sweep import SweepResult, sweep_accounts, to_compare, to_payload
from tests.fakes.accounts import FakeAccounts, an_account
from tests.fakes.lake import ACCOUNT, TOTALS
from tests.unit.sweep.sweep_world import (
    ACTIVE,
    NOW,
    OCTOBER,
    SETTINGS,
    World,
    moment,
    months_before,
    named,
)

NOVEMBER = OCTOBER.next
OTHER = Export(ExportKind.CUR_LEGACY, "another-bucket", "a-prefix", "a-name")
IN_AUGUST = {"verdict": Verdict.PROVISIONAL, "period": OCTOBER.previous.previous}
DENIED = PermissionDenied("The role may not list the bucket.", remedy="Update the stack.")


def healthy() -> World:
    """Three months published and nothing amiss; AWS delivered this morning."""
    world = World()
    for period in months_before(OCTOBER, 2):
        world.published(period)
    world.published(NOVEMBER, named(NOW - timedelta(hours=4)))
    world.sweep()
    world.bus.events.clear()
    return world


def quiet(swept: SweepResult) -> bool:
    return not any(number for name, number in swept.counts.items() if name != "accounts")


def test_where_nothing_is_amiss_nothing_is_done() -> None:
    world = healthy()
    watch = world.holdings.watch
    points = len(world.catalog.shown)
    swept = world.sweep()
    assert quiet(swept)
    assert swept.compare == ()
    assert world.bus.events == []
    assert world.executions.payloads == {}
    assert len(world.catalog.shown) == points
    assert world.holdings.watch == watch


def test_everything_at_once_is_mended_and_then_all_is_quiet() -> None:
    world = healthy()
    world.delivered(OCTOBER, moment(OCTOBER, 12))
    world.catalog.remove("cost_and_usage", (ACCOUNT, "2026-09"))
    left = named(NOW - timedelta(days=3), "dddddddd")
    world.staged(OCTOBER, left, NOW - timedelta(days=2))
    counts = world.sweep().counts
    assert (counts["deliveries_found"], counts["partitions_repaired"]) == (1, 1)
    assert counts["staging_removed"] == 2
    assert sorted(world.bus.kinds) == [
        "DeliveryFound",
        "PartitionRepaired",
        "StagingRemoved",
        "StagingRemoved",
    ]
    assert world.files_of(OCTOBER, left) == []
    assert world.shown(OCTOBER.previous) == named(moment(OCTOBER.previous))
    assert quiet(world.sweep())


def test_what_may_still_be_written_is_not_swept_out() -> None:
    world = healthy()
    begun = named(NOW, "dddddddd")
    world.staged(OCTOBER, begun, NOW - timedelta(hours=23))
    assert world.sweep().counts["staging_removed"] == 0
    assert len(world.files_of(OCTOBER, begun)) == 2


def test_what_the_registry_knows_is_not_swept_out() -> None:
    world = healthy()
    held = named(NOW - timedelta(days=3), "dddddddd")
    world.checked(OCTOBER, held)
    world.generations.record_outcome(ACCOUNT, OCTOBER, held, GenerationState.SUPERSEDED)
    assert world.sweep().counts["staging_removed"] == 0
    assert len(world.files_of(OCTOBER, held)) == 2


def test_a_publishing_that_was_cut_off_is_completed() -> None:
    world = healthy()
    held = world.generations.get(ACCOUNT, OCTOBER, named(moment(OCTOBER)))
    assert held
    world.generations._put(replace(held, state=GenerationState.CHECKED))
    assert world.sweep().counts["generations_restored"] == 1
    again = world.generations.get(ACCOUNT, OCTOBER, held.generation)
    assert again == held


def test_published_files_that_are_gone_are_told_once() -> None:
    world = healthy()
    world.lake.delete(world.files_of(OCTOBER, named(moment(OCTOBER))))
    for _ in range(3):
        assert world.sweep().counts["generations_without_files"] == 1
    assert world.bus.kinds == ["FilesMissing"]


@pytest.mark.parametrize(("hours", "overdue"), [(None, 1), (37, 1), (38, 0)])
def test_an_account_may_have_a_target_of_its_own(hours: int | None, overdue: int) -> None:
    world = healthy()
    world.account = replace(world.account, fresh_hours=hours)
    assert world.sweep(NOW + timedelta(hours=33)).counts["accounts_overdue"] == overdue
    stated = [event.details["target_hours"] for event in world.bus.events]
    assert stated == [hours or 36] * overdue


def test_an_account_that_aws_forgot_is_told_once_and_again_next_time() -> None:
    world = healthy()
    late = NOW + timedelta(hours=33)
    for hours in (0, 6, 12):
        assert world.sweep(late + timedelta(hours=hours)).counts["accounts_overdue"] == 1
    assert world.bus.kinds == ["DeliveryOverdue"]
    (event,) = world.bus.events
    assert event.details["hours"] == 37
    world.published(NOVEMBER, named(late + timedelta(hours=14), "bbbbbbbb"))
    assert world.sweep(late + timedelta(hours=18)).counts["accounts_overdue"] == 0
    world.sweep(late + timedelta(days=4))
    assert world.bus.kinds == ["DeliveryOverdue", "DeliveryOverdue"]
    first, second = (event.event_id for event in world.bus.events)
    assert first != second


def test_an_account_that_is_within_the_target_is_not_overdue() -> None:
    world = healthy()
    assert world.sweep(NOW + timedelta(hours=31)).counts["accounts_overdue"] == 0


def test_who_never_had_a_delivery_is_overdue_as_long_after_the_first_sweep() -> None:
    world = World()
    assert world.sweep().counts["accounts_overdue"] == 0
    assert world.sweep(NOW + timedelta(hours=35)).counts["accounts_overdue"] == 0
    assert world.sweep(NOW + timedelta(hours=36)).counts["accounts_overdue"] == 1
    assert world.bus.events[0].details["delivered_at"] is None


def test_a_customer_who_cannot_be_reached_keeps_nothing_of_ours_back() -> None:
    world = healthy()
    world.catalog.remove("cost_and_usage", (ACCOUNT, "2026-09"))
    seen = world.holdings.watch
    world.unreachable = DENIED
    counts = world.sweep().counts
    assert (counts["accounts_unreachable"], counts["partitions_repaired"]) == (1, 1)
    world.sweep()
    assert sorted(world.bus.kinds) == ["AccountUnreachable", "PartitionRepaired"]
    watch = world.holdings.watch
    assert watch
    assert seen
    assert watch.seen == seen.seen
    world.unreachable = None
    assert quiet(world.sweep())
    assert world.holdings.watch == seen


def test_what_was_said_of_overdue_deliveries_stays_while_nobody_can_look() -> None:
    world = healthy()
    late = NOW + timedelta(hours=40)
    world.sweep(late)
    world.unreachable = DENIED
    world.sweep(late + timedelta(hours=6))
    world.unreachable = None
    world.sweep(late + timedelta(hours=12))
    assert world.bus.kinds == ["DeliveryOverdue", "AccountUnreachable"]


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"verdict": Verdict.CERTIFIED, "reconciled_at": NOW - timedelta(days=6)}, False),
        ({"verdict": Verdict.CERTIFIED, "reconciled_at": NOW - timedelta(days=7)}, True),
        (
            {
                **IN_AUGUST,
                "verdict": Verdict.CERTIFIED,
                "reconciled_at": NOW - timedelta(days=90),
            },
            False,
        ),
        ({"verdict": Verdict.DISPUTED, "reconciled_at": NOW - timedelta(hours=23)}, False),
        ({"verdict": Verdict.DISPUTED, "reconciled_at": NOW - timedelta(hours=24)}, True),
        ({"verdict": Verdict.PROVISIONAL, "reconciled_at": NOW - timedelta(hours=23)}, False),
        ({"verdict": Verdict.PROVISIONAL, "reconciled_at": NOW - timedelta(hours=24)}, True),
        ({**IN_AUGUST, "reconciled_at": NOW - timedelta(days=6)}, False),
        ({**IN_AUGUST, "reconciled_at": NOW - timedelta(days=7)}, True),
        ({"residual": None, "reconciled_at": None}, True),
        ({"residual": None, "reconciled_at": NOW - timedelta(days=8)}, True),
        ({"residual": None, "reconciled_at": NOW - timedelta(days=6)}, False),
        (
            {"residual": None, "reconciled_at": None, "published_at": NOW - timedelta(hours=11)},
            False,
        ),
        ({"residual": None, "reconciled_at": None, "period": NOVEMBER}, False),
        ({"residual": None, "reconciled_at": None, "period": OCTOBER.__class__(2025, 6)}, False),
    ],
)
def test_closed_months_whose_verdict_may_change_are_compared(
    changes: dict[str, object], wanted: bool
) -> None:
    world = World()
    world.published(OCTOBER)
    holdings = world.holdings
    (pointer,) = holdings.published
    changed = replace(pointer, **{"residual": Decimal(1), **changes})  # type: ignore[arg-type]
    assert bool(to_compare(replace(holdings, published=(changed,)), NOW)) is wanted


def test_columns_of_tags_that_a_deployment_took_away_are_given_back() -> None:
    world = healthy()
    world.account = replace(world.account, tag_columns=("team",))
    world.sweep()
    for table in ("cost_and_usage", "cost_and_usage_generations"):
        assert world.catalog.columns[table] == {"tag_team": "string"}
    assert "billing_detail" not in world.catalog.columns


def batch(world: World, registry: FakeAccounts, *ids: str) -> tuple[list[SweepResult], list[str]]:
    received: list[str] = []
    return sweep_accounts(
        ids, registry, world.sweep_ports(), SETTINGS, NOW, received.append
    ), received


def test_one_account_that_fails_keeps_no_other_back() -> None:
    world = healthy()
    others = [
        an_account("222222222222", state=AccountState.ACTIVE),
        an_account("333333333333", state=AccountState.INVITED),
    ]
    registry = FakeAccounts(world.account, *others)
    opened = world.open_bucket

    def open_bucket(account: object) -> object:
        if account is others[0]:
            raise TransientError("S3 asks to try later.")
        return opened(world.account)

    world.open_bucket = open_bucket  # type: ignore[method-assign, assignment]
    ids = ("222222222222", "999999999999", "333333333333", ACCOUNT)
    swept, received = batch(world, registry, *ids)
    assert [(one.account_id, one.failure is None) for one in swept] == [
        ("222222222222", False),
        ("999999999999", False),
        (ACCOUNT, True),
    ]
    assert received == ["222222222222", "999999999999"]
    answer = to_payload(swept)
    assert answer[p.COUNTS]["accounts"] == 1
    assert [one["error"] for one in answer[p.NOT_SWEPT]] == ["TransientError", "UsageError"]


def test_an_answer_names_what_is_to_be_compared() -> None:
    world = World()
    name = world.published(OCTOBER)
    pointer = world.generations.pointer(ACCOUNT, OCTOBER)
    assert pointer
    bare = replace(pointer, residual=None, reconciled_at=None)
    answer = to_payload([SweepResult(ACCOUNT, {"accounts": 1}, (bare,))])
    assert answer[p.COMPARE] == [{p.ACCOUNT_ID: ACCOUNT, p.PERIOD: "2026-10", p.GENERATION: name}]


def test_a_broken_bus_is_a_failure_that_passes() -> None:
    world = healthy()
    world.catalog.remove("cost_and_usage", (ACCOUNT, "2026-09"))
    world.bus.broken = True
    swept, _ = batch(world, FakeAccounts(world.account), ACCOUNT)
    assert swept[0].failure
    assert swept[0].failure.error == "TransientError"
    assert Defect.__name__ != swept[0].failure.error


def test_the_first_sweep_writes_down_when_it_was() -> None:
    world = World()
    world.sweep()
    assert world.holdings.watch == SweepState(NOW)
    assert TOTALS.rows


def definition(failure: str | None) -> Definition:
    return Definition(ACTIVE.export, "us-east-1", CSV, True, True, failure=failure)


def test_a_delivery_that_aws_calls_failed_is_told_once_with_what_it_means() -> None:
    world = healthy()
    world.exports = [definition("ERROR_PERMISSIONS")]
    for hours in (26, 32, 38):
        world.sweep(NOW + timedelta(hours=hours))
    (said,) = [one for one in world.bus.events if one.detail_type == "DeliveryFailing"]
    assert said.summary.endswith(
        "ERROR_PERMISSIONS: the bucket's policy does not let AWS write there."
    )
    world.exports = [definition("ERROR_NO_BUCKET")]
    world.sweep(NOW + timedelta(hours=44))
    assert world.bus.kinds.count("DeliveryFailing") == 2


def test_an_export_that_delivers_is_not_asked_about() -> None:
    world = healthy()
    world.exports = [definition("ERROR_PERMISSIONS")]
    world.sweep(NOW + timedelta(hours=12))
    assert world.looked == 0
    world.exports = [definition(None), replace(definition("ERROR_NO_BUCKET"), export=OTHER)]
    world.sweep(NOW + timedelta(hours=26))
    assert world.looked == 1
    assert "DeliveryFailing" not in world.bus.kinds


def test_exports_that_may_not_be_listed_keep_no_sweep_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: World, _account: Account) -> list[Definition]:
        raise DENIED

    monkeypatch.setattr(World, "list_exports", refuse)
    world = healthy()
    world.sweep(NOW + timedelta(hours=26))
    assert "DeliveryFailing" not in world.bus.kinds
