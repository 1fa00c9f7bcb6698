"""The registry in memory, an Onboard machine and CloudFormation's end of the line."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cloudspend.accounts.model import (
    Account,
    AccountState,
    AccountType,
    Change,
    ChangeCause,
    Check,
    Export,
    ExportKind,
    Member,
)
from cloudspend.accounts.ports import AccountChanged, Registration
from cloudspend.errors import TransientError, UsageError

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ACT = ChangeCause("an operator", NOW)


def an_account(account_id: str = "111111111111", **changes: Any) -> Account:
    """An account as it is after its invitation, but for `changes`."""
    fields: dict[str, Any] = {
        "account_id": account_id,
        "display_name": f"Customer {account_id[:1]}",
        "type": AccountType.ORGANIZATION,
        "regions": ("us-east-1",),
        "start_date": date(2026, 8, 1),
        "retention_months": None,
        "export": Export(ExportKind.CUR_LEGACY, "a-bucket", "a-prefix", "a-name"),
        "external_id": "external-id-of-the-account",
        "state": AccountState.INVITED,
        "invited_at": NOW,
        "expires_at": NOW + timedelta(days=7),
        "role_arn": f"arn:aws:iam::{account_id}:role/cloudspend-access",
    }
    return Account(**(fields | changes))


def known_regions(partition: str) -> frozenset[str]:
    """A few regions of each partition."""
    return {
        "aws": frozenset({"us-east-1", "eu-west-1", "eu-central-1"}),
        "aws-us-gov": frozenset({"us-gov-west-1"}),
        "aws-cn": frozenset({"cn-north-1", "cn-northwest-1"}),
    }[partition]


class FakeAccounts:
    """`AccountRegistry` in dictionaries."""

    def __init__(self, *accounts: Account) -> None:
        self._accounts: dict[str, Account] = {}
        self._checks: dict[tuple[str, str], Check] = {}
        self._registrations: dict[tuple[str, str], Registration] = {}
        self._history: dict[str, list[Change]] = {}
        self._members: dict[tuple[str, str], Member] = {}
        self.refusals: dict[datetime, int] = {}
        for account in accounts:
            self.add(account)

    def get(self, account_id: str) -> Account:
        account = self.find(account_id)
        if account is None:
            raise UsageError(f"There is no account {account_id} in CloudSpend.")
        return account

    def find(self, account_id: str) -> Account | None:
        return self._accounts.get(account_id)

    def list(self) -> Sequence[Account]:
        return [self._accounts[account_id] for account_id in sorted(self._accounts)]

    def add(self, account: Account) -> None:
        self._name_is_free(account)
        if account.account_id in self._accounts:
            raise AccountChanged("The account exists.")
        self._accounts[account.account_id] = account
        self._note(None, account)

    def save(self, before: Account, after: Account) -> None:
        self._name_is_free(after)
        if self._accounts.get(before.account_id) != before:
            raise AccountChanged("The account was changed by someone else just now.")
        self._accounts[after.account_id] = after
        self._note(before, after)

    def register(self, before: Account, after: Account, registration: Registration) -> None:
        key = registration.account_id, registration.token_sha256
        spent = self._registrations.get(key)
        if spent is not None and spent.stack_id != registration.stack_id:
            raise AccountChanged("The token was spent just now.")
        self.save(before, after)
        self._registrations[key] = registration

    def drop(self, account_id: str) -> None:
        """The account's last entry is gone."""
        self._accounts.pop(account_id, None)
        self._history.pop(account_id, None)

    def find_registration(self, account_id: str, token_sha256: str) -> Registration | None:
        return self._registrations.get((account_id, token_sha256))

    def increment_refusals(self, hour: datetime) -> int:
        self.refusals[hour] = self.refusals.get(hour, 0) + 1
        return self.refusals[hour]

    def put_check(self, account_id: str, check: Check) -> None:
        self._checks[account_id, check.name] = check

    def checks(self, account_id: str) -> Sequence[Check]:
        return [self._checks[key] for key in sorted(self._checks) if key[0] == account_id]

    def history(self, account_id: str) -> Sequence[Change]:
        return list(self._history.get(account_id, ()))

    def put_members(self, organization_id: str, members: Sequence[Member]) -> None:
        for member in members:
            self._members[organization_id, member.account_id] = member

    def members(self, organization_id: str) -> Sequence[Member]:
        return [self._members[key] for key in sorted(self._members) if key[0] == organization_id]

    def organizations_of(self, account_id: str) -> Sequence[str]:
        return [
            organization
            for (organization, member), held in sorted(self._members.items())
            if member == account_id and held.left_at is None
        ]

    def _note(self, before: Account | None, after: Account) -> None:
        change = after.last_change
        if change is not None and (before is None or before.last_change != change):
            self._history.setdefault(after.account_id, []).append(change)

    def _name_is_free(self, account: Account) -> None:
        for other in self._accounts.values():
            same = other.display_name.casefold() == account.display_name.casefold()
            if same and other.account_id != account.account_id:
                raise UsageError(f"The display name {account.display_name!r} is another account's.")


class FakeOnboarding:
    """`Onboarding` that knows which names it has started."""

    def __init__(self) -> None:
        self.started: dict[str, str] = {}
        self.broken = False

    def start(self, account_id: str, name: str) -> None:
        if self.broken:
            raise TransientError("Step Functions asks to try later.")
        self.started.setdefault(name, account_id)


class FakeResponder:
    """CloudFormation: keeps every answer."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, Mapping[str, Any]]] = []

    def put(self, url: str, body: Mapping[str, Any]) -> None:
        self.answers.append((url, body))

    @property
    def statuses(self) -> list[str]:
        return [str(body["Status"]) for _, body in self.answers]
