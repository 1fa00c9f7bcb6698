"""Cost by month, linked account and service, for the whole available history."""

from collections.abc import Iterator

from cloudspend.accounts.model import Account
from cloudspend.collect.calls import COST_AND_USAGE
from cloudspend.collect.model import Days, Granularity
from cloudspend.collect.source import HISTORY, Ask, Found, Source, table
from cloudspend.collect.sources.costs import (
    FIGURES,
    LINKED_ACCOUNT,
    SERVICE,
    SERVICE_NAME,
    SUB_ACCOUNT,
    read_costs,
)
from cloudspend.lake.tables import Column

# With multi-year data enabled (AWS Cost Management user guide, "Multi-year data").
MULTI_YEAR = 38


def read(ask: Ask, _: Account, asked: Days) -> Iterator[Found]:
    dimensions = {LINKED_ACCOUNT: SUB_ACCOUNT.name, SERVICE: SERVICE_NAME.name}
    return read_costs(ask, asked, "MONTHLY", dimensions, "month")


SOURCE = Source(
    name="monthly_services",
    table=table(
        "cost_explorer_monthly_services",
        "Cost Explorer's figures by month, linked account and service, as far back as the "
        "account has it: 13 months, or 38 where multi-year data are enabled",
        Granularity.MONTH,
        Column("month", "date", "The first day of the month, in UTC"),
        SUB_ACCOUNT,
        SERVICE_NAME,
        *FIGURES,
    ),
    grain=Granularity.MONTH,
    key=("sub_account_id", "service"),
    overlap=2,
    calls=(COST_AND_USAGE,),
    read=read,
    histories=(MULTI_YEAR, HISTORY),
    at_once=MULTI_YEAR + 1,
)
