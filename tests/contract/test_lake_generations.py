"""The registry's generations in DynamoDB (moto) and the fake, held to the same promises."""

import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler

from cloudspend.errors import DeliveryError, TransientError
from cloudspend.exports.model import BillingPeriod
from cloudspend.ingest.failure import failure_of
from cloudspend.lake.aws.generations import DynamoGenerations
from cloudspend.lake.model import AccountInventory, GenerationState, SweepState, Verdict
from cloudspend.lake.ports import Generations, SweptRegistry
from tests.fakes.lake import (
    ACCOUNT,
    NEW,
    NEWEST,
    NOW,
    OLD,
    PERIOD,
    TOTALS,
    FakeGenerations,
    a_generation,
    a_published,
)

KEY = (ACCOUNT, PERIOD, OLD)
DAMAGED = asdict(
    failure_of(DeliveryError("The file is cut off.", remedy="Deliver again.", line=7, value="1,2"))
)
THROTTLED = asdict(failure_of(TransientError("S3 asks to try later.")))


def create_table(dynamodb: Any) -> Any:
    keys = {"pk": "HASH", "sk": "RANGE"}
    return dynamodb.create_table(
        TableName="cloudspend",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
    )


@pytest.fixture
def atomic(monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB judges a condition and writes in one step; moto lets another thread in between."""
    lock = threading.Lock()
    call_action = DynamoHandler.call_action

    def one_at_a_time(handler: DynamoHandler) -> Any:
        with lock:
            return call_action(handler)

    monkeypatch.setattr(DynamoHandler, "call_action", one_at_a_time)


@pytest.fixture(params=["fake", "dynamodb"])
def generations(request: pytest.FixtureRequest, atomic: None) -> Iterator[SweptRegistry]:
    if request.param == "fake":
        yield FakeGenerations()
        return
    with mock_aws():
        yield DynamoGenerations(create_table(boto3.resource("dynamodb")))


def state(generations: Generations) -> GenerationState:
    held = generations.get(*KEY)
    assert held is not None
    return held.state


def test_what_is_planned_is_read_back_whole(generations: Generations) -> None:
    assert generations.get(*KEY) is None
    generations.plan(a_generation())
    assert generations.get(*KEY) == a_generation()


def test_a_manifest_leads_to_its_newest_generation(generations: Generations) -> None:
    for name in (NEW, OLD):
        generations.plan(a_generation(name, manifest_key="overwritten"))
    generations.plan(a_generation(NEWEST))
    found = generations.of_manifest(ACCOUNT, "a-bucket", "overwritten")
    assert found is not None
    assert found.generation == NEW
    assert generations.of_manifest(ACCOUNT, "a-bucket", "another") is None
    assert generations.of_manifest("222222222222", "a-bucket", "overwritten") is None


def test_the_life_of_a_generation(generations: Generations) -> None:
    generations.plan(a_generation())
    generations.record_failure(*KEY, THROTTLED)
    generations.record_checked(*KEY, TOTALS)
    checked = generations.get(*KEY)
    assert checked == a_generation(state=GenerationState.CHECKED, totals=TOTALS)
    generations.record_outcome(*KEY, GenerationState.PUBLISHED)
    assert state(generations) is GenerationState.PUBLISHED


def test_published_is_never_taken_back(generations: Generations) -> None:
    generations.plan(a_generation())
    generations.record_checked(*KEY, TOTALS)
    generations.record_outcome(*KEY, GenerationState.PUBLISHED)
    generations.record_failure(*KEY, DAMAGED, final=True)
    assert state(generations) is GenerationState.PUBLISHED
    generations.record_outcome(*KEY, GenerationState.SUPERSEDED)
    generations.plan(a_generation())
    generations.record_checked(*KEY, TOTALS)
    published = a_generation(state=GenerationState.PUBLISHED, totals=TOTALS)
    assert generations.get(*KEY) == published


def test_the_first_lasting_failure_stays(generations: Generations) -> None:
    generations.plan(a_generation())
    later = asdict(failure_of(DeliveryError("Another file is cut off.")))
    for failure in (THROTTLED, DAMAGED, later, THROTTLED):
        generations.record_failure(*KEY, failure)
    held = generations.get(*KEY)
    assert held is not None
    assert held.failure == DAMAGED
    assert held.state is GenerationState.PLANNED


def test_a_new_attempt_forgets_the_failure(generations: Generations) -> None:
    generations.plan(a_generation())
    generations.record_failure(*KEY, DAMAGED, final=True)
    assert state(generations) is GenerationState.FAILED
    generations.plan(a_generation())
    assert generations.get(*KEY) == a_generation()


def test_what_was_never_planned_is_not_made_by_a_late_step(generations: Generations) -> None:
    generations.record_failure(*KEY, DAMAGED, final=True)
    generations.record_checked(*KEY, TOTALS)
    generations.record_outcome(*KEY, GenerationState.PUBLISHED)
    assert generations.get(*KEY) is None


def test_the_pointer_moves_only_from_where_it_was_read(generations: Generations) -> None:
    assert generations.pointer(ACCOUNT, PERIOD) is None
    assert not generations.advance(a_published(OLD), OLD)
    assert generations.advance(a_published(OLD), None)
    assert not generations.advance(a_published(NEW), None)
    assert generations.advance(a_published(NEW, previous_generation=OLD), OLD)
    assert not generations.advance(a_published(NEWEST), OLD)
    assert generations.pointer(ACCOUNT, PERIOD) == a_published(NEW, previous_generation=OLD)


def test_the_generations_of_a_period_come_oldest_first(generations: Generations) -> None:
    for name in (NEWEST, OLD, NEW):
        generations.plan(a_generation(name))
    generations.plan(a_generation(period=BillingPeriod(2026, 9)))
    generations.plan(a_generation(account_id="222222222222"))
    found = generations.of_period(ACCOUNT, PERIOD)
    assert found == [a_generation(name) for name in (OLD, NEW, NEWEST)]
    assert generations.of_period(ACCOUNT, BillingPeriod(2026, 8)) == []


def test_the_pointer_goes_back_to_a_generation_that_is_kept(generations: Generations) -> None:
    held = a_published(OLD, previous_generation=NEW, rolled_back_from=NEW)
    generations.advance(a_published(NEW), None)
    assert not generations.roll_back(held, NEW), "it is not known"
    generations.plan(a_generation(OLD))
    assert not generations.roll_back(held, NEW), "it was not checked"
    generations.record_checked(*KEY, TOTALS)
    assert not generations.roll_back(held, NEWEST), "another one is current"
    assert generations.pointer(ACCOUNT, PERIOD) == a_published(NEW)
    assert generations.roll_back(held, NEW)
    assert generations.pointer(ACCOUNT, PERIOD) == held


def test_nothing_points_at_a_generation_that_failed_or_expired(
    generations: SweptRegistry,
) -> None:
    generations.advance(a_published(NEW), None)
    for name in (OLD, NEWEST):
        generations.plan(a_generation(name))
        generations.record_checked(ACCOUNT, PERIOD, name, TOTALS)
    generations.record_failure(ACCOUNT, PERIOD, NEWEST, DAMAGED, final=True)
    generations.expire(ACCOUNT, PERIOD, OLD, NOW)
    assert not generations.roll_back(a_published(OLD), NEW)
    assert not generations.roll_back(a_published(NEWEST), NEW)
    assert generations.pointer(ACCOUNT, PERIOD) == a_published(NEW)


def test_of_many_publishers_at_once_one_moves_the_pointer(generations: Generations) -> None:
    moved: list[str] = []

    def move(name: str) -> None:
        if generations.advance(a_published(name), None):
            moved.append(name)

    threads = [threading.Thread(target=move, args=(name,)) for name in (OLD, NEW, NEWEST) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pointer = generations.pointer(ACCOUNT, PERIOD)
    assert pointer is not None
    assert moved == [pointer.generation]


def test_a_verdict_belongs_to_the_current_generation(generations: Generations) -> None:
    generations.advance(a_published(NEW), None)
    said: dict[str, Any] = {
        "reason": "It matches.",
        "residual": Decimal("0.000000000001"),
        "at": NOW,
    }
    verdict = Verdict.CERTIFIED
    assert not generations.record_verdict(ACCOUNT, PERIOD, OLD, verdict=verdict, **said)
    assert generations.pointer(ACCOUNT, PERIOD) == a_published(NEW)
    assert generations.record_verdict(ACCOUNT, PERIOD, NEW, verdict=verdict, **said)
    assert generations.pointer(ACCOUNT, PERIOD) == a_published(
        NEW,
        verdict=verdict,
        verdict_reason="It matches.",
        residual=Decimal("0.000000000001"),
        reconciled_at=NOW,
    )


def test_a_period_that_was_never_published_has_no_verdict(generations: Generations) -> None:
    assert not generations.record_verdict(
        ACCOUNT, PERIOD, NEW, verdict=Verdict.CERTIFIED, reason="", residual=None, at=NOW
    )
    assert generations.periods(ACCOUNT) == []


def test_periods_come_oldest_first_and_of_one_account(generations: Generations) -> None:
    september = BillingPeriod(2026, 9)
    generations.advance(a_published(OLD), None)
    generations.advance(a_published(OLD, period=september), None)
    generations.advance(a_published(OLD, account_id="222222222222"), None)
    assert [each.period for each in generations.periods(ACCOUNT)] == [september, PERIOD]


def test_large_sums_keep_every_digit(generations: Generations) -> None:
    exact = replace(TOTALS, billed_cost=Decimal("123456789012345678901234567890.1234567890123"))
    generations.advance(a_published(totals=exact), None)
    pointer = generations.pointer(ACCOUNT, PERIOD)
    assert pointer is not None
    assert pointer.totals == exact


def test_one_query_brings_all_that_an_account_holds(generations: SweptRegistry) -> None:
    assert generations.holdings(ACCOUNT) == AccountInventory((), ())
    september = BillingPeriod(2026, 9)
    held = [a_generation(OLD, period=september), a_generation(OLD), a_generation(NEW)]
    for generation in (*reversed(held), a_generation(OLD, account_id="222222222222")):
        generations.plan(generation)
    generations.advance(a_published(NEW), None)
    generations.advance(a_published(OLD, period=september), None)
    watch = SweepState(NOW, {"2026-10": "an-etag"}, {"DeliveryOverdue": "never"})
    generations.remember(ACCOUNT, SweepState(NOW))
    generations.remember(ACCOUNT, watch)
    assert generations.holdings(ACCOUNT) == AccountInventory(
        (a_published(OLD, period=september), a_published(NEW)), tuple(held), watch
    )
    assert generations.holdings("222222222222").watch is None


def test_what_is_not_current_expires(generations: SweptRegistry) -> None:
    for name in (OLD, NEW):
        generations.plan(a_generation(name))
    generations.advance(a_published(NEW), None)
    assert generations.expire(ACCOUNT, PERIOD, OLD, NOW)
    expired = generations.get(*KEY)
    assert expired == a_generation(state=GenerationState.EXPIRED, expired_at=NOW)
    assert not generations.expire(ACCOUNT, PERIOD, NEWEST, NOW)
    assert generations.get(ACCOUNT, PERIOD, NEWEST) is None


def test_what_is_current_never_expires(generations: SweptRegistry) -> None:
    generations.plan(a_generation())
    generations.advance(a_published(), None)
    assert not generations.expire(*KEY, NOW)
    assert state(generations) is GenerationState.PLANNED


def test_an_expired_generation_that_is_planned_again_lives(generations: SweptRegistry) -> None:
    generations.plan(a_generation())
    generations.expire(*KEY, NOW)
    generations.plan(a_generation())
    assert generations.get(*KEY) == a_generation()
    generations.forget(*KEY)
    assert generations.get(*KEY) == a_generation()


def test_only_what_is_expired_is_forgotten(generations: SweptRegistry) -> None:
    generations.plan(a_generation())
    generations.forget(*KEY)
    assert generations.get(*KEY) is not None
    generations.expire(*KEY, NOW)
    generations.forget(*KEY)
    assert generations.get(*KEY) is None


def test_a_period_is_retired_with_its_generation_or_not_at_all(generations: SweptRegistry) -> None:
    for name in (OLD, NEW):
        generations.plan(a_generation(name))
    generations.advance(a_published(NEW), None)
    assert not generations.retire(a_published(OLD), NOW)
    assert generations.pointer(ACCOUNT, PERIOD) == a_published(NEW)
    assert generations.retire(a_published(NEW), NOW)
    assert generations.pointer(ACCOUNT, PERIOD) is None
    retired = generations.get(ACCOUNT, PERIOD, NEW)
    assert retired == a_generation(NEW, state=GenerationState.EXPIRED, expired_at=NOW)


def test_only_the_current_generation_is_restored(generations: SweptRegistry) -> None:
    generations.plan(a_generation())
    assert not generations.restore(*KEY)
    generations.expire(*KEY, NOW)
    generations.advance(a_published(), None)
    assert generations.restore(*KEY)
    assert generations.get(*KEY) == a_generation(state=GenerationState.PUBLISHED)


class Killed(BaseException):
    """The process ends here."""


def test_a_generation_has_a_state_though_planning_was_killed_half_way() -> None:
    with mock_aws():
        table = create_table(boto3.resource("dynamodb"))
        generations, written = DynamoGenerations(table), table.update_item

        def once(**request: Any) -> Any:
            table.update_item = killed
            return written(**request)

        def killed(**_: Any) -> Any:
            raise Killed

        table.update_item = once
        with pytest.raises(Killed):
            generations.plan(a_generation())
        (found,) = generations.of_period(ACCOUNT, PERIOD)
        assert found == a_generation()
