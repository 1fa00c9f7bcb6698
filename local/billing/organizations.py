"""AWS Organizations for the local cloud: one management account and its members.

`PUT /_local/world` with `{management, members: [{id, name, email, unit?, ...}], ...}` sets an
organization (again: replaces it); the management account is one of the members. `unit` is the path
of a member's organizational unit, as `Workloads/Production`; without one it is under the root.
`state` is AWS's (ACTIVE unless said otherwise), `joined` when the member came in, as ISO 8601.
`trusts_stack_sets` says that StackSets has trusted access, `delegated_administrators` which members
may operate them as well.
Accounts of no organization get AWSOrganizationsNotInUseException. Any member may describe the
organization; only the management account may list and describe its parts (AWS Organizations user
guide, "Actions available").
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, TypeVar

from local.control import control
from local.services import Members, ServiceError

# AWS's default and largest page of ListAccounts.
PAGE_SIZE = 20
Item = TypeVar("Item")
ACTIVE = "ACTIVE"
_JOINED = "2024-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Member:
    """An account of an organization."""

    id: str
    name: str
    email: str
    unit: str = ""
    state: str = ACTIVE
    joined: str = _JOINED
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Organization:
    """A management account and all members, itself among them."""

    management: str
    members: tuple[Member, ...]
    trusts_stack_sets: bool = False
    delegated_administrators: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"o-{_digest(self.management)[:10]}"

    @property
    def root(self) -> str:
        return f"r-{_digest(self.management)[:4]}"

    @property
    def units(self) -> list[str]:
        """The paths of all organizational units, those on the way to another among them."""
        paths = {member.unit for member in self.members if member.unit}
        steps = {"/".join(path.split("/")[:depth]) for path in paths for depth in range(1, 9)}
        return sorted(steps)

    def unit_id(self, path: str) -> str:
        """The id of the unit at `path`; the root's for none."""
        return f"ou-{self.root[2:]}-{_digest(self.management + path)[:8]}" if path else self.root

    def unit_of(self, parent: str) -> str:
        """The path of the unit or root whose id is `parent`. Raises ServiceError."""
        for path in ("", *self.units):
            if self.unit_id(path) == parent:
                return path
        raise ServiceError("ParentNotFoundException", "You specified parent that doesn't exist.")

    def member(self, account: str) -> Member | None:
        return next((member for member in self.members if member.id == account), None)

    def arn_of(self, account: str) -> str:
        return f"arn:aws:organizations::{self.management}:account/{self.id}/{account}"


_organizations: dict[str, Organization] = {}
# Called after each change, by each part that follows who joins and leaves.
WHEN_CHANGED: list[Callable[[], None]] = []


def clear() -> None:
    _organizations.clear()


def name_of(account: str) -> str:
    """The account's name in its organization, or nothing."""
    organization = find(account)
    member = organization.member(account) if organization else None
    return member.name if member else ""


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
    for follow in WHEN_CHANGED:
        follow()
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
    shown, token = _page(request, organization.members)
    return {"Accounts": [_account(organization, each) for each in shown], **token}


def list_roots(account: str, _request: Members) -> Members:
    organization = _managed_by(account)
    root = {
        "Id": organization.root,
        "Arn": f"arn:aws:organizations::{account}:root/{organization.id}/{organization.root}",
        "Name": "Root",
        "PolicyTypes": [],
    }
    return {"Roots": [root]}


def list_units(account: str, request: Members) -> Members:
    """The units right below a parent."""
    organization = _managed_by(account)
    above = organization.unit_of(request["ParentId"])
    below = [path for path in organization.units if path.rpartition("/")[0] == above]
    shown, token = _page(request, below)
    return {"OrganizationalUnits": [_unit(organization, path) for path in shown], **token}


def list_accounts_for_parent(account: str, request: Members) -> Members:
    """The accounts right below a parent."""
    organization = _managed_by(account)
    path = organization.unit_of(request["ParentId"])
    shown, token = _page(request, [each for each in organization.members if each.unit == path])
    return {"Accounts": [_account(organization, each) for each in shown], **token}


def list_tags(account: str, request: Members) -> Members:
    organization = _managed_by(account)
    member = organization.member(request["ResourceId"])
    if member is None:
        raise ServiceError("TargetNotFoundException", "We can't find a target with that id.")
    tags = [{"Key": key, "Value": value} for key, value in sorted(member.tags.items())]
    shown, token = _page(request, tags)
    return {"Tags": list(shown), **token}


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
    "ListRoots": list_roots,
    "ListOrganizationalUnitsForParent": list_units,
    "ListAccountsForParent": list_accounts_for_parent,
    "ListTagsForResource": list_tags,
}


def _read(stated: dict[str, Any]) -> Organization:
    members = tuple(Member(**each) for each in stated["members"])
    organization = Organization(
        stated["management"],
        members,
        bool(stated.get("trusts_stack_sets")),
        tuple(stated.get("delegated_administrators", ())),
    )
    if organization.member(organization.management) is None:
        raise ValueError(f"the management account {organization.management} is no member")
    return organization


def _as_told(organization: Organization) -> dict[str, Any]:
    stated = asdict(organization) | {"members": [_said(each) for each in organization.members]}
    return {name: value for name, value in stated.items() if value}


def _said(member: Member) -> dict[str, Any]:
    """What of a member is not as it goes without saying."""
    return {
        one.name: getattr(member, one.name)
        for one in fields(Member)
        if getattr(member, one.name) != one.default and getattr(member, one.name) != {}
    }


def find(account: str) -> Organization | None:
    """The organization that the account is a member of, if there is one."""
    found = (one for one in _organizations.values() if one.member(account))
    return next(found, None)


def _organization_of(account: str) -> Organization:
    organization = find(account)
    if organization:
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


def _page(request: Members, items: Sequence[Item]) -> tuple[Sequence[Item], dict[str, str]]:
    """The page that `request` asks for, and the token of the next one where there is one."""
    start = _start(request.get("NextToken", "0"))
    end = start + request.get("MaxResults", PAGE_SIZE)
    return items[start:end], {"NextToken": str(end)} if end < len(items) else {}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _unit(organization: Organization, path: str) -> Members:
    unit = organization.unit_id(path)
    return {
        "Id": unit,
        "Arn": f"arn:aws:organizations::{organization.management}:ou/{organization.id}/{unit}",
        "Name": path.rpartition("/")[2],
    }


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
        # Not `Status`, which AWS retired on 2026-09-09 in favour of `State`.
        "State": member.state,
        "JoinedMethod": "CREATED" if invited else "INVITED",
        "JoinedTimestamp": datetime.fromisoformat(member.joined).timestamp(),
    }
