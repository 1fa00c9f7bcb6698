"""Columns of `billing_detail`: those of CUR 2.0, with its names and types.

Names follow the table dictionary "Cost and Usage Report (CUR) 2.0" (AWS Data Exports user guide),
in its order of groups. Doubles and timestamps are as in the manifests of exports. Columns that only
a table configuration adds are null where the export lacks them. Values without a CUR 2.0 column go
to `x_other`. This module imports no engine code.
"""

from cloudspend.convert.focus.schema import (
    DOUBLE,
    NUMBER_MAP,
    STRING,
    TEXT_MAP,
    TIMESTAMP,
    Column,
)


def _columns(prefix: str, type_: str, names: str, comment: str) -> tuple[Column, ...]:
    """Return columns of one type; `names` are separated by blanks and get `prefix`."""
    return tuple(Column(f"{prefix}_{name}", type_, True, comment) for name in names.split())


def _map(name: str, type_: str, comment: str) -> Column:
    return Column(name, type_, True, comment)


BILL = (
    *_columns("bill", STRING, "bill_type billing_entity", "Bill that the line item is on"),
    *_columns(
        "bill",
        TIMESTAMP,
        "billing_period_end_date billing_period_start_date",
        "Bounds of the billing period, in UTC",
    ),
    *_columns(
        "bill",
        STRING,
        "invoice_id invoicing_entity payer_account_id payer_account_name",
        "Bill that the line item is on",
    ),
)
CAPACITY_RESERVATION = _columns(
    "capacity_reservation",
    STRING,
    "capacity_reservation_arn capacity_reservation_status capacity_reservation_type",
    "Capacity reservation; with INCLUDE_CAPACITY_RESERVATION_DATA",
)
DISCOUNT = (
    _map("discount", NUMBER_MAP, "Discounts by kind; not with manual discount compatibility"),
    *_columns("discount", DOUBLE, "bundled_discount total_discount", "Discounts of the line item"),
)
IDENTITY = _columns("identity", STRING, "line_item_id time_interval", "Which line item it is")
LINE_ITEM = (
    *_columns("line_item", STRING, "availability_zone", "Zone of the usage"),
    *_columns("line_item", DOUBLE, "blended_cost", "Cost at the organization's blended rate"),
    *_columns(
        "line_item",
        STRING,
        "blended_rate currency_code iam_principal legal_entity line_item_description "
        "line_item_type",
        "The line item as AWS writes it",
    ),
    *_columns("line_item", DOUBLE, "net_unblended_cost", "Unblended cost after discounts"),
    *_columns("line_item", STRING, "net_unblended_rate", "Rate after discounts"),
    *_columns(
        "line_item",
        DOUBLE,
        "normalization_factor normalized_usage_amount",
        "Size of the instance against its family's unit",
    ),
    *_columns(
        "line_item",
        STRING,
        "operation product_code resource_id tax_type",
        "The line item as AWS writes it",
    ),
    *_columns("line_item", DOUBLE, "unblended_cost", "Cost as invoiced; all rows add up to it"),
    *_columns(
        "line_item",
        STRING,
        "unblended_rate usage_account_id usage_account_name",
        "The line item as AWS writes it",
    ),
    *_columns("line_item", DOUBLE, "usage_amount", "How much was used, in pricing_unit"),
    *_columns(
        "line_item", TIMESTAMP, "usage_end_date usage_start_date", "Bounds of the usage, in UTC"
    ),
    *_columns("line_item", STRING, "usage_type user_identifier", "The line item as AWS writes it"),
)
PRICING = (
    *_columns(
        "pricing",
        STRING,
        "currency lease_contract_length offering_class",
        "The price that applies",
    ),
    *_columns("pricing", DOUBLE, "public_on_demand_cost", "Cost at the public on-demand rate"),
    *_columns(
        "pricing",
        STRING,
        "public_on_demand_rate purchase_option rate_code rate_id term unit",
        "The price that applies",
    ),
)
PRODUCT = (
    _map("product", TEXT_MAP, "Attributes of the product that have no column of their own"),
    *_columns(
        "product",
        STRING,
        "comment fee_code fee_description from_location from_location_type from_region_code "
        "instance_family instance_type instancesku location location_type operation pricing_unit "
        "product_family region_code servicecode sku to_location to_location_type to_region_code "
        "usagetype",
        "Attribute of the product, from AWS's price list",
    ),
)
RESERVATION = (
    *_columns(
        "reservation",
        DOUBLE,
        "amortized_upfront_cost_for_usage amortized_upfront_fee_for_billing_period",
        "Amortized cost of a reservation",
    ),
    *_columns("reservation", STRING, "availability_zone", "Zone of the reservation"),
    *_columns("reservation", DOUBLE, "effective_cost", "Amortized cost of the reserved usage"),
    *_columns("reservation", STRING, "end_time modification_status", "The reservation"),
    *_columns(
        "reservation",
        DOUBLE,
        "net_amortized_upfront_cost_for_usage net_amortized_upfront_fee_for_billing_period "
        "net_effective_cost net_recurring_fee_for_usage "
        "net_unused_amortized_upfront_fee_for_billing_period net_unused_recurring_fee "
        "net_upfront_value",
        "Cost of a reservation after discounts",
    ),
    *_columns(
        "reservation",
        STRING,
        "normalized_units_per_reservation number_of_reservations",
        "The reservation",
    ),
    *_columns("reservation", DOUBLE, "recurring_fee_for_usage", "Fee's part of reserved usage"),
    *_columns(
        "reservation",
        STRING,
        "reservation_a_r_n start_time subscription_id total_reserved_normalized_units "
        "total_reserved_units units_per_reservation",
        "The reservation",
    ),
    *_columns(
        "reservation",
        DOUBLE,
        "unused_amortized_upfront_fee_for_billing_period unused_normalized_unit_quantity "
        "unused_quantity unused_recurring_fee upfront_value",
        "What of a reservation was not used, and what was paid upfront",
    ),
)
SAVINGS_PLAN = (
    *_columns(
        "savings_plan",
        DOUBLE,
        "amortized_upfront_commitment_for_billing_period",
        "Upfront payment's part of the billing period",
    ),
    *_columns("savings_plan", STRING, "end_time instance_type_family", "The savings plan"),
    *_columns(
        "savings_plan",
        DOUBLE,
        "net_amortized_upfront_commitment_for_billing_period "
        "net_recurring_commitment_for_billing_period net_savings_plan_effective_cost",
        "Cost of a savings plan after discounts",
    ),
    *_columns(
        "savings_plan",
        STRING,
        "offering_type payment_option purchase_term",
        "The savings plan",
    ),
    *_columns(
        "savings_plan",
        DOUBLE,
        "recurring_commitment_for_billing_period",
        "Recurring part of the commitment",
    ),
    *_columns("savings_plan", STRING, "region savings_plan_a_r_n", "The savings plan"),
    *_columns(
        "savings_plan",
        DOUBLE,
        "savings_plan_effective_cost savings_plan_rate",
        "Cost and rate of the covered usage",
    ),
    *_columns("savings_plan", STRING, "start_time", "The savings plan"),
    *_columns(
        "savings_plan",
        DOUBLE,
        "total_commitment_to_date used_commitment",
        "Commitment so far, and how much of it was used",
    ),
)
SPLIT_LINE_ITEM = (
    *_columns(
        "split_line_item",
        DOUBLE,
        "actual_usage net_split_cost net_unused_cost",
        "Share of an ECS task or a Kubernetes pod",
    ),
    *_columns("split_line_item", STRING, "parent_resource_id", "Instance that the share is of"),
    *_columns(
        "split_line_item",
        DOUBLE,
        "public_on_demand_split_cost public_on_demand_unused_cost reserved_usage split_cost "
        "split_usage split_usage_ratio unused_cost",
        "Share of an ECS task or a Kubernetes pod",
    ),
)

DETAIL_COLUMNS: tuple[Column, ...] = (
    *BILL,
    *CAPACITY_RESERVATION,
    _map("cost_category", TEXT_MAP, "Cost categories by name"),
    *DISCOUNT,
    *IDENTITY,
    *LINE_ITEM,
    *PRICING,
    *PRODUCT,
    *RESERVATION,
    _map("resource_tags", TEXT_MAP, "Resource tags: user_<key> and aws_<key>"),
    *SAVINGS_PLAN,
    *SPLIT_LINE_ITEM,
    _map("tags", TEXT_MAP, "Tags of all sources, each under its source's prefix"),
    _map("x_other", TEXT_MAP, "Columns that CUR 2.0 lacks, and values of another type"),
)
