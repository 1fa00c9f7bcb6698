"""Operations on an existing account: update, verify, suspend, resume."""

from dataclasses import fields as dataclass_fields
from dataclasses import replace
from datetime import date
from typing import Any

from cloudspend.accounts import fields
from cloudspend.accounts.coverage import refuse_twice
from cloudspend.accounts.lifecycle import transition, with_step
from cloudspend.accounts.model import LEAVING, Account, AccountState, ChangeCause
from cloudspend.accounts.ports import AccountRegistry, InvitationPorts, Onboarding
from cloudspend.accounts.validation import AccountFields, ValidationContext, validate
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.accounts import AccountUpdated
from cloudspend.errors import UsageError


def update(
    account_id: str, wanted: AccountFields, invitation_ports: InvitationPorts, act: ChangeCause
) -> Account:
    """Change fields of an account and record the change in its history.

    The export is not among the fields: it belongs to the customer's stack, and a new invitation
    changes it. Raises UsageError for an invalid field, for a display name of another account, and
    for an account that is being removed.
    """
    account = invitation_ports.registry.get(account_id)
    if account.state in LEAVING:
        raise UsageError(
            f"{account.display_name} ({account_id}) is {account.state}, so that nothing of it can "
            "be changed.",
            remedy="Once it is removed, it may be invited again with other fields: "
            f"cloudspend accounts invite {account_id}.",
        )
    ground = ValidationContext(
        invitation_ports.known_regions(account.partition), act.at.date(), account.export.kind
    )
    after = replace(account, **validate(wanted, ground))
    said = _differences(account, after)
    if not said:
        return account
    after = with_step(after, account, replace(act, reason="; ".join(said)))
    invitation_ports.registry.save(account, after)
    invitation_ports.bus.put(
        event(AccountUpdated(by=act.by, changes=tuple(said)), after.for_events, act.at.isoformat())
    )
    return after


def verify(
    account_id: str,
    invitation_ports: InvitationPorts,
    onboarding: Onboarding,
    act: ChangeCause,
    *,
    move_coverage: bool = False,
) -> Account:
    """Verify the connection and every permission again with Onboard, and ingest missing bills.

    With `move_coverage`, an organization takes over the coverage of members that are onboarded
    separately. Raises UsageError for an account that is not connected or is suspended, and for cost
    that would be counted twice.
    """
    account = invitation_ports.registry.get(account_id)
    if account.state is AccountState.SUSPENDED:
        raise UsageError(
            f"{account.display_name} ({account_id}) is suspended.",
            remedy=f"Resume it, which verifies it too: cloudspend accounts resume {account_id}.",
        )
    wanted = account.move_coverage or move_coverage
    refuse_twice(replace(account, move_coverage=wanted), invitation_ports.registry)
    verifying = AccountState.VERIFYING
    after = transition(
        invitation_ports.registry,
        invitation_ports.bus,
        account,
        verifying,
        act,
        move_coverage=wanted,
    )
    onboarding.start(account_id, f"{account_id}_{act.at:%Y%m%dT%H%M%S%f}")
    return after


def suspend(account_id: str, invitation_ports: InvitationPorts, act: ChangeCause) -> Account:
    """Stop ingest, sweep and collection of the account, and keep its data.

    Raises UsageError without a reason, and for an account that was never connected.
    """
    account = invitation_ports.registry.get(account_id)
    if not act.reason.strip():
        raise fields.refused("reason", act.reason, "a sentence that says why")
    return transition(
        invitation_ports.registry, invitation_ports.bus, account, AccountState.SUSPENDED, act
    )


def resume(
    account_id: str, invitation_ports: InvitationPorts, onboarding: Onboarding, act: ChangeCause
) -> Account:
    """Resume a suspended account: verify it, and ingest deliveries since its suspension.

    An account that its organization covered until recently starts with the month in which that
    ended. Raises UsageError for an account that is not suspended, and for cost that would be
    counted twice.
    """
    account = invitation_ports.registry.get(account_id)
    if account.state is not AccountState.SUSPENDED:
        raise UsageError(
            f"{account.display_name} ({account_id}) is {account.state}, not suspended.",
            remedy=f"See its state: cloudspend accounts show {account_id}.",
        )
    refuse_twice(account, invitation_ports.registry)
    connected = AccountState.CONNECTED
    since = _alone_since(account, invitation_ports.registry)
    after = transition(
        invitation_ports.registry,
        invitation_ports.bus,
        account,
        connected,
        act,
        covered_by=None,
        start_date=since,
    )
    onboarding.start(account_id, f"{account_id}_{act.at:%Y%m%dT%H%M%S%f}")
    return after


def _alone_since(account: Account, registry: AccountRegistry) -> date:
    """Return the first day for which the account's own bill is needed."""
    if account.covered_by is None:
        return account.start_date
    members = registry.members(account.covered_by)
    left = next((one.left_at for one in members if one.account_id == account.account_id), None)
    return max(account.start_date, left.date().replace(day=1)) if left else account.start_date


def _differences(before: Account, after: Account) -> list[str]:
    """Return a clause for each changed field."""
    return [
        f"{one.name.replace('_', ' ')}: {_words(one.name, old)} became {_words(one.name, new)}"
        for one in dataclass_fields(Account)
        if (old := getattr(before, one.name)) != (new := getattr(after, one.name))
    ]


def _words(field: str, value: Any) -> str:
    if field == "retention_months" and value is None:
        return fields.KEEP
    if field == "fresh_hours" and value is None:
        return fields.USUAL
    if value is None or value in ((), ""):
        return "nothing"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
