"""Recently used cost allocation tag keys of an account."""

from collections.abc import Iterator

from cloudspend.accounts.model import Account
from cloudspend.collect.calls import TAGS
from cloudspend.collect.model import Days, Granularity
from cloudspend.collect.source import Ask, Found, Source, table
from cloudspend.collect.window import month_after
from cloudspend.lake.tables import Column

MONTHS = 3


def read(ask: Ask, _: Account, asked: Days) -> Iterator[Found]:
    lately = Days(month_after(asked.start, -MONTHS), asked.end)
    for page in ask(TAGS, {"TimePeriod": lately.as_aws}):
        for key in page["Tags"]:
            yield asked.start, {"tag_key": key}


SOURCE = Source(
    name="tag_keys",
    table=table(
        "cost_allocation_tag_keys",
        "The keys of the cost allocation tags of the last three months",
        Granularity.SNAPSHOT,
        Column("tag_key", "string", "The key as Cost Explorer names it"),
    ),
    grain=Granularity.SNAPSHOT,
    key=("tag_key",),
    overlap=1,
    calls=(TAGS,),
    read=read,
)
