"""The two ends of moving an account from its access key to a role."""

from dataclasses import replace

from cloudspend.access.ports import AccessKeyStore
from cloudspend.accounts.lifecycle import transition
from cloudspend.accounts.model import Account, AccountState, ChangeCause
from cloudspend.accounts.ports import AccountRegistry
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.access import MovedToRole, MoveToRoleFailed
from cloudspend.alerts.event import Bus
from cloudspend.errors import Failure

OUR_FAULT = (
    "The platform team looks at the failed execution of the state machine cloudspend-onboard."
)

# The steps from where a role is proved to where the account was before it came.
_BACK = {
    AccountState.CONNECTED: (
        AccountState.VERIFYING,
        AccountState.BACKFILLING,
        AccountState.ACTIVE,
    ),
    AccountState.VERIFYING: (AccountState.BACKFILLING, AccountState.ACTIVE),
    AccountState.BACKFILLING: (AccountState.ACTIVE,),
}


def switch_to_role(
    account: Account, registry: AccountRegistry, bus: Bus, vault: AccessKeyStore
) -> Account:
    """The role is proved: from here on it is the way in, and the key is forgotten. May be repeated;
    does nothing for an account that never had a key."""
    if account.key is not None:
        # First the event: if the rest fails, the repeat of the step does all of it.
        bus.put(
            event(
                MovedToRole(
                    role_arn=str(account.role_arn),
                    user_arn=account.key.user_arn,
                    ending=account.key.ending,
                ),
                account.for_events,
                f"{account.role_arn} {account.key.ending} {account.key.given_at.isoformat()}",
            )
        )
        without = replace(account, key=None)
        registry.save(account, without)
        account = without
    vault.forget(account.account_id)
    return account


def keep_access_key(
    account: Account, failure: Failure, registry: AccountRegistry, bus: Bus, act: ChangeCause
) -> None:
    """The role did not prove itself: the account goes on with its key as if nothing had been."""
    bus.put(
        event(
            MoveToRoleFailed(
                role_arn=str(account.role_arn),
                check=str(failure.details.get("check", "")) or failure.error,
                reason=failure.summary,
                remedy=failure.remedy or OUR_FAULT,
            ),
            account.for_events,
            f"{account.request_id} {failure.summary}",
        )
    )
    back = replace(account, role_arn=None, stack_id=None)
    registry.save(account, back)
    for state in _BACK.get(account.state, ()):
        back = transition(registry, bus, back, state, act)
