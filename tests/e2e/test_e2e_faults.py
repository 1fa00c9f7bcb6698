"""Faults in a bill that has every kind of charge, each in a month of its own: the comparison with
what AWS says finds each in its cells and by its amount, and disputes no month that is right."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from cloudspend import payloads as p
from cloudspend.collect.items import spend_key
from cloudspend.exports.model import BillingPeriod
from cloudspend.settings import REGISTRY_TABLE
from local.platform import ENDED, now
from local.world.charges import MARKETPLACE, Item, Members, Month, in_files, to_bill
from local.world.delivery import post_ledger, write
from tests.corpus.faults import FAULTS, SHIFTED, Cells, amortization_broken, shifted
from tests.e2e.scene import Customer, Scene

ACCOUNT = "717171717171"
OF = Members(ACCOUNT, "727272727272", "737373737373", "747474747474")
CENT = Decimal("0.01")
# More at a time only make the local cloud start more functions.
AT_ONCE = 3
CLEAN = ("clean", "clean as well")
# An account that AWS bills in another currency.
IN_YUAN = Members("757575757575", "767676767676", "787878787878", "797979797979")
AMORTIZATION, TAG, MOVED = "an amortization rule broken", "a tag column shifted", "cost moved"
NAMES = (*FAULTS, AMORTIZATION, TAG, MOVED, *CLEAN)


@dataclass(frozen=True)
class Year:
    """Months of an account that pays for three others."""

    customer: Customer
    months: Mapping[str, Month]

    @property
    def scene(self) -> Scene:
        return self.customer.scene

    @property
    def account_id(self) -> str:
        return self.customer.account_id

    def rows(self, table: str) -> dict[str, list[dict[str, str]]]:
        """The rows of a table of reconciliations, by what the month is for."""
        found = self.scene.ask(f"SELECT * FROM {table} WHERE account_id = '{self.account_id}'")
        return {
            name: [row for row in found if row["billing_period"] == str(month.period)]
            for name, month in self.months.items()
        }

    def off(self, name: str, figure: str = "residual") -> Cells:
        """The cells of a month that are off in one figure."""
        return {
            (row["sub_account_id"], row["service"], row["charge_type"]): amount
            for row in self.rows("reconciliation_cells")[name]
            if abs(amount := round(Decimal(row[figure]), 2)) > CENT
        }

    def verdict(self, name: str) -> dict[str, str]:
        (row,) = self.rows("reconciliation")[name]
        return row

    def delivered(self, name: str, files: list[list[Item]]) -> None:
        """AWS delivers these files of a month, unlike its charges."""
        month = self.months[name]
        bill = to_bill(self.account_id, month.period, files)
        write(self.customer.assembly(bill), self.customer.session)

    def charged(self, name: str, items: list[Item] | None = None) -> None:
        """AWS charges the month."""
        month = self.months[name]
        bill = to_bill(self.account_id, month.period, in_files(items or month.items()))
        post_ledger(bill, self.scene.platform.cloud.endpoint)

    def taken_in(self, deliveries: int) -> None:
        """Wait until so many deliveries were taken in, all in all."""

        def ended() -> bool:
            found = self.scene.ingests(self.account_id)
            return len(found) == deliveries and all(each["status"] in ENDED for each in found)

        self.scene.platform.wait_until(f"{deliveries} ingestions", ended, 180)
        self.scene.expect_success(*self.scene.ingests(self.account_id))

    def generation(self, name: str) -> str:
        period = self.months[name].period
        return str(self.scene.period(self.account_id, period)["generation"])

    def compare(self, name: str) -> str:
        """Compare a month now; returns the verdict."""
        state = {
            p.ACCOUNT_ID: self.account_id,
            p.PERIOD: str(self.months[name].period),
            p.GENERATION: self.generation(name),
        }
        return str(self.scene.invoke("reconcile_period", state)[p.VERDICT])


@pytest.fixture(scope="module")
def year(scene: Scene) -> Year:
    made = _onboarded(scene, OF, "Shop with every charge", NAMES)
    for number, (name, month) in enumerate(made.months.items(), start=1):
        fault = FAULTS.get(name)
        files = fault.delivered(month) if fault else in_files(month.items())
        was_right = fault is not None and fault.is_old
        made.charged(name, [each for file in files for each in file] if was_right else None)
        made.delivered(name, files)
        if number % AT_ONCE == 0:
            made.taken_in(number)
    made.taken_in(len(made.months))
    return made


def _onboarded(scene: Scene, of: Members, called: str, names: Sequence[str]) -> Year:
    """An account with a month for each of `names`: closed ones, the newest first."""
    customer = Customer(scene, of.payer, called)
    assert customer.follow(customer.invite()) == "CREATE_COMPLETE"
    assert customer.wait_until_onboarded()["state"] == "active"
    # So many months take more pages of Cost Explorer than an account is asked for on a usual day.
    registry = scene.platform.session.resource("dynamodb").Table(REGISTRY_TABLE)
    registry.put_item(Item={**spend_key(of.payer, now().date()), "pages": -1000})
    currency = "CNY" if of is IN_YUAN else "USD"
    periods = _closed(len(names))
    months = {name: Month(of, p, currency) for name, p in zip(names, periods, strict=True)}
    return Year(customer, months)


def _closed(count: int) -> list[BillingPeriod]:
    """As many months; Cost Explorer goes back far enough."""
    today = now().date()
    found = [BillingPeriod(today.year, today.month).previous]
    while len(found) < count:
        found.append(found[-1].previous)
    return found


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if not fault.is_old])
def test_a_fault_is_found_in_its_cells_and_by_its_amount(year: Year, name: str) -> None:
    fault, found = FAULTS[name], year.verdict(name)
    assert found["verdict"] == "disputed"
    assert fault.says in found["reason"]
    assert year.off(name) == fault.residuals(OF)
    generation = year.generation(name)
    stated = year.scene.wait_for_event(ACCOUNT, "PeriodDisputed", generation=generation)
    assert fault.says in stated["details"]["reason"]


@pytest.mark.parametrize("name", [AMORTIZATION, TAG, MOVED, *CLEAN])
def test_a_month_that_is_right_is_certified_by_cost_explorer_and_invoices(
    year: Year, name: str
) -> None:
    (period,) = (r for r in year.rows("reconciliation")[name])
    assert (period["verdict"], period["cells_beyond_tolerance"]) == ("certified", "0")
    assert (period["invoices"], period["currency"]) == ("2", "USD")
    assert (
        year.scene.recorder.of(ACCOUNT, "PeriodDisputed", period=str(year.months[name].period))
        == []
    )


def test_an_account_in_another_currency_is_certified_in_it(scene: Scene) -> None:
    shop = _onboarded(scene, IN_YUAN, "Shop that pays in yuan", ("in yuan",))
    shop.charged("in yuan")
    shop.delivered("in yuan", in_files(shop.months["in yuan"].items()))
    shop.taken_in(1)
    found = shop.verdict("in yuan")
    assert (found["verdict"], found["currency"], found["invoices"]) == ("certified", "CNY", "2")
    assert shop.off("in yuan") == {}


def test_an_amortization_rule_broken(year: Year) -> None:
    """What a conversion with the broken rule would have written is in the lake."""
    _break_amortization(year)
    assert year.compare(AMORTIZATION) == "disputed"
    assert year.off(AMORTIZATION) == {}
    for figure, cells in amortization_broken(OF).items():
        assert year.off(AMORTIZATION, figure) == cells


def test_an_old_generation_published(year: Year) -> None:
    (name,) = (name for name, fault in FAULTS.items() if fault.is_old)
    old, before = year.generation(name), len(year.scene.ingests(ACCOUNT))
    year.charged(name)
    year.delivered(name, in_files(year.months[name].items()))
    year.taken_in(before + 1)
    assert year.verdict(name)["verdict"] == "certified"
    arguments = (ACCOUNT, str(year.months[name].period), old, "--reason", "A test.", "--yes")
    assert year.scene.platform.run("periods", "rollback", *arguments).code == 0
    year.scene.wait_for_event(ACCOUNT, "PeriodDisputed", generation=old)
    assert year.off(name) == FAULTS[name].residuals(OF)


def test_a_tag_column_shifted(year: Year) -> None:
    """Costs agree, so that the period stays certified; its rows are doubtful."""
    before = len(year.scene.ingests(ACCOUNT))
    year.delivered(TAG, shifted(year.months[TAG]))
    year.taken_in(before + 1)
    stated = year.scene.wait_for_event(
        ACCOUNT, "DataQualityDoubtful", generation=year.generation(TAG)
    )
    assert stated["details"]["doubts"] == [SHIFTED]
    assert year.verdict(TAG)["verdict"] == "certified"


def test_a_restatement_that_shifts_cost_between_linked_accounts(year: Year) -> None:
    """AWS shows it at once; the command says what is awaited, the delivery certifies it again."""
    period, before = year.months[MOVED].period, len(year.scene.ingests(ACCOUNT))
    moved = [
        each | {"lineItem/UsageAccountId": OF.staging}
        if each["lineItem/ProductCode"] == MARKETPLACE
        else each
        for each in year.months[MOVED].items()
    ]
    year.charged(MOVED, moved)
    answer = year.scene.platform.run("reconcile", ACCOUNT, str(period))
    assert answer.code == 0, answer.err
    assert f"{period} is provisional" in answer.err
    stated = year.scene.wait_for_event(ACCOUNT, "CertificateWithdrawn", period=str(period))
    changes = {(c["account"], c["difference"]) for c in stated["details"]["changes"]}
    assert changes == {(OF.data, "-15.00"), (OF.staging, "15.00")}
    year.delivered(MOVED, in_files(moved))
    year.taken_in(before + 1)
    assert year.verdict(MOVED)["verdict"] == "certified"


def _break_amortization(year: Year) -> None:
    platform = year.scene.platform
    s3, bucket = platform.session.client("s3"), platform.settings.lake_bucket
    prefix = (
        f"cost_and_usage/account_id={ACCOUNT}/billing_period={year.months[AMORTIZATION].period}/"
        f"generation={year.generation(AMORTIZATION)}/"
    )
    for found in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
        body = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
        s3.put_object(Bucket=bucket, Key=found["Key"], Body=_as_billed(body))


def _as_billed(body: bytes) -> bytes:
    """The rows with covered hours at what they are billed for."""
    rows = pq.read_table(io.BytesIO(body))
    covered = pc.equal(rows["x_chargetype"], "DiscountedUsage")
    for name in ("effectivecost", "x_neteffectivecost"):
        at = rows.schema.get_field_index(name)
        costs: Any = pc.if_else(covered, rows["billedcost"], rows[name])
        rows = rows.set_column(at, rows.schema.field(at), costs)
    written = io.BytesIO()
    pq.write_table(rows, written)
    return written.getvalue()
