"""Steps of the Onboard state machine. Each step can be repeated."""

from collections.abc import Sequence
from datetime import datetime

from cloudspend.access.checks import denied_and_needed, require_granted, run_checks
from cloudspend.access.ports import AccessKeyStore, CustomerSessions, EnterCustomer
from cloudspend.access.verify import check_connection, connection_checks, verify_connection
from cloudspend.accounts.coverage import COUNTED_ONCE, doubled, onboarded_members, take_over
from cloudspend.accounts.lifecycle import (
    TRANSITIONS,
    connection_lost,
    state_after_connection_loss,
    transition,
)
from cloudspend.accounts.members import refresh
from cloudspend.accounts.model import (
    Account,
    AccountState,
    AccountType,
    ChangeCause,
    Check,
    ConnectionKind,
)
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.access import AccountActivated, CheckResult
from cloudspend.alerts.event import Bus
from cloudspend.errors import ConnectionRefused, Defect, Failure
from cloudspend.onboarding.switch_to_role import keep_access_key, switch_to_role
from cloudspend.settings import ONBOARD_MACHINE

OUR_FAULT = (
    "Nothing is known that the customer could do. The platform team looks at the failed execution "
    "of the state machine cloudspend-onboard and starts it again with the same input."
)


def verify(
    account_id: str,
    registry: AccountRegistry,
    bus: Bus,
    customer_sessions: CustomerSessions,
    now: datetime,
) -> None:
    """Verify the connection and record every check. Raises ConnectionRefused."""
    account = registry.get(account_id)
    account = transition(registry, bus, account, AccountState.VERIFYING, _act(now))
    checks = check_connection(account, customer_sessions, now)
    _record(account, checks, registry)
    verify_connection(checks)


def check_permissions(
    account_id: str,
    registry: AccountRegistry,
    bus: Bus,
    enter: EnterCustomer,
    key_store: AccessKeyStore,
    now: datetime,
) -> None:
    """Try every permission and record each result. Raises PermissionDenied.

    If all required permissions are granted, the account is backfilling, and its deliveries are
    accepted from then on. A verified role replaces an access key, which is then deleted. The
    members of an organization are recorded. Raises ConnectionRefused where cost would be counted
    twice, unless the organization takes the coverage over.
    """
    account = registry.get(account_id)
    customer = enter(account)
    checks = run_checks(account, customer, now)
    _record(account, checks, registry)
    require_granted(checks)
    _proofs(account, registry)
    if account.type is AccountType.ORGANIZATION:
        refresh(account, customer.organization_accounts(account), registry, bus, now)
    _count_once(account, registry, bus, now)
    if account.pending_connection is ConnectionKind.IAM_ROLE:
        account = switch_to_role(account, registry, bus, key_store)
    transition(registry, bus, account, AccountState.BACKFILLING, _act(now))


def activate(account_id: str, registry: AccountRegistry, bus: Bus, now: datetime) -> None:
    """Activate an account whose history is ingested. Raises Defect while a required check is
    denied.

    An account whose state has changed in the meantime is left unchanged.
    """
    account = registry.get(account_id)
    if account.state not in (AccountState.BACKFILLING, AccountState.ACTIVE):
        return
    checks = _proofs(account, registry)
    account = transition(
        registry,
        bus,
        account,
        AccountState.ACTIVE,
        _act(now),
        activated_at=account.activated_at or now,
    )
    results = tuple(CheckResult(name=c.name, status=c.status.value) for c in checks)
    bus.put(event(AccountActivated(checks=results), account.for_events, _attempt(account)))


def report_failure(
    account_id: str, failure: Failure, registry: AccountRegistry, bus: Bus, now: datetime
) -> None:
    """Report the failure that the state machine caught, with the customer's remedy.

    An account that was invited again, suspended or offboarded in the meantime is left unchanged.
    """
    account = registry.get(account_id)
    if account.pending_connection is not account.connection and account.activated_at:
        keep_access_key(account, failure, registry, bus, _act(now, failure.summary))
        return
    state = state_after_connection_loss(account)
    if state not in TRANSITIONS[account.state]:
        return
    bus.put(
        event(
            connection_lost(state)(
                check=str(failure.details.get("check", "")) or failure.error,
                reason=failure.summary,
                remedy=failure.remedy or OUR_FAULT,
            ),
            account.for_events,
            f"{_attempt(account)}\n{failure.summary}",
        )
    )
    transition(registry, bus, account, state, _act(now, failure.summary))


def _proofs(account: Account, registry: AccountRegistry) -> Sequence[Check]:
    checks = connection_checks(account, registry.checks(account.account_id))
    if not checks or denied_and_needed(checks):
        raise Defect(f"The account {account.account_id} was to be activated without its proofs.")
    return checks


def _count_once(account: Account, registry: AccountRegistry, bus: Bus, now: datetime) -> None:
    if found := doubled(account, registry):
        raise ConnectionRefused(found.summary, remedy=found.remedy, check=COUNTED_ONCE)
    if account.type is AccountType.ORGANIZATION and account.move_coverage:
        members = registry.members(account.account_id)
        twice = onboarded_members(account, members, registry.list())
        take_over(account, twice, registry, bus, _act(now))


def _act(now: datetime, reason: str = "") -> ChangeCause:
    return ChangeCause(ONBOARD_MACHINE, now, reason)


def _record(account: Account, checks: list[Check], registry: AccountRegistry) -> None:
    for check in checks:
        registry.put_check(account.account_id, check)


def _attempt(account: Account) -> str:
    return account.request_id or account.invited_at.isoformat()
