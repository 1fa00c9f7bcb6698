"""Accounts of an organization: name, e-mail domain, status, tags and organizational unit."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from cloudspend.accounts.members import OrganizationAccount, refresh
from cloudspend.accounts.model import Account
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.alerts.event import Bus
from cloudspend.collect.calls import (
    ACCOUNT_TAGS,
    ACCOUNTS,
    ACCOUNTS_OF_UNIT,
    OWN_ORGANIZATION,
    ROOTS,
    UNITS,
)
from cloudspend.collect.model import Days, Granularity
from cloudspend.collect.source import ORGANIZATION, Ask, Found, Row, Source, table
from cloudspend.errors import CustomerActionError
from cloudspend.lake.tables import Column


def read(ask: Ask, account: Account, asked: Days) -> Iterator[Found]:
    """Yield the accounts. Raises CustomerActionError when the account is not the organization's
    management account: the list would be another organization's, or empty.
    """
    [described] = ask(OWN_ORGANIZATION, {})
    management = described["Organization"]["MasterAccountId"]
    if management != account.account_id:
        raise CustomerActionError(
            f"{account.account_id} is a member of the organization whose management account is "
            f"{management}; it does not manage one (any more).",
            remedy=f"Invite {management} as ORGANIZATION, and offboard {account.account_id} once "
            "that is active.",
        )
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
    """Yield each account's path, walking from the root: one call per unit instead of several per
    account.
    """
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
    """Return the row of an account. Only the domain of the e-mail address is kept, for privacy."""
    joined = member.get("JoinedTimestamp")
    return {
        "sub_account_id": member["Id"],
        "name": member["Name"],
        "email_domain": member["Email"].rpartition("@")[2].lower(),
        # `State` has replaced `Status`, which AWS retired on 2026-09-09.
        "status": member.get("State") or member["Status"],
        "joined_at": joined and joined.astimezone(UTC),
        "unit_path": path,
        "tags": tags,
    }


def on_rows(
    account: Account, rows: Sequence[Row], registry: AccountRegistry, bus: Bus, now: datetime
) -> None:
    """Publish members that joined or left since the previous list, and save them."""
    listed = [
        # AWS omits the time of an account that is being created.
        OrganizationAccount(
            row["sub_account_id"], row["name"], row["status"], row["joined_at"] or now
        )
        for row in rows
    ]
    refresh(account, listed, registry, bus, now)


SOURCE = Source(
    name="organization_accounts",
    table=table(
        "organization_accounts",
        "The accounts of the organization",
        Granularity.SNAPSHOT,
        Column("sub_account_id", "string", "The account"),
        Column("name", "string", "Its name"),
        Column("email_domain", "string", "The domain of its e-mail address, in small letters"),
        Column("status", "string", "ACTIVE, SUSPENDED and so on, as AWS names it"),
        Column("joined_at", "timestamp", "When it joined the organization, in UTC"),
        Column("unit_path", "string", "Where it is, from the root on, as Root/Workloads"),
        Column("tags", "map<string,string>", "Its tags"),
    ),
    grain=Granularity.SNAPSHOT,
    key=("sub_account_id",),
    overlap=1,
    calls=(OWN_ORGANIZATION, ROOTS, ACCOUNTS_OF_UNIT, UNITS, ACCOUNTS, ACCOUNT_TAGS),
    read=read,
    types=ORGANIZATION,
    learn=on_rows,
)
