"""Connection of an account by an access key, and rotation of the key.

A new key must pass every check before it is stored; until then the old key stays in use. Only the
store and AWS STS receive the key.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from cloudspend.access.checks import require_granted, run_checks
from cloudspend.access.keys import AccessKey, Identity, require_user_of
from cloudspend.access.ports import AccessKeyInspector, AccessKeyStore, ExcessPermissions
from cloudspend.access.verify import KEY_LIMITED
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
LIMIT_USER = (
    "Attach only the policy that `cloudspend accounts key-policy` prints to the user. CloudSpend "
    "limits its own sessions to that policy in any case."
)
NOT_SIMULATED = (
    "The key may not simulate policies, so IAM cannot list its excess permissions. A few read-only "
    "calls that CloudSpend does not need were refused."
)


@dataclass(frozen=True)
class AccessKeyPorts:
    """Ports for accepting access keys."""

    registry: AccountRegistry
    key_store: AccessKeyStore
    inspector: AccessKeyInspector
    bus: Bus


@dataclass(frozen=True)
class AcceptedKey:
    """The result of accepting an access key."""

    # The account with the new key's facts.
    account: Account
    # Every check of the key, including warnings.
    checks: list[Check]


def connect_key(
    account_id: str,
    key: AccessKey,
    ports: AccessKeyPorts,
    onboarding: Onboarding,
    cause: ChangeCause,
    kms_key: str = "",
) -> AcceptedKey:
    """Connect an account by a key and start its onboarding.

    `kms_key` is the ARN of the customer's KMS key that encrypts the bill; empty keeps the known
    one. Raises ConnectionRefused and PermissionDenied for a key that fails a check, and UsageError
    when the account's state does not allow a connection. Nothing is stored then.
    """
    account = ports.registry.get(account_id)
    # Check the state before looking at the key.
    transitioned(account, AccountState.CONNECTED, cause)
    refuse_twice(account, ports.registry)
    candidate, checks = _examine(decrypted_with(account, kms_key), key, ports, cause.at)
    connected = transitioned(
        candidate,
        AccountState.CONNECTED,
        cause,
        token_sha256=None,
        stack_id=None,
        request_id=f"key-{cause.at:%Y%m%dT%H%M%SZ}",
    )
    ports.key_store.put(account_id, key)
    ports.registry.save(account, connected)
    _record(connected, checks, ports)
    publish_state_change(connected, ports.bus)
    _publish(AccessKeyConnected, connected, ports.bus)
    onboarding.start(account_id, f"{account_id}_{connected.request_id}")
    return AcceptedKey(connected, checks)


def decrypted_with(account: Account, kms_key: str) -> Account:
    """Return the account with the KMS key of its bill; an empty `kms_key` keeps the known one.

    Raises UsageError for an invalid ARN.
    """
    return replace(account, kms_key_arn=fields.kms_key(kms_key) or account.kms_key_arn)


def rotate_key(
    account_id: str, key: AccessKey, ports: AccessKeyPorts, now: datetime
) -> AcceptedKey:
    """Replace the account's key with a new one that passes every check.

    Running executions continue with the sessions that they have. The old key is kept as the
    previous one, because AWS can refuse a new key for a short time. Raises as `connect_key` does.
    """
    account = ports.registry.get(account_id)
    if account.key is None:
        raise UsageError(
            f"{account.display_name} ({account_id}) is not connected by an access key.",
            remedy=f"To connect it by a key: cloudspend accounts connect-key {account_id}.",
        )
    candidate, checks = _examine(replace(account, role_arn=None), key, ports, now)
    ports.key_store.put(account_id, key)
    rotated = _save_key(account_id, candidate.key, ports.registry)
    _record(rotated, checks, ports)
    _publish(AccessKeyRotated, rotated, ports.bus)
    return AcceptedKey(rotated, checks)


def _examine(
    account: Account, key: AccessKey, ports: AccessKeyPorts, now: datetime
) -> tuple[Account, list[Check]]:
    """Return the account with this key as its only connection, and the checks of the key.

    Raises ConnectionRefused and PermissionDenied.
    """
    identity = ports.inspector.identity(key)
    require_user_of(identity, account.account_id)
    created_at = ports.inspector.created_at(key)
    facts = KeyFacts(identity.arn, key.ending, created_at or now, created_at is not None, now)
    candidate = replace(account, key=facts, role_arn=None)
    checks = run_checks(candidate, ports.inspector.customer(candidate, key), now)
    require_granted(checks)
    return candidate, [*checks, _excess(ports.inspector.excess(key, identity), identity, now)]


def _excess(excess: ExcessPermissions, identity: Identity, now: datetime) -> Check:
    if excess.actions:
        listed = ", ".join(excess.actions)
        reason = f"The key of {identity.arn} may do more than CloudSpend needs: {listed}."
        return Check(KEY_LIMITED, SIMULATE, CheckStatus.WARNING, reason, LIMIT_USER, now)
    if not excess.complete:
        status, reason = CheckStatus.NOT_AVAILABLE, NOT_SIMULATED
        return Check(KEY_LIMITED, SIMULATE, status, reason, "", now)
    return Check(KEY_LIMITED, SIMULATE, CheckStatus.PASSED, "", "", now)


def _save_key(account_id: str, facts: KeyFacts | None, registry: AccountRegistry) -> Account:
    """Save the new key's facts, again if another process changes the account at the same time."""
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


def _record(account: Account, checks: list[Check], ports: AccessKeyPorts) -> None:
    for check in checks:
        ports.registry.put_check(account.account_id, check)


def _publish(
    event_type: type[AccessKeyConnected | AccessKeyRotated], account: Account, bus: Bus
) -> None:
    key = account.key
    if key is not None:
        subject = f"{key.ending} {key.given_at.isoformat()}"
        details = event_type(user_arn=key.user_arn, ending=key.ending)
        bus.put(event(details, account.for_events, subject))
