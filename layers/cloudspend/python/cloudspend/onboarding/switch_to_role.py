"""End of a move from an access key to a role: switch, or keep the key."""

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

# The transitions from the verification of a role back to the account's earlier state.
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
    account: Account, registry: AccountRegistry, bus: Bus, key_store: AccessKeyStore
) -> Account:
    """Use the verified role as the connection and delete the key. Can be repeated.

    Does nothing for an account that never had a key.
    """
    if account.key is not None:
        # Publish first: if the rest fails, the repeated step does all of it.
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
    key_store.forget(account.account_id)
    return account


def keep_access_key(
    account: Account, failure: Failure, registry: AccountRegistry, bus: Bus, act: ChangeCause
) -> None:
    """Keep the access key, because the role could not be verified."""
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
