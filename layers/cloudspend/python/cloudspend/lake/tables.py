"""Tables of the lake as they are declared in Glue. No crawler decides a type."""

from dataclasses import dataclass

from cloudspend.accounts.model import Account
from cloudspend.convert.focus import schema
from cloudspend.convert.focus.detail_schema import DETAIL_COLUMNS
from cloudspend.convert.focus.names import tag_column
from cloudspend.convert.focus.schema import COLUMNS
from cloudspend.exports.model import BillingPeriod


@dataclass(frozen=True)
class Column:
    """A column with its Athena type (`string`, `double`, `map<string,string>`)."""

    name: str
    type: str
    comment: str = ""


@dataclass(frozen=True)
class Table:
    """A table of Parquet files. Its data is under `<lake>/<folder>/`, one folder per generation.

    The order of `partition_keys` is the order of a partition's values.
    """

    name: str
    columns: tuple[Column, ...]
    partition_keys: tuple[Column, ...]
    comment: str = ""
    folder: str = ""

    @property
    def data_folder(self) -> str:
        """Return the prefix in the lake bucket, without a trailing slash."""
        return self.folder or self.name


ACCOUNT_KEY = Column("account_id", "string", "The onboarded account that the bill belongs to")
PERIOD_KEY = Column("billing_period", "string", "The calendar month in UTC, as yyyy-mm")
GENERATION_KEY = Column("generation", "string", "The converted delivery; sorts by time of delivery")

_COST_COLUMNS = tuple(Column(column.name, column.type, column.comment) for column in COLUMNS)
_DETAIL_COLUMNS = tuple(
    Column(column.name, column.type, column.comment) for column in DETAIL_COLUMNS
)

COST_AND_USAGE = Table(
    name=schema.COST_AND_USAGE,
    columns=_COST_COLUMNS,
    partition_keys=(ACCOUNT_KEY, PERIOD_KEY),
    comment="Cost and usage in FOCUS 1.2; each period shows its published generation",
)
COST_AND_USAGE_GENERATIONS = Table(
    name="cost_and_usage_generations",
    columns=_COST_COLUMNS,
    partition_keys=(ACCOUNT_KEY, PERIOD_KEY, GENERATION_KEY),
    comment="Every checked generation of cost_and_usage, published or not",
    folder=COST_AND_USAGE.name,
)
BILLING_DETAIL = Table(
    name=schema.BILLING_DETAIL,
    columns=_DETAIL_COLUMNS,
    partition_keys=(ACCOUNT_KEY, PERIOD_KEY),
    comment="Line items in CUR 2.0's columns; the generation that cost_and_usage shows, where the "
    "account fills this table",
)
BILLING_DETAIL_GENERATIONS = Table(
    name="billing_detail_generations",
    columns=_DETAIL_COLUMNS,
    partition_keys=(ACCOUNT_KEY, PERIOD_KEY, GENERATION_KEY),
    comment="Every checked generation of billing_detail, published or not",
    folder=BILLING_DETAIL.name,
)
TABLES = (
    COST_AND_USAGE,
    COST_AND_USAGE_GENERATIONS,
    BILLING_DETAIL,
    BILLING_DETAIL_GENERATIONS,
)
# Tables for readers with one partition per billing period, and tables with one per generation.
PERIOD_TABLES = tuple(table for table in TABLES if GENERATION_KEY not in table.partition_keys)
GENERATION_TABLES = tuple(table for table in TABLES if GENERATION_KEY in table.partition_keys)


def tag_columns(table: Table, account: Account) -> tuple[Column, ...]:
    """Return the columns for the account's tags that `table` has beyond its declared ones."""
    if table.data_folder != COST_AND_USAGE.data_folder:
        return ()
    columns = {tag_column(key): key for key in account.tag_columns}
    return tuple(
        Column(name, schema.STRING, f"The tag {key}, of accounts that name it")
        for name, key in columns.items()
    )


def generation_prefix(folder: str, account_id: str, period: BillingPeriod, generation: str) -> str:
    """Return the prefix of a generation's objects in the lake bucket, with a trailing slash."""
    return f"{folder}/account_id={account_id}/billing_period={period}/generation={generation}/"


def period_values(account_id: str, period: BillingPeriod) -> tuple[str, ...]:
    """Return the partition values of PERIOD_TABLES."""
    return (account_id, str(period))


def generation_values(account_id: str, period: BillingPeriod, generation: str) -> tuple[str, ...]:
    """Return the partition values of GENERATION_TABLES."""
    return (account_id, str(period), generation)
