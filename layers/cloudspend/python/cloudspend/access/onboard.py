"""The steps of the Onboard state machine. Each may be repeated."""

from datetime import datetime

from cloudspend.access.checks import denied_and_needed, require_granted, run_checks
from cloudspend.access.ports import Door, EnterCustomer
from cloudspend.access.verify import check_connection, verify_connection
from cloudspend.accounts.lifecycle import TRANSITIONS, transition
from cloudspend.accounts.model import Account, AccountState, Check
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.alerts.catalog import event
from cloudspend.alerts.event import Bus
from cloudspend.errors import Defect, parse

OUR_FAULT = (
    "Nothing is known that the customer could do. The platform team looks at the failed execution "
    "of the state machine cloudspend-onboard and starts it again with the same input."
)


def verify(account_id: str, registry: AccountRegistry, door: Door, now: datetime) -> None:
    """Prove the connection and write every proof down. Raises ConnectionRefused."""
    account = transition(registry, registry.get(account_id), AccountState.VERIFYING)
    checks = check_connection(account, door, now)
    _record(account, checks, registry)
    verify_connection(checks)


def check_permissions(
    account_id: str, registry: AccountRegistry, enter: EnterCustomer, now: datetime
) -> None:
    """Try every permission and write each result down. Raises PermissionDenied."""
    account = registry.get(account_id)
    checks = run_checks(account, enter(account), now)
    _record(account, checks, registry)
    require_granted(checks)


def activate(account_id: str, registry: AccountRegistry, bus: Bus) -> None:
    """From here on the account's deliveries are believed. Raises Defect while a check is denied
    that the account cannot be without."""
    account = registry.get(account_id)
    checks = registry.checks(account_id)
    if not checks or denied_and_needed(checks):
        raise Defect(f"The account {account_id} was to be activated without its proofs.")
    account = transition(registry, account, AccountState.ACTIVE)
    results = [{"name": check.name, "status": check.status.value} for check in checks]
    bus.put(event("AccountActivated", account.for_events, _attempt(account), checks=results))


def report_failure(
    account_id: str, error: str, cause: str, registry: AccountRegistry, bus: Bus
) -> None:
    """Say what the customer must do, given the state machine's caught `Error` and `Cause`.

    An account that is invited anew meanwhile keeps its state.
    """
    account = registry.get(account_id)
    failure = parse(error, cause)
    remedy = failure.remedy or OUR_FAULT
    bus.put(
        event(
            "OnboardingFailed",
            account.for_events,
            f"{_attempt(account)}\n{failure.summary}",
            check=str(failure.details.get("check", "")) or error,
            reason=failure.summary,
            remedy=remedy,
        )
    )
    if AccountState.FAILED in TRANSITIONS[account.state]:
        transition(registry, account, AccountState.FAILED, failure.summary)


def _record(account: Account, checks: list[Check], registry: AccountRegistry) -> None:
    for check in checks:
        registry.put_check(account.account_id, check)


def _attempt(account: Account) -> str:
    return account.request_id or account.invited_at.isoformat()
