"""An account connected by an access key: taken in, rotated, and given up for a role.

A key is tried before it is kept, with everything that CloudSpend will do with it; so the old one
stays until the new one has proved itself. Only the function that stores it and STS ever see it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from cloudspend.access.checks import require_granted, run_checks
from cloudspend.access.keys import AccessKey, Identity, require_user_of
from cloudspend.access.ports import AccessKeyInspector, AccessKeyStore, ExcessPermissions
from cloudspend.access.verify import KEY_NOT_TOO_MUCH
from cloudspend.accounts import fields
from cloudspend.accounts.coverage import refuse_twice
from cloudspend.accounts.lifecycle import publish_state_change, transitioned
from cloudspend.accounts.model import (
    Account,
    AccountState,
    ChangeCause,
    Check,
    CheckStatus,
    KeyFacts,
)
from cloudspend.accounts.ports import AccountChanged, AccountRegistry, Onboarding
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.access import AccessKeyConnected, AccessKeyRotated
from cloudspend.alerts.event import Bus
from cloudspend.errors import UsageError

ATTEMPTS = 3
SIMULATE = "iam:SimulatePrincipalPolicy"
NARROW = (
    "Give the user the policy that `cloudspend accounts key-policy` prints, and no other; sessions "
    "of CloudSpend are limited to it in any case."
)
NOT_SIMULATED = (
    "Whether the key may do more cannot be asked of IAM, since it may not simulate policies; a few "
    "calls that only read were refused."
)


@dataclass(frozen=True)
class AccessKeyPorts:
    """Where keys are taken in."""

    registry: AccountRegistry
    vault: AccessKeyStore
    gate: AccessKeyInspector
    bus: Bus


@dataclass(frozen=True)
class Accepted:
    """The account with its key, and every check of it; warnings among them."""

    account: Account
    checks: list[Check]


def connect_key(
    account_id: str,
    key: AccessKey,
    desk: AccessKeyPorts,
    onboarding: Onboarding,
    act: ChangeCause,
    kms_key: str = "",
) -> Accepted:
    """Connect an account by a key and start its onboarding. `kms_key` is the ARN of the customer's
    key that the bill is encrypted with; without one, what is known of it stays.

    Raises ConnectionRefused, PermissionDenied, and UsageError when the account's state does not
    allow it; then nothing was kept.
    """
    account = desk.registry.get(account_id)
    # Asked before the key is: the state decides whether it is looked at at all.
    transitioned(account, AccountState.CONNECTED, act)
    refuse_twice(account, desk.registry)
    candidate, checks = _examine(decrypted_with(account, kms_key), key, desk, act.at)
    connected = transitioned(
        candidate,
        AccountState.CONNECTED,
        act,
        token_sha256=None,
        stack_id=None,
        request_id=f"key-{act.at:%Y%m%dT%H%M%SZ}",
    )
    desk.vault.put(account_id, key)
    desk.registry.save(account, connected)
    _record(connected, checks, desk)
    publish_state_change(connected, desk.bus)
    _publish(AccessKeyConnected, connected, desk.bus)
    onboarding.start(account_id, f"{account_id}_{connected.request_id}")
    return Accepted(connected, checks)


def decrypted_with(account: Account, kms_key: str) -> Account:
    """The account whose bill is encrypted with this key of the customer's. Raises UsageError for
    what is no key's ARN."""
    return replace(account, kms_key_arn=fields.kms_key(kms_key) or account.kms_key_arn)


def rotate_key(account_id: str, key: AccessKey, desk: AccessKeyPorts, now: datetime) -> Accepted:
    """Put a new key in the old one's place, once it has shown that it can do all the same.

    What runs meanwhile goes on: it has its session, and the old key is kept as the previous one
    for those whom AWS refuses the new one for a moment. Raises as `connect_key` does.
    """
    account = desk.registry.get(account_id)
    if account.key is None:
        raise UsageError(
            f"{account.display_name} ({account_id}) is not connected by an access key.",
            remedy=f"To connect it by one: cloudspend accounts connect-key {account_id}.",
        )
    candidate, checks = _examine(replace(account, role_arn=None), key, desk, now)
    desk.vault.put(account_id, key)
    rotated = _save_key(account_id, candidate.key, desk.registry)
    _record(rotated, checks, desk)
    _publish(AccessKeyRotated, rotated, desk.bus)
    return Accepted(rotated, checks)


def _examine(
    account: Account, key: AccessKey, desk: AccessKeyPorts, now: datetime
) -> tuple[Account, list[Check]]:
    """The account as it would be with this key, and what the key showed. Raises ConnectionRefused
    and PermissionDenied."""
    identity = desk.gate.identity(key)
    require_user_of(identity, account.account_id)
    made_at = desk.gate.made_at(key)
    facts = KeyFacts(identity.arn, key.ending, made_at or now, made_at is not None, now)
    candidate = replace(account, key=facts, role_arn=None)
    checks = run_checks(candidate, desk.gate.customer(candidate, key), now)
    require_granted(checks)
    return candidate, [*checks, _excess(desk.gate.excess(key, identity), identity, now)]


def _excess(found: ExcessPermissions, identity: Identity, now: datetime) -> Check:
    if found.actions:
        listed = ", ".join(found.actions)
        reason = f"The key of {identity.arn} may do more than CloudSpend needs: {listed}."
        return Check(KEY_NOT_TOO_MUCH, SIMULATE, CheckStatus.WARNING, reason, NARROW, now)
    if not found.whole:
        status, reason = CheckStatus.NOT_AVAILABLE, NOT_SIMULATED
        return Check(KEY_NOT_TOO_MUCH, SIMULATE, status, reason, "", now)
    return Check(KEY_NOT_TOO_MUCH, SIMULATE, CheckStatus.PASSED, "", "", now)


def _save_key(account_id: str, facts: KeyFacts | None, registry: AccountRegistry) -> Account:
    """Write the new key's facts over whatever the account is by now: its state may change while a
    key is rotated."""
    for _ in range(ATTEMPTS - 1):
        try:
            return _save_once(account_id, facts, registry)
        except AccountChanged:
            continue
    return _save_once(account_id, facts, registry)


def _save_once(account_id: str, facts: KeyFacts | None, registry: AccountRegistry) -> Account:
    account = registry.get(account_id)
    rotated = replace(account, key=facts)
    registry.save(account, rotated)
    return rotated


def _record(account: Account, checks: list[Check], desk: AccessKeyPorts) -> None:
    for check in checks:
        desk.registry.put_check(account.account_id, check)


def _publish(kind: type[AccessKeyConnected | AccessKeyRotated], account: Account, bus: Bus) -> None:
    key = account.key
    if key is not None:
        subject = f"{key.ending} {key.given_at.isoformat()}"
        details = kind(user_arn=key.user_arn, ending=key.ending)
        bus.put(event(details, account.for_events, subject))
