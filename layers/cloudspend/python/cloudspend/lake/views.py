"""Views for analysts: SQL in `sql/views/*.sql`, and the columns of each view.

They are declared in Glue in Athena's own form: statement and columns as JSON, in base64, in a
comment (Trino, `HiveViewReader`). Deployment needs no query.
"""

import base64
import json
from dataclasses import dataclass
from importlib.resources import files

from cloudspend.lake.tables import ACCOUNT_KEY, BILLING_DETAIL, PERIOD_KEY, Column
from cloudspend.settings import DATABASE

CATALOG = "awsdatacatalog"
# Glue's type names, and Trino's where they differ.
TRINO_TYPES = {
    "string": "varchar",
    "int": "integer",
    "timestamp": "timestamp(3)",
    "map<string,string>": "map(varchar, varchar)",
    "map<string,double>": "map(varchar, double)",
}
# Attributes of AWS's price list that are keys of the map `product` and were columns in the legacy
# report ("Migrating from CUR to Data Exports CUR 2.0", AWS Data Exports user guide).
_ATTRIBUTES = (
    "alarm_type availability availability_zone cache_engine capacitystatus category "
    "classicnetworkingsupport clock_speed current_generation database_engine "
    "dedicated_ebs_throughput deployment_option description durability ecu edition engine_code "
    "enhanced_networking_supported event_type free_query_types gpu_memory group "
    "group_description instance_type_family license_model logs_destination marketoption "
    "max_iops_burst_performance max_iopsvolume max_throughputvolume max_volume_size memory "
    "memory_gib message_delivery_frequency message_delivery_order min_volume_size "
    "network_performance normalization_size_factor operating_system physical_processor "
    "pre_installed_sw processor_architecture processor_features product_name product_type "
    "provider queue_type region request_type servicename standard_group storage storage_class "
    "storage_media subscription_type tenancy transfer_type usage_group vcpu version "
    "volume_api_name volume_type vpcnetworkingsupport"
)
PRODUCT_ATTRIBUTES = tuple(_ATTRIBUTES.split())

_BILLED = Column("billed_cost", "double", "What is invoiced")
_EFFECTIVE = Column("effective_cost", "double", "Amortized cost")
OTHER = "x_other"
_CURRENCY = Column("currency", "string", "ISO 4217 currency of the costs")


def _report_columns() -> tuple[Column, ...]:
    """Return the columns of AWS's own report, of both versions."""
    attributes = (
        Column(f"product_{key}", "string", f"product['{key}'], as the legacy report has it")
        for key in PRODUCT_ATTRIBUTES
    )
    return (
        *(column for column in BILLING_DETAIL.columns if column.name != OTHER),
        *attributes,
        ACCOUNT_KEY,
        PERIOD_KEY,
        Column("year", "string", "The year of the billing period, as the legacy report has it"),
        Column("month", "string", "Its month, without a leading zero"),
    )


@dataclass(frozen=True)
class View:
    """A view of the database `cloudspend`; the columns are those of its statement, in order."""

    name: str
    comment: str
    columns: tuple[Column, ...]

    @property
    def sql(self) -> str:
        """Return the statement in Athena's dialect."""
        place = files("cloudspend.lake") / "sql" / "views" / f"{self.name}.sql"
        return place.read_text("utf-8").strip()

    @property
    def original_text(self) -> str:
        """Return Glue's ViewOriginalText."""
        body = {
            "originalSql": self.sql,
            "catalog": CATALOG,
            "schema": DATABASE,
            "columns": [
                {"name": column.name, "type": TRINO_TYPES.get(column.type, column.type)}
                for column in self.columns
            ],
        }
        return f"/* Presto View: {base64.b64encode(json.dumps(body).encode()).decode()} */"


VIEWS = (
    View(
        name="cost_by_service_daily",
        comment="Cost by day (UTC), linked account and service of each published period",
        columns=(
            ACCOUNT_KEY,
            PERIOD_KEY,
            Column("usage_date", "date", "Day in UTC on which the charge period starts"),
            Column("sub_account_id", "string", "The linked account"),
            Column("service", "string", "The service's name"),
            _BILLED,
            _EFFECTIVE,
            _CURRENCY,
        ),
    ),
    View(
        name="cost_by_account_monthly",
        comment="Cost by billing period and linked account",
        columns=(
            ACCOUNT_KEY,
            PERIOD_KEY,
            Column("sub_account_id", "string", "The linked account"),
            _BILLED,
            _EFFECTIVE,
            _CURRENCY,
        ),
    ),
    View(
        name="cost_with_estimates",
        comment="Cost by billing period, linked account and service; months whose bill is not here "
        "are Cost Explorer's, and an estimate until it is",
        columns=(
            ACCOUNT_KEY,
            PERIOD_KEY,
            Column("sub_account_id", "string", "The linked account"),
            Column("service", "string", "The service's name; of an estimate, Cost Explorer's"),
            Column("billed_cost", "double", "What is invoiced; of an estimate, UnblendedCost"),
            Column("effective_cost", "double", "Amortized cost; of an estimate, NetAmortizedCost"),
            _CURRENCY,
            Column("estimate", "boolean", "Whether Cost Explorer says so, and no bill yet"),
        ),
    ),
    View(
        name="billing_periods",
        comment="Each published period: generation, certification and totals",
        columns=(
            ACCOUNT_KEY,
            PERIOD_KEY,
            Column("generation", "string", "The published generation"),
            Column("certification", "string", "certified, provisional or disputed"),
            Column("reason", "string", "Why, as a sentence"),
            Column("row_count", "bigint", "Rows"),
            _BILLED,
            _EFFECTIVE,
            Column("cost_explorer_unblended", "double", "UnblendedCost in Cost Explorer"),
            Column("explained", "double", "What rules explain of the difference, billed"),
            Column("residual", "double", "Sum of the absolute residuals of all cells"),
            Column("services_missing", "string", "Services that only Cost Explorer has"),
            Column("accounts_missing", "string", "Linked accounts that only Cost Explorer has"),
            Column("newest_charge", "string", "The last day within the period that has a charge"),
            Column("fresh", "boolean", "Whether that is within the account's target"),
            Column("doubts", "string", "What of its rows a person should look at"),
            _CURRENCY,
            Column("reconciled_at", "timestamp", "When it was compared, in UTC"),
        ),
    ),
    View(
        name="cost_and_usage_report",
        comment="billing_detail for queries that were written for AWS's own CUR, legacy or 2.0",
        columns=_report_columns(),
    ),
)
