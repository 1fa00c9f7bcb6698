"""Cost by day, linked account and service."""

from collections.abc import Iterator

from cloudspend.accounts.model import Account
from cloudspend.collect.calls import COST_AND_USAGE
from cloudspend.collect.model import Days, Granularity
from cloudspend.collect.source import Ask, Found, Source, table
from cloudspend.collect.sources.costs import (
    FIGURES,
    LINKED_ACCOUNT,
    SERVICE,
    SERVICE_NAME,
    SUB_ACCOUNT,
    read_costs,
)
from cloudspend.lake.tables import Column


def read(ask: Ask, _: Account, asked: Days) -> Iterator[Found]:
    dimensions = {LINKED_ACCOUNT: SUB_ACCOUNT.name, SERVICE: SERVICE_NAME.name}
    return read_costs(ask, asked, "DAILY", dimensions, "usage_date")


SOURCE = Source(
    name="daily_services",
    table=table(
        "cost_explorer_daily_services",
        "Cost Explorer's figures by day, linked account and service",
        Granularity.DAY,
        Column("usage_date", "date", "The day, in UTC"),
        SUB_ACCOUNT,
        SERVICE_NAME,
        *FIGURES,
    ),
    grain=Granularity.DAY,
    key=("sub_account_id", "service"),
    # A bill changes for about two weeks after its month (AWS Cost Management user guide).
    overlap=14,
    calls=(COST_AND_USAGE,),
    read=read,
)
