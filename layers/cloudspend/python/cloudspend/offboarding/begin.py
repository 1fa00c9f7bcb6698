"""Start an offboarding after its preconditions are checked."""

from dataclasses import dataclass

from cloudspend import payloads as p
from cloudspend.accounts import fields
from cloudspend.accounts.lifecycle import transition
from cloudspend.accounts.model import Account, AccountState, ChangeCause
from cloudspend.accounts.ports import InvitationPorts
from cloudspend.errors import UsageError
from cloudspend.ingest.start import RUNNING
from cloudspend.offboarding.model import Data, report_folder
from cloudspend.offboarding.ports import Machine


@dataclass(frozen=True)
class Begun:
    """The account, and the execution of Offboard."""

    account: Account
    execution: str
    report_key: str


def offboard(
    account_id: str,
    confirmed: str,
    data: Data,
    invitation_ports: InvitationPorts,
    machine: Machine,
    act: ChangeCause,
) -> Begun:
    """Start offboarding an account. Can be repeated: a running execution continues, a failed one is
    started again.

    Raises UsageError unless `confirmed` repeats the account's id, and without a reason.
    """
    account = invitation_ports.registry.get(fields.account_id(account_id))
    if confirmed != account_id:
        raise UsageError(
            f"{confirmed[:80]!r} does not confirm that {account.display_name} ({account_id}) is to "
            "be offboarded.",
            remedy=f"Give the account's id once more: --confirm {account_id}.",
        )
    if not act.reason.strip():
        raise fields.refused("reason", act.reason, "a sentence that says why")
    if account.state is not AccountState.OFFBOARDING:
        account = transition(
            invitation_ports.registry, invitation_ports.bus, account, AccountState.OFFBOARDING, act
        )
    execution = _started(account, data, machine)
    return Begun(account, execution, _report_key(execution, account_id))


def _started(account: Account, data: Data, machine: Machine) -> str:
    """Return the name of the running execution, after starting one if there is none."""
    step = account.last_change.number if account.last_change else 0
    attempt = 1
    while True:
        name = f"{account.account_id}_{step}_{account.invited_at:%Y%m%dT%H%M%S}_{attempt}"
        payload = {
            p.ACCOUNT_ID: account.account_id,
            p.DATA: str(data),
            p.REPORT_KEY: _report_key(name, account.account_id),
        }
        if machine.start(name, payload):
            return name
        if machine.status(name) in (RUNNING, None):
            return name
        attempt += 1


def _report_key(execution: str, account_id: str) -> str:
    return f"{report_folder(account_id)}{execution}.json"
