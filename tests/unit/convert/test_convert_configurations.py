"""CUR 2.0 in every configuration that its table can have: the bill adds up to the same."""

import csv
import gzip
import io
from collections.abc import Callable, Iterable
from decimal import Decimal

import pytest

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.focus.detail_schema import DETAIL_COLUMNS
from cloudspend.convert.focus.schema import BILLING_DETAIL, COST_AND_USAGE
from cloudspend.convert.model import ConversionSummary, ConversionTask
from cloudspend.convert.task import convert_task
from conformance.bill import PAYER, PERIOD
from conformance.deliveries import cur_2
from tests.fakes.convert import FakeSink, FakeSource

Row = dict[str, str]
START, END = "line_item_usage_start_date", "line_item_usage_end_date"
INTERVAL = "identity_time_interval"


def bill() -> list[Row]:
    """The bill in hours, with resource ids, without split costs."""
    text = gzip.decompress(cur_2()).decode()
    return list(csv.DictReader(io.StringIO(text)))


def without(*columns: str) -> Callable[[Row], Row]:
    return lambda row: {name: text for name, text in row.items() if name not in columns}


def over(start: str, end: str) -> Callable[[Row], Row]:
    """Charged for a longer time than an hour, as daily and monthly tables have it."""
    return lambda row: {**row, START: start, END: end, INTERVAL: f"{start}/{end}"}


def with_columns(prefix: str, text: str) -> Callable[[Row], Row]:
    """The columns that an option adds, filled in the rows of instances."""
    added = [column for column in DETAIL_COLUMNS if column.name.startswith(prefix)]

    def widened(row: Row) -> Row:
        is_filled = row["line_item_operation"] == "RunInstances"
        values = {
            column.name: ("0.5" if column.type == "double" else text) if is_filled else ""
            for column in added
        }
        return {**row, **values}

    return widened


CONFIGURATIONS: dict[str, Callable[[Row], Row]] = {
    "hourly": lambda row: row,
    "daily": over("2026-10-05T00:00:00Z", "2026-10-06T00:00:00Z"),
    "monthly": over("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
    "without resource ids": without("line_item_resource_id"),
    "with split costs": with_columns("split_line_item_", "i-0123456789abcdef0"),
    "with capacity reservations": with_columns("capacity_reservation_", "arn:aws:ec2:cr-1"),
    "with the caller's identity": with_columns("line_item_iam_principal", "arn:aws:iam:role/x"),
    "for manual discounts": lambda row: {
        **without("discount")(row),
        "discount_total_discount": "-0.5",
        "discount_bundled_discount": "",
    },
    "without names of accounts": without("bill_payer_account_name", "line_item_usage_account_name"),
}


def converted(rows: Iterable[Row]) -> ConversionSummary:
    listed = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(listed[0]))
    writer.writeheader()
    writer.writerows(listed)
    source = FakeSource()
    file = source.put("bill.csv.gz", gzip.compress(text.getvalue().encode()))
    tables = (COST_AND_USAGE, BILLING_DETAIL)
    task = ConversionTask(
        PAYER, PERIOD, "20261103T063000Z-aaaaaaaa", 0, ExportKind.CUR_2_0, "gzip", (file,), tables
    )
    return convert_task(task, source, FakeSink())


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_a_bill_adds_up_to_the_same_in_every_configuration(configuration: str) -> None:
    found = converted(map(CONFIGURATIONS[configuration], bill()))
    assert found.unknown_columns == ()
    assert found.billed_cost == Decimal("2018.24525")
    assert found.effective_cost == Decimal("1240.38325")
    assert found.rows_read == len(bill())
