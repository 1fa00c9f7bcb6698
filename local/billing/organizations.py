"""AWS Organizations for the local cloud: one management account and its members.

`PUT /_local/world` with `{management, members: [{id, name, email}]}` sets an organization (again:
replaces it); the management account is one of the members. Accounts of no organization get
AWSOrganizationsNotInUseException. Any member may describe the organization; only the management
account may list and describe accounts (AWS Organizations user guide, "Actions available").
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.control import control
from local.services import Members, ServiceError

# AWS's default and largest page of ListAccounts.
PAGE_SIZE = 20
_JOINED = datetime(2024, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True)
class Member:
    """An account of an organization."""

    id: str
    name: str
    email: str


@dataclass(frozen=True)
class Organization:
    """A management account and all members, itself among them."""

    management: str
    members: tuple[Member, ...]

    @property
    def id(self) -> str:
        return f"o-{hashlib.sha256(self.management.encode()).hexdigest()[:10]}"

    def member(self, account: str) -> Member | None:
        return next((member for member in self.members if member.id == account), None)

    def arn_of(self, account: str) -> str:
        return f"arn:aws:organizations::{self.management}:account/{self.id}/{account}"


_organizations: dict[str, Organization] = {}


def clear() -> None:
    _organizations.clear()


def name_of(account: str) -> str:
    """The account's name in its organization, or nothing."""
    found = (organization.member(account) for organization in _organizations.values())
    return next((member.name for member in found if member), "")


@control("world")
def door(method: str, body: bytes) -> tuple[int, object]:
    """`PUT` sets an organization, `GET` lists all."""
    if method == "GET":
        return 200, [_as_told(organization) for organization in _organizations.values()]
    if method not in {"PUT", "POST"}:
        return 405, {"error": "Use GET or PUT."}
    try:
        organization = _read(json.loads(body))
    except (ValueError, KeyError, TypeError) as error:
        return 400, {"error": f"This is no organization: {error}"}
    _organizations[organization.management] = organization
    return 200, {"id": organization.id}


def describe_organization(account: str, _request: Members) -> Members:
    organization = _organization_of(account)
    management = organization.member(organization.management)
    prefix = f"arn:aws:organizations::{organization.management}"
    return {
        "Organization": {
            "Id": organization.id,
            "Arn": f"{prefix}:organization/{organization.id}",
            "FeatureSet": "ALL",
            "MasterAccountArn": organization.arn_of(organization.management),
            "MasterAccountId": organization.management,
            "MasterAccountEmail": management.email if management else "",
            "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
        }
    }


def list_accounts(account: str, request: Members) -> Members:
    organization = _managed_by(account)
    start = _start(request.get("NextToken", "0"))
    end = start + request.get("MaxResults", PAGE_SIZE)
    answer: dict[str, Any] = {
        "Accounts": [_account(organization, each) for each in organization.members[start:end]]
    }
    if end < len(organization.members):
        answer["NextToken"] = str(end)
    return answer


def describe_account(account: str, request: Members) -> Members:
    organization = _managed_by(account)
    member = organization.member(request["AccountId"])
    if member is None:
        raise ServiceError(
            "AccountNotFoundException", "You specified an account that doesn't exist."
        )
    return {"Account": _account(organization, member)}


HANDLERS = {
    "DescribeOrganization": describe_organization,
    "ListAccounts": list_accounts,
    "DescribeAccount": describe_account,
}


def _read(told: dict[str, Any]) -> Organization:
    members = tuple(Member(each["id"], each["name"], each["email"]) for each in told["members"])
    organization = Organization(told["management"], members)
    if organization.member(organization.management) is None:
        raise ValueError(f"the management account {organization.management} is no member")
    return organization


def _as_told(organization: Organization) -> dict[str, Any]:
    return {
        "management": organization.management,
        "members": [vars(member) for member in organization.members],
    }


def _organization_of(account: str) -> Organization:
    for organization in _organizations.values():
        if organization.member(account):
            return organization
    raise ServiceError(
        "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."
    )


def _managed_by(account: str) -> Organization:
    organization = _organization_of(account)
    if organization.management != account:
        raise ServiceError(
            "AccessDeniedException", "You don't have permissions to access this resource."
        )
    return organization


def _start(token: str) -> int:
    if not token.isdigit():
        raise ServiceError("InvalidInputException", "You provided an invalid NextToken.")
    return int(token)


def _account(organization: Organization, member: Member) -> Members:
    invited = member.id != organization.management
    return {
        "Id": member.id,
        "Arn": organization.arn_of(member.id),
        "Email": member.email,
        "Name": member.name,
        "Status": "ACTIVE",
        "State": "ACTIVE",
        "JoinedMethod": "CREATED" if invited else "INVITED",
        "JoinedTimestamp": _JOINED,
    }
