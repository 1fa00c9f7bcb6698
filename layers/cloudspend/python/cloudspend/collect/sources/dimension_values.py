"""Recent services, linked accounts and charge types of an account."""

from collections.abc import Iterator

from cloudspend.accounts.model import Account
from cloudspend.collect.calls import DIMENSION_VALUES
from cloudspend.collect.model import Days, Granularity
from cloudspend.collect.source import Ask, Found, Source, table
from cloudspend.collect.sources.costs import LINKED_ACCOUNT, RECORD_TYPE, SERVICE
from cloudspend.collect.window import month_after
from cloudspend.lake.tables import Column

DIMENSIONS = (SERVICE, LINKED_ACCOUNT, RECORD_TYPE)
MONTHS = 3


def read(ask: Ask, _: Account, asked: Days) -> Iterator[Found]:
    lately = Days(month_after(asked.start, -MONTHS), asked.end)
    for dimension in DIMENSIONS:
        question = {
            "TimePeriod": lately.as_aws,
            "Dimension": dimension,
            "Context": "COST_AND_USAGE",
        }
        for page in ask(DIMENSION_VALUES, question):
            for found in page["DimensionValues"]:
                yield (
                    asked.start,
                    {
                        "dimension": dimension,
                        "value": found["Value"],
                        "description": found.get("Attributes", {}).get("description"),
                    },
                )


SOURCE = Source(
    name="dimension_values",
    table=table(
        "cost_explorer_dimension_values",
        "The services, linked accounts and charge types of the last three months, as Cost Explorer "
        "names them",
        Granularity.SNAPSHOT,
        Column("dimension", "string", "SERVICE, LINKED_ACCOUNT or RECORD_TYPE"),
        Column("value", "string", "The value"),
        Column("description", "string", "A linked account's name; null for the others"),
    ),
    grain=Granularity.SNAPSHOT,
    key=("dimension", "value"),
    overlap=1,
    calls=(DIMENSION_VALUES,),
    read=read,
)
