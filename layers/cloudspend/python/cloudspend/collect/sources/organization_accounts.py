"""The accounts of an organization: name, e-mail domain, status, tags and place."""

from collections.abc import Iterator
from typing import Any

from cloudspend.accounts.model import Account
from cloudspend.collect.calls import ACCOUNT_TAGS, ACCOUNTS, ACCOUNTS_OF_UNIT, ROOTS, UNITS
from cloudspend.collect.model import Days, Grain
from cloudspend.collect.source import ORGANIZATION, Ask, Found, Source, table
from cloudspend.lake.tables import Column


def read(ask: Ask, _: Account, asked: Days) -> Iterator[Found]:
    paths = dict(_paths(ask))
    for page in ask(ACCOUNTS, {}):
        for member in page["Accounts"]:
            tags = {
                tag["Key"]: tag["Value"]
                for found in ask(ACCOUNT_TAGS, {"ResourceId": member["Id"]})
                for tag in found["Tags"]
            }
            yield asked.start, _row(member, paths.get(member["Id"]), tags)


def _paths(ask: Ask) -> Iterator[tuple[str, str]]:
    """Where each account stands, walked from the root: one call a unit, not several an account."""
    waiting = [(root["Id"], root["Name"]) for page in ask(ROOTS, {}) for root in page["Roots"]]
    while waiting:
        parent, path = waiting.pop()
        for page in ask(ACCOUNTS_OF_UNIT, {"ParentId": parent}):
            yield from ((member["Id"], path) for member in page["Accounts"])
        for page in ask(UNITS, {"ParentId": parent}):
            waiting += [
                (unit["Id"], f"{path}/{unit['Name']}") for unit in page["OrganizationalUnits"]
            ]


def _row(member: Any, path: str | None, tags: dict[str, str]) -> dict[str, Any]:
    """Of the e-mail address only the domain is kept: a person's name is nobody's business here."""
    return {
        "sub_account_id": member["Id"],
        "name": member["Name"],
        "email_domain": member["Email"].rpartition("@")[2].lower(),
        "status": member.get("State") or member.get("Status"),
        "joined_at": member.get("JoinedTimestamp"),
        "unit_path": path,
        "tags": tags,
    }


SOURCE = Source(
    name="organization_accounts",
    table=table(
        "organization_accounts",
        "The accounts of the organization",
        Grain.SNAPSHOT,
        Column("sub_account_id", "string", "The account"),
        Column("name", "string", "Its name"),
        Column("email_domain", "string", "The domain of its e-mail address, in small letters"),
        Column("status", "string", "ACTIVE, SUSPENDED and so on, as AWS names it"),
        Column("joined_at", "timestamp", "When it joined the organization, in UTC"),
        Column("unit_path", "string", "Where it stands, from the root on, as Root/Workloads"),
        Column("tags", "map<string,string>", "Its tags"),
    ),
    grain=Grain.SNAPSHOT,
    key=("sub_account_id",),
    overlap=1,
    calls=(ROOTS, ACCOUNTS_OF_UNIT, UNITS, ACCOUNTS, ACCOUNT_TAGS),
    read=read,
    types=ORGANIZATION,
)
