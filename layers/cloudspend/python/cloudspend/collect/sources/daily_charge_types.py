"""Cost by day, linked account and charge type (Cost Explorer's record type)."""

from collections.abc import Iterator

from cloudspend.accounts.model import Account
from cloudspend.collect.calls import COST_AND_USAGE
from cloudspend.collect.model import Days, Granularity
from cloudspend.collect.source import Ask, Found, Source, table
from cloudspend.collect.sources.costs import (
    CHARGE_TYPE,
    FIGURES,
    LINKED_ACCOUNT,
    RECORD_TYPE,
    SUB_ACCOUNT,
    read_costs,
)
from cloudspend.lake.tables import Column


def read(ask: Ask, _: Account, asked: Days) -> Iterator[Found]:
    dimensions = {LINKED_ACCOUNT: SUB_ACCOUNT.name, RECORD_TYPE: CHARGE_TYPE.name}
    return read_costs(ask, asked, "DAILY", dimensions, "usage_date")


SOURCE = Source(
    name="daily_charge_types",
    table=table(
        "cost_explorer_daily_charge_types",
        "Cost Explorer's figures by day, linked account and charge type",
        Granularity.DAY,
        Column("usage_date", "date", "The day, in UTC"),
        SUB_ACCOUNT,
        CHARGE_TYPE,
        *FIGURES,
    ),
    grain=Granularity.DAY,
    key=("sub_account_id", "charge_type"),
    overlap=14,
    calls=(COST_AND_USAGE,),
    read=read,
)
