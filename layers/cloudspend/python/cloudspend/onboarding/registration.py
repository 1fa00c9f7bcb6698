"""The customer's stack phones home: a custom resource request, through a topic that anyone may
publish to.

Whatever the message says, only the token decides. Whatever happens, a request that can be answered
is answered, since a customer's stack that waits in vain hangs for an hour. Only a flood is not: who
sends it cannot be known, so that the refusals of an hour are counted together, and those beyond a
limit are told once and answered no more. A right token gets in meanwhile.
"""

from dataclasses import dataclass
from datetime import datetime

from cloudspend.accounts.lifecycle import (
    connection_lost,
    publish_state_change,
    state_after_connection_loss,
    transition,
    transitioned,
)
from cloudspend.accounts.model import SERVED, Account, AccountState, ChangeCause
from cloudspend.accounts.ports import (
    AccountChanged,
    AccountRegistry,
    Onboarding,
    Registration,
    Responder,
)
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.accounts import AccountConnected, RegistrationsRefused
from cloudspend.alerts.event import Bus, EventAccount
from cloudspend.errors import CloudSpendError, Defect, TransientError, UsageError
from cloudspend.onboarding.claim import (
    Claim,
    Decision,
    claimed_account,
    judge,
    not_made_for,
    read_claim,
)
from cloudspend.onboarding.custom_resource import Kind, Request, Status, Unanswerable, parse
from cloudspend.settings import Settings

ATTEMPTS = 3
LIVE = SERVED | {AccountState.CONNECTED, AccountState.VERIFYING}
REGISTERED = "The account is registered with CloudSpend and is being verified."
FORGOTTEN = "CloudSpend holds nothing in this account any more."
INTERNAL = "CloudSpend failed on its side. Try again with the same link in a few minutes."
# So many refusals in an hour are mistakes; more are no customers'.
REFUSALS_ANSWERED = 30
FLOODED = "Too many registrations were refused in this hour: this one is not answered."
STACK_DELETED = "The customer deleted the CloudSpend stack, and its role with it."


@dataclass(frozen=True)
class Answer:
    """What came of a message, for the log. `status` is None when nothing was sent."""

    status: Status | None
    reason: str


def register(
    message: str,
    registry: AccountRegistry,
    bus: Bus,
    onboarding: Onboarding,
    responder: Responder,
    settings: Settings,
    now: datetime,
) -> Answer:
    """Handle one request and answer it; a repeat of a request is answered the same.

    What the customer or a stranger did wrong is an answer, not an error. What fails after the
    registration was written down is raised, so that the message comes again and the rest is done.
    """
    try:
        request = parse(message, settings.response_hosts)
    except Unanswerable as refusal:
        _should_answer(registry, bus, settings, now)
        return Answer(None, str(refusal))
    reply = _Reply(request, responder)
    if request.kind is Kind.DELETE:
        return _delete(request, reply, registry, bus, settings, now)
    try:
        account = _connected(request, registry, settings, now)
    except CloudSpendError as error:
        broken = isinstance(error, Defect)
        refused = not (broken or isinstance(error, TransientError))
        if refused and not _should_answer(registry, bus, settings, now):
            return Answer(None, FLOODED)
        answer = reply.send(Status.FAILED, INTERNAL if broken else error.sentence)
        if broken:
            raise
        return answer
    except Exception:
        reply.send(Status.FAILED, INTERNAL)
        raise
    try:
        announce(account, bus)
        if account.state is not AccountState.SUSPENDED:
            onboarding.start(account.account_id, f"{account.account_id}_{request.name}")
    finally:
        answer = reply.send(Status.SUCCESS, REGISTERED)
    return answer


def _delete(
    request: Request,
    reply: "_Reply",
    registry: AccountRegistry,
    bus: Bus,
    settings: Settings,
    now: datetime,
) -> Answer:
    """Answer the deletion of a stack, whosever it is."""
    if _owner(request, registry) is None and not _should_answer(registry, bus, settings, now):
        return Answer(None, FLOODED)
    try:
        _forget(request, registry, bus, now)
    finally:
        # A stack that could not be deleted would be the customer's problem for our fault.
        answer = reply.send(Status.SUCCESS, FORGOTTEN)
    return answer


def _should_answer(registry: AccountRegistry, bus: Bus, settings: Settings, now: datetime) -> bool:
    """Count a refusal; whether it is to be answered. The one that meets the limit is told."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    count = registry.refused(hour)
    if count == REFUSALS_ANSWERED:
        platform = EventAccount.platform(settings.account_id)
        bus.put(event(RegistrationsRefused(hour=hour, refused=count), platform, hour.isoformat()))
    return count <= REFUSALS_ANSWERED


@dataclass(frozen=True)
class _Reply:
    request: Request
    responder: Responder

    def send(self, status: Status, reason: str) -> Answer:
        self.responder.put(self.request.response_url, self.request.answer(status, reason))
        return Answer(status, reason)


def _connected(
    request: Request, registry: AccountRegistry, settings: Settings, now: datetime
) -> Account:
    """The account, connected by this request: now, or when the request first arrived."""
    claim = read_claim(request.properties, settings)
    for _ in range(ATTEMPTS - 1):
        try:
            return _connect(request, claim, registry, now)
        except AccountChanged:
            # The same message, delivered twice at once, was quicker: look again.
            continue
    return _connect(request, claim, registry, now)


def _connect(request: Request, claim: Claim, registry: AccountRegistry, now: datetime) -> Account:
    account = registry.find(claim.account_id)
    if account is None:
        raise not_made_for(claim.account_id)
    spent_on = registry.find_registration(claim.account_id, claim.token_sha256)
    if judge(request, claim, account, spent_on, now) is Decision.REPEAT:
        return account
    # A suspended account keeps its new connection for the day on which it is resumed.
    suspended = account.state is AccountState.SUSPENDED
    connected = transitioned(
        account,
        AccountState.SUSPENDED if suspended else AccountState.CONNECTED,
        ChangeCause(request.stack_id, now, account.state_reason if suspended else ""),
        export=claim.export,
        role_arn=claim.role_arn,
        kms_key_arn=claim.kms_key_arn,
        template_version=claim.template_version,
        token_sha256=None,
        stack_id=request.stack_id,
        request_id=request.name,
    )
    registration = Registration(
        claim.account_id, claim.token_sha256, request.stack_id, request.request_id, now
    )
    registry.register(account, connected, registration)
    return connected


def announce(account: Account, bus: Bus) -> None:
    """Say that the account's role is known; it is not proved yet."""
    subject = str(account.request_id)
    publish_state_change(account, bus)
    bus.put(event(AccountConnected(role_arn=str(account.role_arn)), account.for_events, subject))


def _forget(request: Request, registry: AccountRegistry, bus: Bus, now: datetime) -> None:
    """Note that the connection is lost, if the stack that is deleted is the one that made it."""
    account = _owner(request, registry)
    if account is None or account.state not in LIVE:
        return
    state = state_after_connection_loss(account)
    # First the event, then the state: if the second fails, the repeat of the message does both.
    bus.put(
        event(
            connection_lost(state)(
                check="stack",
                reason=STACK_DELETED,
                remedy="If this was a mistake, invite the account again: cloudspend accounts "
                "invite.",
            ),
            account.for_events,
            request.name,
        )
    )
    transition(registry, bus, account, state, ChangeCause(request.stack_id, now, STACK_DELETED))


def _owner(request: Request, registry: AccountRegistry) -> Account | None:
    try:
        account_id, digest = claimed_account(request.properties)
    except UsageError:
        return None
    account = registry.find(account_id)
    spent_on = registry.find_registration(account_id, digest)
    if account is None or spent_on is None or spent_on.stack_id != request.stack_id:
        return None
    return account if account.stack_id == request.stack_id else None
