"""Connect an account by an access key, rotate the key, and replace it with a role.

A new key is tried with everything that CloudSpend does before it is stored, and the old key stays
until then. Only the function that stores the key and AWS STS ever see it.
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
    """Ports for accepting access keys."""

    registry: AccountRegistry
    key_store: AccessKeyStore
    gate: AccessKeyInspector
    bus: Bus


@dataclass(frozen=True)
class Accepted:
    """The account with its accepted key, and the result of every check, including warnings."""

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
    """Connect an account by a key and start its onboarding.

    `kms_key` is the ARN of the customer's key that encrypts the bill; None keeps the known one.
    Raises ConnectionRefused, PermissionDenied, and UsageError when the account's state does not
    allow it. Nothing is stored then.
    """
    account = desk.registry.get(account_id)
    # Check the state before looking at the key.
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
    desk.key_store.put(account_id, key)
    desk.registry.save(account, connected)
    _record(connected, checks, desk)
    publish_state_change(connected, desk.bus)
    _publish(AccessKeyConnected, connected, desk.bus)
    onboarding.start(account_id, f"{account_id}_{connected.request_id}")
    return Accepted(connected, checks)


def decrypted_with(account: Account, kms_key: str) -> Account:
    """Return the account with the KMS key of its bill. Raises UsageError for an invalid ARN."""
    return replace(account, kms_key_arn=fields.kms_key(kms_key) or account.kms_key_arn)


def rotate_key(account_id: str, key: AccessKey, desk: AccessKeyPorts, now: datetime) -> Accepted:
    """Replace the account's key with a new one that passes every check.

    Running executions continue with their sessions. The old key is kept as the previous one,
    because AWS can refuse a new key for a moment. Raises as `connect_key` does.
    """
    account = desk.registry.get(account_id)
    if account.key is None:
        raise UsageError(
            f"{account.display_name} ({account_id}) is not connected by an access key.",
            remedy=f"To connect it by one: cloudspend accounts connect-key {account_id}.",
        )
    candidate, checks = _examine(replace(account, role_arn=None), key, desk, now)
    desk.key_store.put(account_id, key)
    rotated = _save_key(account_id, candidate.key, desk.registry)
    _record(rotated, checks, desk)
    _publish(AccessKeyRotated, rotated, desk.bus)
    return Accepted(rotated, checks)


def _examine(
    account: Account, key: AccessKey, desk: AccessKeyPorts, now: datetime
) -> tuple[Account, list[Check]]:
    """Return the account as it would be with this key, and the checks of the key.

    Raises ConnectionRefused and PermissionDenied.
    """
    identity = desk.gate.identity(key)
    require_user_of(identity, account.account_id)
    made_at = desk.gate.created_at(key)
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
    if not found.complete:
        status, reason = CheckStatus.NOT_AVAILABLE, NOT_SIMULATED
        return Check(KEY_NOT_TOO_MUCH, SIMULATE, status, reason, "", now)
    return Check(KEY_NOT_TOO_MUCH, SIMULATE, CheckStatus.PASSED, "", "", now)


def _save_key(account_id: str, facts: KeyFacts | None, registry: AccountRegistry) -> Account:
    """Save the new key's facts. The account's state may have changed since the rotation began."""
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
