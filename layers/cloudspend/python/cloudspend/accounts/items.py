"""Registry items of accounts, checks, registrations, history and members."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from cloudspend.accounts.model import (
    Account,
    AccountState,
    AccountType,
    Change,
    Check,
    CheckStatus,
    Export,
    ExportKind,
    KeyFacts,
    Member,
)
from cloudspend.accounts.ports import Registration

PROFILE = "PROFILE"
NAME = "NAME"
CHECK = "CHECK#"
REGISTRATION = "REGISTRATION#"
HISTORY = "HISTORY#"
MEMBER = "MEMBER#"
REFUSALS = "REFUSALS"
# Time to live in seconds since 1970. A count is not needed after its hour.
DELETE_AFTER = "delete_after"
REFUSALS_KEPT = timedelta(days=1)
# Values of fields that items of earlier versions do not have.
ITEM_DEFAULTS = {"partition": "aws", "owner": "", "cost_centre": "", "notes": ""}

Item = Mapping[str, Any]


def account_key(account_id: str, sort_key: str) -> dict[str, str]:
    """Return the key of an account's item."""
    return {"pk": f"ACCOUNT#{account_id}", "sk": sort_key}


def refusals_key(hour: datetime) -> dict[str, str]:
    """Return the key of the counter of refused registrations in an hour."""
    return {"pk": REFUSALS, "sk": hour.isoformat()}


def name_key(account: Account) -> dict[str, str]:
    """Return the key that reserves a display name, independent of case."""
    return {"pk": f"NAME#{account.display_name.casefold()}", "sk": NAME}


def from_account(account: Account) -> dict[str, Any]:
    """Return the item of an account. `kind` adds it to the index of all accounts."""
    return {
        **account_key(account.account_id, PROFILE),
        "kind": PROFILE,
        **asdict(account),
        "type": account.type.value,
        "state": account.state.value,
        "regions": list(account.regions),
        "tag_columns": list(account.tag_columns),
        "contacts": list(account.contacts),
        "export": asdict(account.export) | {"kind": account.export.kind.value},
        "start_date": account.start_date.isoformat(),
        "invited_at": account.invited_at.isoformat(),
        "expires_at": account.expires_at.isoformat(),
        "last_change": account.last_change and _plain(account.last_change),
        "activated_at": _iso(account.activated_at),
        "key": None if account.key is None else _from_key(account.key),
    }


def to_account(item: Item) -> Account:
    """Return the account of a PROFILE item."""
    months, export = item["retention_months"], item["export"]
    kind = ExportKind(export["kind"])
    return Account(
        account_id=item["account_id"],
        display_name=item["display_name"],
        type=AccountType(item["type"]),
        regions=tuple(item["regions"]),
        start_date=date.fromisoformat(item["start_date"]),
        retention_months=None if months is None else int(months),
        export=Export(kind, export["bucket"], export["prefix"], export["name"]),
        external_id=item["external_id"],
        state=AccountState(item["state"]),
        invited_at=datetime.fromisoformat(item["invited_at"]),
        expires_at=datetime.fromisoformat(item["expires_at"]),
        token_sha256=item["token_sha256"],
        role_arn=item["role_arn"],
        state_reason=item["state_reason"],
        stack_id=item["stack_id"],
        request_id=item["request_id"],
        # Items from before the choice existed do not have these.
        billing_detail=item.get("billing_detail", kind.is_cur),
        tag_columns=tuple(item.get("tag_columns", ())),
        kms_key_arn=item.get("kms_key_arn"),
        template_version=item.get("template_version"),
        last_change=_change(item.get("last_change")),
        activated_at=_time(item.get("activated_at")),
        key=_to_key(item["key"]) if item.get("key") else None,
        **{name: item.get(name, value) for name, value in ITEM_DEFAULTS.items()},
        contacts=tuple(item.get("contacts", ())),
        fresh_hours=None if item.get("fresh_hours") is None else int(item["fresh_hours"]),
        covered_by=item.get("covered_by"),
        move_coverage=item.get("move_coverage", False),
    )


def from_change(account_id: str, change: Change) -> dict[str, Any]:
    """Return the item of a history entry. Its key contains the number, so no entry can replace
    another.
    """
    return {**account_key(account_id, f"{HISTORY}{change.number:06d}"), **_plain(change)}


def to_change(item: Item) -> Change:
    """Return the history entry of a HISTORY# item."""
    return Change(
        number=int(item["number"]),
        before=AccountState(item["before"]) if item["before"] else None,
        after=AccountState(item["after"]),
        at=datetime.fromisoformat(item["at"]),
        by=item["by"],
        reason=item["reason"],
    )


def from_member(organization_id: str, member: Member) -> dict[str, Any]:
    """Return the item of a member. `kind` adds it to the index, which finds a member's
    organizations.
    """
    return {
        **account_key(organization_id, MEMBER + member.account_id),
        "kind": MEMBER + member.account_id,
        **asdict(member),
        "joined_at": member.joined_at.isoformat(),
        "seen_at": member.seen_at.isoformat(),
        "left_at": _iso(member.left_at),
    }


def to_member(item: Item) -> Member:
    """Return the member of a MEMBER# item."""
    return Member(
        account_id=item["account_id"],
        name=item["name"],
        status=item["status"],
        joined_at=datetime.fromisoformat(item["joined_at"]),
        seen_at=datetime.fromisoformat(item["seen_at"]),
        left_at=_time(item["left_at"]),
    )


def organization_of(item: Item) -> str:
    """Return the id of the organization of a MEMBER# item."""
    return str(item["pk"]).removeprefix("ACCOUNT#")


def from_check(account_id: str, check: Check) -> dict[str, Any]:
    """Return the item of a check; a newer result replaces the older one."""
    return {
        **account_key(account_id, CHECK + check.name),
        **asdict(check),
        "status": check.status.value,
        "checked_at": check.checked_at.isoformat(),
    }


def to_check(item: Item) -> Check:
    """Return the check of a CHECK# item."""
    return Check(
        name=item["name"],
        action=item["action"],
        status=CheckStatus(item["status"]),
        reason=item["reason"],
        remedy=item["remedy"],
        checked_at=datetime.fromisoformat(item["checked_at"]),
        denied_by=item.get("denied_by", ""),
    )


def from_registration(registration: Registration) -> dict[str, Any]:
    """Return the item of a registration. Its key contains the token's digest: writing it uses the
    token up.
    """
    return {
        **account_key(registration.account_id, REGISTRATION + registration.token_sha256),
        **asdict(registration),
        "registered_at": registration.registered_at.isoformat(),
    }


def to_registration(item: Item) -> Registration:
    """Return the registration of a REGISTRATION# item."""
    return Registration(
        account_id=item["account_id"],
        token_sha256=item["token_sha256"],
        stack_id=item["stack_id"],
        request_id=item["request_id"],
        registered_at=datetime.fromisoformat(item["registered_at"]),
    )


def _plain(change: Change) -> dict[str, Any]:
    return {
        **asdict(change),
        "before": change.before and change.before.value,
        "after": change.after.value,
        "at": change.at.isoformat(),
    }


def _change(item: Item | None) -> Change | None:
    return None if item is None else to_change(item)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _from_key(key: KeyFacts) -> dict[str, Any]:
    return {
        **asdict(key),
        "made_at": key.made_at.isoformat(),
        "given_at": key.given_at.isoformat(),
    }


def _to_key(item: Item) -> KeyFacts:
    return KeyFacts(
        user_arn=item["user_arn"],
        ending=item["ending"],
        made_at=datetime.fromisoformat(item["made_at"]),
        age_known=item["age_known"],
        given_at=datetime.fromisoformat(item["given_at"]),
    )
