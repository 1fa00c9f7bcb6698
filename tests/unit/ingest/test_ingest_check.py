"""Whether a generation is whole, once, and what its source says."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cloudspend import payloads as p
from cloudspend.accounts.model import AccountState, ExportKind
from cloudspend.convert.model import ConversionSummary, ConversionTask, Output
from cloudspend.errors import CloudSpendError, Defect, DeliveryError, TotalsDiffer
from cloudspend.exports.model import DeliveredFile
from cloudspend.ingest.check import check
from cloudspend.ingest.plan import IngestPorts
from cloudspend.lake.model import DetailTotals, GenerationState, Totals
from cloudspend.lake.tables import (
    BILLING_DETAIL_GENERATIONS,
    COST_AND_USAGE_GENERATIONS,
    generation_prefix,
)
from tests.fakes.accounts import FakeAccounts, an_account
from tests.fakes.alerts import FakeBus
from tests.fakes.lake import (
    ACCOUNT,
    OLD,
    PERIOD,
    FakeCatalog,
    FakeGenerations,
    FakeLake,
    a_generation,
)

PREFIX = generation_prefix("cost_and_usage", ACCOUNT, PERIOD, OLD)
PLAN = "runs/plan.json"
RESULTS = "runs/map/manifest.json"
STATE = {
    p.ACCOUNT_ID: ACCOUNT,
    p.PERIOD: str(PERIOD),
    p.GENERATION: OLD,
    p.PLAN_KEY: PLAN,
    p.MAP_RUN: {"MapRunArn": "a-run", "ResultWriterDetails": {"Key": RESULTS}},
}

# What one task of the two has written.
WHOLE = Totals(2, Decimal("1.1"), Decimal("0.2"), "USD", Decimal("1.4"))


def a_task(number: int) -> ConversionTask:
    file = DeliveredFile("cost-bucket", f"{number}.csv.gz", "etag", 10)
    return ConversionTask(ACCOUNT, PERIOD, OLD, number, ExportKind.CUR_LEGACY, "gzip", (file,))


def key_of(number: int) -> str:
    return a_task(number).output_key("cost_and_usage")


def a_summary(number: int, **changes: Any) -> ConversionSummary:
    summary = ConversionSummary(
        task=number,
        rows_read=3,
        rows_left_out=1,
        billed_cost=Decimal("1.1"),
        effective_cost=Decimal("0.2"),
        list_cost=Decimal("1.4"),
        unblended_cost=Decimal("1.1"),
        currency="USD",
        unknown_columns=(),
        unknown_charge_types=(),
        outputs=(Output("cost_and_usage", "a-lake", key_of(number), 2, 100),),
    )
    return replace(summary, **changes)


class Converted:
    """A generation of which every task was converted, in two files of results."""

    tables: tuple[str, ...] = ("cost_and_usage",)
    account = an_account(state=AccountState.ACTIVE)

    def __init__(self, summaries: Sequence[ConversionSummary]) -> None:
        self.lake = FakeLake()
        self.catalog = FakeCatalog()
        self.bus = FakeBus()
        self.generations = FakeGenerations()
        self.generations.plan(a_generation(OLD))
        tasks = [replace(a_task(number), tables=self.tables) for number in (0, 1)]
        self.lake.write_json(PLAN, [task.to_payload() for task in tasks])
        for summary in summaries:
            self.lake.put_parquet(
                summary.outputs[0].key,
                Totals(
                    summary.rows_read - summary.rows_left_out,
                    summary.billed_cost,
                    summary.effective_cost,
                    "",
                    summary.list_cost,
                ),
            )
        self.say(summaries)

    def say(self, summaries: Sequence[ConversionSummary]) -> None:
        """Write results as Step Functions does: a child's output is JSON text."""
        names = []
        for number, summary in enumerate(summaries):
            key = f"runs/map/SUCCEEDED_{number}.json"
            names.append({"Key": key, "Size": 1})
            child = {"Status": "SUCCEEDED", "Output": json.dumps(summary.to_payload())}
            self.lake.write_json(key, [child])
        files = {"SUCCEEDED": names, "FAILED": [], "PENDING": []}
        self.lake.write_json(RESULTS, {"ResultFiles": files})

    def check(self) -> dict[str, Any]:
        registry = FakeAccounts(self.account)
        ingest_ports = IngestPorts(self.generations, self.lake)
        return check(STATE, registry, ingest_ports, self.catalog, self.bus)

    @property
    def state(self) -> GenerationState:
        held = self.generations.get(ACCOUNT, PERIOD, OLD)
        assert held is not None
        return held.state


@pytest.fixture
def converted() -> Converted:
    return Converted([a_summary(1), a_summary(0)])


def test_a_whole_generation_is_checked_and_can_be_queried(converted: Converted) -> None:
    state = converted.check()
    assert state | STATE == state
    assert state[p.TOTALS] == {
        "rows": 4,
        "billed_cost": "2.2",
        "effective_cost": "0.4",
        "list_cost": "2.8",
        "currency": "USD",
        "detail": None,
    }
    assert f"generation = '{OLD}'" in state[p.QUERY]
    assert converted.state is GenerationState.CHECKED
    values = (ACCOUNT, str(PERIOD), OLD)
    place = converted.catalog.location(COST_AND_USAGE_GENERATIONS.name, values)
    assert place == f"s3://a-lake/{PREFIX}"
    assert converted.bus.events == []
    assert converted.check() == state


def lost_task(converted: Converted) -> None:
    converted.say([a_summary(0)])


def doubled_task(converted: Converted) -> None:
    converted.say([a_summary(0), a_summary(1), a_summary(1)])


def foreign_task(converted: Converted) -> None:
    converted.say([a_summary(0), a_summary(7)])


def lost_file(converted: Converted) -> None:
    del converted.lake.sizes[key_of(1)]


def stray_file(converted: Converted) -> None:
    converted.lake.put_parquet(
        PREFIX + "left-over.parquet", Totals(1, Decimal(1), Decimal(1), "", Decimal(1))
    )


def replaced_file(converted: Converted) -> None:
    converted.lake.sizes[key_of(1)] = 99


def lost_row(converted: Converted) -> None:
    converted.lake.put_parquet(key_of(1), replace(WHOLE, rows=1))


def changed_cost(converted: Converted) -> None:
    converted.lake.put_parquet(key_of(1), replace(WHOLE, billed_cost=Decimal("1.100001")))


def changed_list_cost(converted: Converted) -> None:
    converted.lake.put_parquet(key_of(1), replace(WHOLE, list_cost=Decimal("1.3")))


def no_results(converted: Converted) -> None:
    del converted.lake.objects[RESULTS]


def two_currencies(converted: Converted) -> None:
    converted.say([a_summary(0), a_summary(1, currency="EUR")])


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (lost_task, Defect),
        (doubled_task, Defect),
        (foreign_task, Defect),
        (lost_file, Defect),
        (stray_file, Defect),
        (replaced_file, Defect),
        (lost_row, TotalsDiffer),
        (changed_cost, TotalsDiffer),
        (changed_list_cost, TotalsDiffer),
        (no_results, Defect),
        (two_currencies, DeliveryError),
    ],
)
def test_a_damaged_generation_is_neither_checked_nor_registered(
    converted: Converted, damage: Callable[[Converted], None], kind: type[CloudSpendError]
) -> None:
    damage(converted)
    with pytest.raises(kind) as caught:
        converted.check()
    assert type(caught.value) is kind
    assert converted.state is GenerationState.PLANNED
    assert converted.catalog.shown == []


def test_a_loss_here_does_not_hide_behind_a_gain_there(converted: Converted) -> None:
    """Sums over all files would agree."""
    for number, billed in ((0, "1.0"), (1, "1.2")):
        totals = replace(WHOLE, billed_cost=Decimal(billed))
        converted.lake.put_parquet(key_of(number), totals)
    with pytest.raises(TotalsDiffer):
        converted.check()


def test_a_bill_without_rows_is_whole() -> None:
    empty = {
        "rows_read": 0,
        "rows_left_out": 0,
        "billed_cost": Decimal(0),
        "effective_cost": Decimal(0),
        "list_cost": Decimal(0),
    }
    converted = Converted([a_summary(number, currency="", **empty) for number in (0, 1)])
    assert converted.check()[p.TOTALS]["currency"] == "USD"


DETAIL_PREFIX = generation_prefix("billing_detail", ACCOUNT, PERIOD, OLD)
DETAIL = DetailTotals(3, Decimal("1.1"))


class Detailed(Converted):
    """The same with billing_detail, for an account that also has a tag as a column."""

    tables = ("cost_and_usage", "billing_detail")
    account = replace(Converted.account, billing_detail=True, tag_columns=("Cost Center",))

    def __init__(self) -> None:
        outputs = [
            Output("billing_detail", "a-lake", f"{DETAIL_PREFIX}{n:05d}-00.parquet", 3, 100)
            for n in (0, 1)
        ]
        super().__init__(
            [
                a_summary(n, outputs=(*a_summary(n).outputs, output))
                for n, output in enumerate(outputs)
            ]
        )
        for output in outputs:
            self.lake.put_parquet(output.key, DETAIL)


def test_both_tables_are_checked_and_can_be_queried() -> None:
    converted = Detailed()
    state = converted.check()
    assert state[p.TOTALS]["detail"] == {"rows": 6, "unblended_cost": "2.2"}
    values = (ACCOUNT, str(PERIOD), OLD)
    place = converted.catalog.location(BILLING_DETAIL_GENERATIONS.name, values)
    assert place == f"s3://a-lake/{DETAIL_PREFIX}"


def test_the_tables_have_a_tags_column_before_a_partition_points_at_it() -> None:
    """FakeCatalog refuses a partition with columns that its table lacks."""
    converted = Detailed()
    converted.check()
    assert converted.catalog.columns == {
        "cost_and_usage": {"tag_costcenter": "string"},
        "cost_and_usage_generations": {"tag_costcenter": "string"},
    }


def lost_detail(converted: Detailed) -> None:
    del converted.lake.sizes[f"{DETAIL_PREFIX}00001-00.parquet"]


def stray_detail(converted: Detailed) -> None:
    converted.lake.put_parquet(DETAIL_PREFIX + "left-over.parquet", DETAIL)


def lost_detail_row(converted: Detailed) -> None:
    converted.lake.put_parquet(f"{DETAIL_PREFIX}00001-00.parquet", replace(DETAIL, rows=2))


def changed_detail(converted: Detailed) -> None:
    changed = replace(DETAIL, unblended_cost=Decimal("1.2"))
    converted.lake.put_parquet(f"{DETAIL_PREFIX}00001-00.parquet", changed)


def unplanned_table(converted: Detailed) -> None:
    tasks = [replace(a_task(number), tables=("cost_and_usage",)) for number in (0, 1)]
    converted.lake.write_json(PLAN, [task.to_payload() for task in tasks])


def tables_that_differ(converted: Detailed) -> None:
    tasks = [a_task(0), replace(a_task(1), tables=("cost_and_usage", "billing_detail"))]
    converted.lake.write_json(PLAN, [task.to_payload() for task in tasks])


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (lost_detail, Defect),
        (stray_detail, Defect),
        (lost_detail_row, TotalsDiffer),
        (changed_detail, TotalsDiffer),
        (unplanned_table, Defect),
        (tables_that_differ, Defect),
    ],
)
def test_a_damaged_detail_keeps_the_whole_generation_back(
    damage: Callable[[Detailed], None], kind: type[CloudSpendError]
) -> None:
    converted = Detailed()
    damage(converted)
    with pytest.raises(kind) as caught:
        converted.check()
    assert type(caught.value) is kind
    assert converted.state is GenerationState.PLANNED
    assert converted.catalog.shown == []


def test_unknown_charge_types_are_one_event_beside_the_columns() -> None:
    converted = Converted(
        [
            a_summary(0, unknown_charge_types=("NewFee", "OldFee")),
            a_summary(1, unknown_charge_types=("NewFee",), unknown_columns=("a/b",)),
        ]
    )
    converted.check()
    assert converted.bus.kinds == ["UnknownColumns", "UnknownChargeTypes"]
    assert converted.bus.events[1].details["charge_types"] == ["NewFee", "OldFee"]


def test_unknown_columns_are_reported_once() -> None:
    names = ("lineItem/New", "product/new")
    converted = Converted(
        [a_summary(0, unknown_columns=names), a_summary(1, unknown_columns=names[:1])]
    )
    converted.check()
    [event] = converted.bus.events
    assert event.detail_type == "UnknownColumns"
    assert event.details["columns"] == list(names)
