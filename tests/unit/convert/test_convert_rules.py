"""The rules by their tables."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.engine.columns import Column, Columns
from cloudspend.convert.engine.locations import FileLocator
from cloudspend.convert.engine.maps import TEXT
from cloudspend.convert.engine.rows import Rows
from cloudspend.convert.focus import rules
from cloudspend.convert.focus.amortization import Treatment, repeats_other_rows, treatment
from cloudspend.convert.focus.mapping import ARROW_SCHEMA, Target, copy
from cloudspend.convert.focus.mappings import MAPPINGS
from cloudspend.convert.focus.mappings.columns import layout
from cloudspend.convert.focus.names import column_key
from cloudspend.convert.focus.schema import COLUMNS, COST_AND_USAGE, SORT_ORDER
from cloudspend.convert.focus.services import SERVICES

LEGACY = MAPPINGS[ExportKind.CUR_LEGACY].tables[COST_AND_USAGE]


def test_a_column_beside_another_is_null_where_that_is() -> None:
    columns = {"name": ["web", "db", None], "id": ["i-1", None, "i-2"]}
    arrays = {name: pa.array(values, TEXT) for name, values in columns.items()}
    found = copy("name", unless_missing="id").make(
        Rows(arrays, 3, FileLocator("file", lambda row: row + 2))
    )
    assert found.to_pylist() == ["web", None, None]
    # Parquet would hold what no row has.
    assert found.dictionary.to_pylist() == ["web"]


@pytest.mark.parametrize(
    ("charge_type", "category", "frequency", "pricing"),
    [
        ("Usage", "Usage", "Usage-Based", "Standard"),
        ("DiscountedUsage", "Usage", "Usage-Based", "Committed"),
        ("SavingsPlanCoveredUsage", "Usage", "Usage-Based", "Committed"),
        ("RIFee", "Purchase", "Recurring", "Standard"),
        ("SavingsPlanRecurringFee", "Purchase", "Recurring", "Standard"),
        ("SavingsPlanUpfrontFee", "Purchase", "One-Time", "Standard"),
        ("Fee", "Purchase", "One-Time", "Standard"),
        ("FlatRateSubscription", "Purchase", "Recurring", "Standard"),
        ("Tax", "Tax", "One-Time", None),
        ("Credit", "Credit", "One-Time", None),
        ("Refund", "Adjustment", "One-Time", None),
        ("EdpDiscount", "Adjustment", "One-Time", None),
        ("SomethingNew", "Adjustment", "One-Time", None),
        (None, "Adjustment", "One-Time", None),
    ],
)
def test_charge_types_in_focus_words(
    charge_type: str | None, category: str, frequency: str, pricing: str | None
) -> None:
    assert rules.charge_category(charge_type) == category
    assert rules.charge_frequency(charge_type) == frequency
    assert rules.pricing_category(charge_type, "BoxUsage") == pricing


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (("Usage",), Treatment.AS_BILLED),
        (("Fee",), Treatment.AS_BILLED),
        (("Fee", "arn:reservation"), Treatment.NOTHING),
        (("Refund", None, "ComputeSavingsPlans"), Treatment.PLAN_REFUNDED),
        (("Refund", None, "AmazonEC2"), Treatment.AS_BILLED),
        (("SavingsPlanCoveredUsage",), Treatment.SAVINGS_PLAN_USED),
        (("SavingsPlanRecurringFee",), Treatment.SAVINGS_PLAN_UNUSED),
        (("SavingsPlanUpfrontFee",), Treatment.NOTHING),
        (("DiscountedUsage", "arn:reservation"), Treatment.RESERVATION_USED),
        (("RIFee", "arn:reservation"), Treatment.RESERVATION_UNUSED),
        (("SomethingNew",), Treatment.AS_BILLED),
        ((None,), Treatment.AS_BILLED),
    ],
)
def test_treatment(given_: tuple[str | None, ...], expected: Treatment) -> None:
    assert treatment(*given_) is expected


@pytest.mark.parametrize(
    ("charge_type", "operation", "expected"),
    [
        ("SavingsPlanNegation", "RunInstances", True),
        ("Usage", "EKSPod-EC2", True),
        ("Usage", "ECSTask-EC2", True),
        ("Usage", "RunInstances", False),
        ("SavingsPlanCoveredUsage", None, False),
    ],
)
def test_rows_that_repeat_cost(charge_type: str, operation: str | None, *, expected: bool) -> None:
    assert repeats_other_rows(charge_type, operation) is expected


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (None, None),
        ("i-0123456789abcdef0", "Instance"),
        ("vol-0123", "Volume"),
        ("arn:aws:lambda:eu-west-1:111111111111:function:shop", "function"),
        ("arn:aws:Route53:::hostedzone:Z0", "hostedzone"),
        ("arn:aws:s3:::a-bucket", "Compute Instance"),
        ("my-bucket", "Compute Instance"),
    ],
)
def test_resource_type(resource: str | None, expected: str | None) -> None:
    assert rules.resource_type(resource, "Compute Instance", "AmazonEC2") == expected


def test_small_rules() -> None:
    assert rules.charge_class("Refund", "Usage") == "Correction"
    assert rules.charge_class("Anniversary", "Refund") == "Correction"
    assert rules.charge_class("Anniversary", "Usage") is None
    assert rules.commitment_type("arn:r", None) == "Reserved Instance"
    assert rules.commitment_category(None, "arn:p") == "Spend"
    assert rules.commitment_status("RIFee", "arn:r", None) is None
    assert rules.commitment_status("DiscountedUsage", "arn:r", None) == "Used"
    assert rules.commitment_unit("SavingsPlanCoveredUsage", "Hrs", "USD") == "USD"
    assert rules.pricing_category("Usage", "EUC1-SpotUsage:m5.large") == "Dynamic"
    assert rules.publisher("AWS Marketplace", "A Seller") == "A Seller"
    assert rules.publisher("AWS", "Amazon Web Services EMEA SARL") == rules.AWS
    assert rules.region_name(None, None, "Any") is None
    assert rules.region_name(None, "eu-west-1", None) == "eu-west-1"
    assert rules.service_name(None, "AmazonS3") == "Amazon Simple Storage Service"
    assert rules.service_name(None, "NewThing") == "NewThing"
    assert rules.service_category("NewThing") == "Other"
    assert rules.service_name(None, None) == "AWS"


@pytest.mark.parametrize(
    ("unit", "name"),
    [
        ("Hrs", "Hours"),
        ("GB-Mo", "GB-Months"),
        ("vCPU-Hours", "vCPU-Hours"),
        ("Lambda-GB-Second", "Lambda GB-Seconds"),
        ("LCU-Hrs", "LCU-Hours"),
        ("Requests", "Requests"),
        ("1K Requests", "1K Requests"),
        ("", None),
        (None, None),
    ],
)
def test_units_in_focus_words(unit: str | None, name: str | None) -> None:
    assert rules.focus_unit(unit) == name


def test_a_meter_belongs_to_a_sku() -> None:
    assert rules.sku_meter("JG3HZ2T6XTHTUDQ7", "BoxUsage:m5.large") == "BoxUsage:m5.large"
    assert rules.sku_meter(None, "BoxUsage:m5.large") is None


def test_each_subcategory_has_one_category() -> None:
    found: dict[str, set[str]] = {}
    for service in SERVICES.values():
        found.setdefault(service.subcategory, set()).add(service.category)
    assert {kind: names for kind, names in found.items() if len(names) > 1} == {}


def test_every_column_is_made_once_and_no_other() -> None:
    made = [target.column.lower() for target in LEGACY.targets]
    made += [name.lower() for name in LEGACY.maps]
    assert sorted(made) == sorted(column.name for column in COLUMNS)
    assert ARROW_SCHEMA.names == [column.name for column in COLUMNS]
    assert set(SORT_ORDER) < set(ARROW_SCHEMA.names)
    assert all(target.source for target in LEGACY.targets)


class WatchedColumns(Columns):
    """Columns that remember which of them were asked for."""

    def __init__(self) -> None:
        super().__init__({name: Column.of(pa.array([text], TEXT)) for name, text in VALUES.items()})
        self.asked: set[str] = set()

    def name(self, name: str) -> str | None:
        self.asked.add(column_key(name))
        return super().name(name)


class WatchedRows(Rows):
    """Rows that seem to have every column."""

    def has(self, name: str) -> bool:
        return super().has(name) or True


VALUES = {
    "lineItem/UnblendedCost": "1",
    "lineItem/UsageAmount": "1",
    "lineItem/UsageStartDate": "2026-10-01T00:00:00Z",
    "lineItem/UsageEndDate": "2026-10-01T00:00:00Z",
    "bill/BillingPeriodStartDate": "2026-10-01T00:00:00Z",
    "bill/BillingPeriodEndDate": "2026-10-01T00:00:00Z",
}


@pytest.mark.parametrize("target", LEGACY.targets, ids=lambda target: str(target.column))
def test_a_rule_reads_what_it_declares(target: Target) -> None:
    """What a rule does not declare is not parsed, and would silently count as missing."""
    columns = WatchedColumns()
    target.rule.make(WatchedRows(columns, 1, FileLocator("file", int)))
    assert columns.asked <= {column_key(name) for name in target.rule.reads}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("lineItem/UnblendedCost", "line_item_unblended_cost"),
        ("savingsPlan/SavingsPlanARN", "savings_plan_savings_plan_a_r_n"),
        ("savingsPlan/SavingsPlanARN", "savingsPlan/SavingsPlanArn"),
        ("pricing/publicOnDemandCost", "pricing_public_on_demand_cost"),
    ],
)
def test_spellings_of_one_column(one: str, other: str) -> None:
    assert column_key(one) == column_key(other)


def test_columns_are_sorted_by_what_they_are() -> None:
    names = [
        "lineItem/UnblendedCost",
        "lineItem/BlendedCost",
        "resourceTags/user:Team",
        "resourceTags/user:team",
        "resourceTags/aws:createdBy",
        "costCategory/Charge type",
        "product/vcpu",
        "product/newAttribute",
        "lineItem/NewColumn",
        "novel/Column",
    ]
    found = layout(names, {column_key("lineItem/UnblendedCost")})
    assert [key for key, _ in found.tags.flat] == ["aws:createdBy", "user:Team", "user:team"]
    assert [key for key, _ in found.categories.flat] == ["Charge type"]
    assert [key for key, _ in found.products.flat] == ["new_attribute", "vcpu"]
    assert [key for key, _ in found.unknown] == ["lineItem/NewColumn", "novel/Column"]
    assert "lineItem/BlendedCost" not in found.wanted


def test_maps_of_cur_2_0_are_found_by_any_spelling() -> None:
    found = layout(["Resource_Tags", "tags", "cost_category", "product", "discount"], set())
    assert (found.tags.packed, found.labels.packed) == ("Resource_Tags", "tags")
    assert (found.categories.packed, found.products.packed) == ("cost_category", "product")
    assert found.discounts.packed == "discount"
    assert found.unknown == ()
    assert len(found.wanted) == 5


def test_a_column_in_two_spellings_is_known_once() -> None:
    found = layout(
        ["lineItem/Operation", "line_item_operation"], {column_key("lineItem/Operation")}
    )
    assert found.unknown == (("line_item_operation", "line_item_operation"),)


@given(st.text(max_size=20) | st.none())
def test_no_charge_type_is_taken_for_usage_but_usage(charge_type: str | None) -> None:
    assert (rules.charge_category(charge_type) == "Usage") == (charge_type in rules.USAGE)
