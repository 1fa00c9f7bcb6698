"""Register a role by hand, for a customer whose stack sends nothing to the platform.

The operator gets the ARN from the customer. Onboard verifies it like a stack's registration.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from cloudspend.accounts import fields
from cloudspend.accounts.coverage import refuse_twice
from cloudspend.accounts.lifecycle import transitioned
from cloudspend.accounts.model import Account, AccountState, ChangeCause
from cloudspend.accounts.ports import AccountRegistry, Onboarding
from cloudspend.alerts.event import Bus
from cloudspend.onboarding.registration import announce
from cloudspend.settings import TEMPLATE_VERSION, Settings


@dataclass(frozen=True)
class ConnectRequest:
    """Outputs of the customer's stack, and the KMS key if the bill is encrypted with one."""

    account_id: str
    role_arn: str
    kms_key: str = ""
    template_version: str = TEMPLATE_VERSION


def connect(
    request: ConnectRequest,
    registry: AccountRegistry,
    bus: Bus,
    onboarding: Onboarding,
    settings: Settings,
    act: ChangeCause,
) -> Account:
    """Use the role as the account's connection and start Onboard. The invitation's link becomes
    invalid.

    Raises UsageError for a role of another account, for an account that cannot be connected, and
    for an account whose cost would be counted twice.
    """
    account = registry.get(fields.account_id(request.account_id))
    refuse_twice(account, registry)
    role = fields.role_arn(request.role_arn, account.account_id, settings.partition)
    entered: dict[str, Any] = {
        "role_arn": role,
        "kms_key_arn": fields.kms_key(request.kms_key),
        "template_version": fields.template_version(request.template_version),
        "token_sha256": None,
        "stack_id": None,
    }
    name = _name(account, entered)
    connected = transitioned(account, AccountState.CONNECTED, act, request_id=name, **entered)
    registry.save(account, connected)
    announce(connected, bus)
    onboarding.start(account.account_id, f"{account.account_id}_{name}")
    return connected


def _name(account: Account, entered: dict[str, Any]) -> str:
    """Return a new execution name for each call: Step Functions runs a name once."""
    before = f"{account.request_id} {account.state} {account.invited_at} {sorted(entered.items())}"
    return hashlib.sha256(before.encode()).hexdigest()[:32]
