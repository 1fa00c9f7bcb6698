"""One source of one account: replaced, never appended; stopped, and gone on with."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cloudspend.accounts.model import AccountState, Change
from cloudspend.collect.collect import collect, failed, overlaps
from cloudspend.collect.metered import MeteredCostExplorer
from cloudspend.collect.model import Status
from cloudspend.collect.ports import AnswerChanged, CapReached, NotAvailable, QuestionRefused
from cloudspend.collect.runner import CollectPorts, Outcome
from cloudspend.collect.sources import SOURCES
from cloudspend.errors import Defect, PermissionDenied, TransientError, UsageError
from tests.fakes.accounts import FakeAccounts, an_account
from tests.fakes.alerts import FakeBus
from tests.fakes.collecting import FakeProgress, FakeServices, FakeSpend, FakeStore
from tests.fakes.lake import FakeCatalog, FakeLake

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
ACCOUNT = an_account()
ID = ACCOUNT.account_id
DAILY = replace(SOURCES["daily_services"], histories=(1,))
MONTHLY = SOURCES["monthly_services"]


class World:
    """A collector, and a Cost Explorer in which each day costs what `costs` says, a page a day."""

    def __init__(self, cap: int = 1000) -> None:
        self.costs: dict[str, str] = {}
        self.services = FakeServices(get_cost_and_usage=self.answer)
        self.spend, self.progress, self.store = FakeSpend(), FakeProgress(), FakeStore()
        self.catalog, self.lake, self.bus = FakeCatalog(), FakeLake(), FakeBus()
        self.accounts = FakeAccounts(ACCOUNT)
        self.account = ACCOUNT
        self.cap = cap

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        time = request["TimePeriod"]
        days = sorted(day for day in self.costs if time["Start"] <= day < time["End"])
        page = int(request.get("NextPageToken", 0))
        more = {"NextPageToken": str(page + 1)} if page + 1 < len(days) else {}
        return {"ResultsByTime": [self._result(day) for day in days[page : page + 1]], **more}

    def _result(self, day: str) -> dict[str, Any]:
        amount = {"Amount": self.costs[day], "Unit": "USD"}
        names = ("UnblendedCost", "AmortizedCost", "NetAmortizedCost")
        group = {"Keys": [ID, "S3"], "Metrics": dict.fromkeys(names, amount)}
        return {"TimePeriod": {"Start": day, "End": day}, "Groups": [group], "Estimated": True}

    def run(self, source: Any = DAILY, now: datetime = NOW, **more: Any) -> Outcome:
        collector = CollectPorts(
            self.accounts,
            self.spend,
            self.progress,
            self.store,
            self.catalog,
            self.lake,
            self.bus,
            self.cap,
        )
        overlap = more.pop("overlap", source.overlap)
        return collect(
            source, self.account, self.services, collector, overlap=overlap, now=now, **more
        )

    @property
    def stored(self) -> dict[str, float]:
        return {str(row["usage_date"]): row["unblended_cost"] for row in self.store.rows}

    @property
    def said(self) -> list[str]:
        return [event.detail_type for event in self.bus.events]


def test_days_are_stored_each_in_its_own_object_and_shown_by_their_month() -> None:
    world = World()
    world.costs = {"2026-10-31": "1.5", "2026-11-23": "2", "2026-11-24": "0.25"}
    outcome = world.run()
    assert (outcome.status, outcome.rows, outcome.pages) == (Status.COLLECTED, 3, 3)
    assert outcome.cost == Decimal("0.03")
    assert world.stored == {"2026-10-31": 1.5, "2026-11-23": 2, "2026-11-24": 0.25}
    folder = "cost_explorer_daily_services/account_id=111111111111/billing_period=2026-11/"
    assert folder + "2026-11-24.parquet" in world.store.objects
    assert world.catalog.location("cost_explorer_daily_services", (ID, "2026-11")) == (
        f"s3://lake/{folder}"
    )
    assert world.store.rows[0]["collected_at"] == NOW


def test_a_repeat_replaces_and_doubles_nothing() -> None:
    world = World()
    world.costs = {"2026-10-31": "1", "2026-11-23": "2", "2026-11-24": "3"}
    world.run()
    world.costs |= {"2026-11-23": "5", "2026-10-31": "9"}
    del world.costs["2026-11-24"]
    world.run(overlap=7)
    assert world.stored == {"2026-10-31": 1, "2026-11-23": 5}  # October lies before the overlap
    assert world.services.asked[-1][1]["TimePeriod"] == {"Start": "2026-11-18", "End": "2026-11-25"}


def test_at_the_cap_the_rest_follows_the_next_day_and_one_warning_says_so() -> None:
    world = World(cap=2)
    world.costs = {"2026-10-30": "1", "2026-11-23": "2", "2026-11-24": "3"}
    outcome = world.run()
    assert outcome.status is Status.CAPPED
    assert world.stored == {"2026-11-23": 2, "2026-11-24": 3}
    assert world.run().pages == 0
    assert world.said == ["CollectCapReached"]
    world.cap = 9
    assert world.run(now=NOW + timedelta(days=1)).status is Status.COLLECTED
    assert world.stored == {"2026-10-30": 1, "2026-11-23": 2, "2026-11-24": 3}
    assert world.spend.taken(ID, NOW.date()) == 2


def test_a_question_larger_than_the_cap_is_asked_in_parts_until_it_finishes() -> None:
    world = World(cap=5)
    world.costs = {f"2026-11-{day}": "1" for day in range(18, 25)}
    days = [world.run(now=NOW + timedelta(days=n), overlap=0) for n in range(20)]
    assert [each.rows for each in days[:3]] == [0, 3, 4]  # the month, then weeks
    assert {each.status for each in days[:2]} == {Status.CAPPED}
    assert days[-1].status is Status.COLLECTED
    assert world.stored == dict.fromkeys(world.costs, 1)
    assert "SourceStuck" not in world.said


def test_a_source_that_never_finishes_says_so_once_with_its_remedy() -> None:
    world = World(cap=0)
    world.costs = {"2026-11-24": "1"}
    for day in range(5):
        for _ in range(2):  # once more by hand is no other day
            outcome = world.run(now=NOW + timedelta(days=day))
        assert ("It never will, unless" in outcome.reason) is (day >= 2)
    assert world.said.count("SourceStuck") == 1
    world.cap = 999
    assert world.run(now=NOW + timedelta(days=5)).status is Status.COLLECTED
    held = world.progress.get(ID, DAILY.name)
    assert held
    assert held.capped_days == 0


def test_what_the_account_does_not_keep_goes_in_two_steps_and_is_not_asked_for() -> None:
    world = World()
    world.account = replace(ACCOUNT, retention_months=13)
    table, name = DAILY.table, "cost_explorer_daily_services"
    keys = {
        month: f"{table.data_folder}/account_id={ID}/billing_period={month}/x.parquet"
        for month in ("2025-09", "2025-10", "2026-11")
    }
    for month, key in keys.items():
        world.lake.write_json(key, 1)
        world.catalog.point(name, (ID, month), f"s3://lake/{key}")
    other = f"{table.data_folder}/account_id=999999999999/billing_period=2020-01/x.parquet"
    world.lake.write_json(other, 1)
    at_month_end = datetime(2026, 11, 30, 23, tzinfo=UTC)
    world.run(now=at_month_end)
    assert min(world.catalog.locations(name, ID)) == (ID, "2025-10")
    assert keys["2025-09"] in world.lake.objects  # a query may still read it
    world.run(now=at_month_end + timedelta(hours=2))
    assert keys["2025-09"] not in world.lake.objects
    assert keys["2025-10"] in world.lake.objects  # over for two hours
    assert min(world.catalog.locations(name, ID)) > (ID, "2025-10")
    world.run(now=at_month_end + timedelta(hours=3))
    assert keys["2025-10"] in world.lake.objects  # no query of an hour ago is left without it
    world.run(now=at_month_end + timedelta(hours=26))
    assert set(keys.values()) & set(world.lake.objects) == {keys["2026-11"]}
    assert other in world.lake.objects


def test_nothing_is_deleted_on_the_day_on_which_the_account_was_changed() -> None:
    world = World()
    change = Change(1, AccountState.ACTIVE, AccountState.ACTIVE, NOW, "somebody", "retention")
    world.account = replace(ACCOUNT, retention_months=13, last_change=change)
    key = f"{DAILY.table.data_folder}/account_id={ID}/billing_period=2020-01/x.parquet"
    world.lake.write_json(key, 1)
    for hours, there in ((0, True), (23, True), (24, False)):
        world.run(now=NOW + timedelta(hours=hours))
        assert (key in world.lake.objects) is there


def test_no_more_history_is_asked_for_than_is_kept_and_a_longer_one_later() -> None:
    world = World()
    world.account = replace(ACCOUNT, retention_months=13)
    world.run(MONTHLY)
    assert min(request["TimePeriod"]["Start"] for _, request in world.services.asked) == (
        "2025-10-01"
    )
    held = world.progress.get(ID, MONTHLY.name)
    assert held
    assert held.days
    assert held.days.start == date(2025, 10, 1)
    world.services.asked.clear()
    world.account = ACCOUNT
    world.run(MONTHLY)
    assert min(request["TimePeriod"]["Start"] for _, request in world.services.asked) < (
        "2025-10-01"
    )


def test_days_without_a_charge_of_long_ago_are_not_written() -> None:
    world = World()
    world.costs = {"2025-11-03": "1"}
    world.run(replace(DAILY, histories=(13,)))
    days = sorted(key.rpartition("/")[2].removesuffix(".parquet") for key in world.store.objects)
    assert days[:2] == ["2025-11-03", "2026-08-01"]


def test_a_partition_that_stands_right_is_not_pointed_again() -> None:
    world = World()
    world.costs = {"2026-11-24": "1"}
    world.run()
    world.catalog.point = lambda *_: pytest.fail("It is there.")  # type: ignore[method-assign]
    assert world.run().status is Status.COLLECTED


def test_two_rounds_at_the_same_time_double_nothing_and_share_the_cap() -> None:
    """The second one begins and ends while the first has read its first page."""
    world = World(cap=6)
    world.costs = {"2026-10-31": "1", "2026-11-23": "2", "2026-11-24": "3"}
    other: list[Outcome] = []

    def later_on(request: Mapping[str, Any]) -> dict[str, Any]:
        if not other:
            other.append(Outcome("", Status.FAILED, "", 0, 0, Decimal(0)))
            other[0] = world.run()
        return world.answer(request)

    world.services.answers["get_cost_and_usage"] = later_on
    first = world.run()
    assert {each.status for each in (first, *other)} == {Status.COLLECTED}
    assert world.stored == {"2026-10-31": 1, "2026-11-23": 2, "2026-11-24": 3}
    assert world.spend.taken(ID, NOW.date()) == 6
    assert first.pages + other[0].pages == 6


def test_an_answer_that_changes_between_pages_is_asked_for_from_its_start() -> None:
    world = World()
    world.costs = {"2026-11-22": "1", "2026-11-23": "2"}
    world.services.fail_with = [None, AnswerChanged("RequestChangedException")]
    outcome = world.run()
    assert world.stored == {"2026-11-22": 1, "2026-11-23": 2}
    assert outcome.pages == 5  # two lost, two read force, and one of October
    world.services.fail_with = [AnswerChanged("x")] * 3
    with pytest.raises(TransientError, match="kept changing"):
        world.run()
    assert world.stored == {"2026-11-22": 1, "2026-11-23": 2}


def test_what_is_denied_is_said_once_and_that_it_is_back_once() -> None:
    world = World()
    world.services.answers["get_cost_and_usage"] = PermissionDenied("No.", remedy="Allow it.")
    for _ in range(2):
        outcome = world.run()
        assert (outcome.status, outcome.reason) == (Status.DEGRADED, "No. Allow it.")
    assert world.said == ["SourceDegraded"]
    world.services.answers["get_cost_and_usage"] = world.answer
    for _ in range(2):
        assert world.run().status is Status.COLLECTED
    assert world.said == ["SourceDegraded", "SourceRecovered"]


def test_what_aws_does_not_have_is_no_fault_of_anybodys() -> None:
    world = World()
    world.services.answers["get_cost_and_usage"] = NotAvailable("Nothing.", remedy="")
    assert world.run().status is Status.NOT_AVAILABLE
    assert world.said == []


@pytest.mark.parametrize("error", [TransientError("Later."), Defect("Ours.")])
def test_a_failure_fails_and_what_was_stored_is_gone_on_with(error: Exception) -> None:
    world = World()
    world.costs = {"2026-10-30": "1", "2026-11-24": "3"}
    world.services.fail_with = [None, error]
    with pytest.raises(type(error)):
        world.run()
    known = world.progress.get(ID, DAILY.name)
    assert known is not None
    assert (known.status, str(known.days and known.days.start)) == (Status.FAILED, "2026-11-01")
    world.run()
    assert world.stored == {"2026-10-30": 1, "2026-11-24": 3}


def test_progress_never_claims_what_was_not_stored() -> None:
    world = World()
    world.costs = {"2026-11-24": "3"}
    world.store.dying = TransientError("S3 is away.")
    with pytest.raises(TransientError):
        world.run()
    known = world.progress.get(ID, DAILY.name)
    assert known is not None
    assert known.days is None


@pytest.mark.parametrize("fault", ["twice", "another day"])
def test_an_answer_that_cannot_be_is_refused_whole(fault: str) -> None:
    world = World()
    day = "2026-11-24" if fault == "twice" else "2020-01-01"
    result = world._result(day) if world.costs.update({day: "1"}) is None else {}
    world.services.answers["get_cost_and_usage"] = lambda _: {"ResultsByTime": [result, result]}
    with pytest.raises(Defect, match="twice" if fault == "twice" else "not asked for"):
        world.run()
    assert world.stored == {}


def test_a_history_that_aws_does_not_have_is_asked_for_seldom() -> None:
    world = World()
    beginnings: list[str] = []

    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        beginnings.append(request["TimePeriod"]["Start"])
        if request["TimePeriod"]["Start"] < "2025-10-01":
            raise QuestionRefused("You have not enabled it.")
        return {"ResultsByTime": []}

    world.services.answers["get_cost_and_usage"] = answer
    for days in (0, 1, 40):
        assert world.run(MONTHLY, NOW + timedelta(days=days)).status is Status.COLLECTED
    first, next_day = ["2023-09-01", "2025-10-01"], ["2026-10-01"]
    # January: what is new, then the long history once more, then what the short one lacks
    assert beginnings == [*first, *next_day, "2026-10-01", "2023-11-01", "2026-12-01"]


def test_a_step_that_failed_for_good_is_written_down_and_said() -> None:
    world = World()
    world.run()
    state = {
        "source": "daily_services",
        "failure": {"Error": "Lambda.Unknown", "Cause": "It died."},
    }
    outcome = failed(state, ACCOUNT, world.progress, world.bus, NOW)
    known = world.progress.get(ID, "daily_services")
    assert known is not None
    assert (outcome.status, known.status) == (Status.FAILED, Status.FAILED)
    assert known.days is not None
    assert world.said == ["SourceFailed"]


def test_reconciliation_counts_against_the_same_cap() -> None:
    world = World()

    class Api:
        def cost_and_usage(self, _: Any) -> dict[str, Any]:
            return {"ResultsByTime": []}

        def dimension_values(self, _: Any) -> dict[str, Any]:
            return {"DimensionValues": []}

    metered = MeteredCostExplorer(Api(), world.spend, ID, NOW.date(), 2)
    metered.cost_and_usage({})
    metered.dimension_values({})
    assert world.spend.taken(ID, NOW.date()) == 2
    with pytest.raises(CapReached):
        metered.cost_and_usage({})


def test_overlaps_are_settings() -> None:
    assert overlaps("", SOURCES)["budgets"] == SOURCES["budgets"].overlap
    assert overlaps("budgets=3 invoices=0", SOURCES)["budgets"] == 3
    for wrong in ("budget=3", "budgets", "budgets=-1", "budgets=x"):
        with pytest.raises(UsageError, match=wrong.partition("=")[0]):
            overlaps(wrong, SOURCES)


def organization(*members: str, management: str = ID) -> FakeServices:
    """AWS Organizations with these accounts, none of them in a unit."""
    listed = [
        {"Id": one, "Name": f"Account {one}", "Email": "a@example.com", "State": "ACTIVE"}
        for one in members
    ]
    return FakeServices(
        describe_organization=lambda _: {"Organization": {"MasterAccountId": management}},
        list_roots=lambda _: {"Roots": []},
        list_accounts=lambda _: {"Accounts": listed},
        list_tags_for_resource=lambda _: {"Tags": []},
    )


def test_members_that_join_and_leave_are_told_of_once_and_known() -> None:
    world, source = World(), SOURCES["organization_accounts"]
    world.services = organization(ID, "222222222222")
    world.run(source)
    assert world.said == []
    day = NOW + timedelta(days=1)
    world.services = organization(ID, "333333333333")
    for hours in (0, 1):
        world.run(source, now=day + timedelta(hours=hours), force=True)
    assert world.said == ["MemberJoined", "MemberLeft"]
    members = {one.account_id: one.left_at for one in world.accounts.members(ID)}
    assert members == {ID: None, "222222222222": day, "333333333333": None}


def test_another_organizations_list_moves_nobody() -> None:
    world, source = World(), SOURCES["organization_accounts"]
    world.services = organization(ID, "222222222222")
    world.run(source)
    known = world.accounts.members(ID)
    world.services = organization("999999999999", ID, management="999999999999")
    outcome = world.run(source, now=NOW + timedelta(days=1))
    assert outcome.status is Status.DEGRADED
    assert "does not manage one" in outcome.reason
    assert world.said == ["SourceDegraded"]
    assert world.accounts.members(ID) == known


def test_a_list_that_is_cut_off_moves_nobody() -> None:
    world, source = World(), SOURCES["organization_accounts"]
    world.services = organization(ID, "222222222222", "333333333333")
    world.run(source)
    pages = [
        {"Accounts": [{"Id": ID, "Name": "A", "Email": "a@example.com", "State": "ACTIVE"}]},
        TransientError("AWS does not answer now."),
    ]

    def page(_: Mapping[str, Any]) -> dict[str, Any]:
        answer = pages.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer | {"NextToken": "1"}

    world.services.answers["list_accounts"] = page
    with pytest.raises(TransientError):
        world.run(source, now=NOW + timedelta(days=1))
    assert world.said == []
    assert [one.left_at for one in world.accounts.members(ID)] == [None, None, None]
