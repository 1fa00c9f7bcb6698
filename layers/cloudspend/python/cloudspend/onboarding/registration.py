"""Registration of a customer's stack: a custom resource request on a topic that anyone can publish
to.

Only the token is trusted. Every answerable request is answered, because a customer's stack waits
for an hour otherwise. The exception is a flood: its sender is unknown, so refusals are counted per
hour. Beyond a limit they are reported once and no longer answered. A valid token is still accepted.
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
from cloudspend.accounts.model import INGESTING_STATES, Account, AccountState, ChangeCause
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
LIVE = INGESTING_STATES | {AccountState.CONNECTED, AccountState.VERIFYING}
REGISTERED = "The account is registered with CloudSpend and is being verified."
FORGOTTEN = "CloudSpend holds nothing in this account any more."
INTERNAL = "CloudSpend failed on its side. Try again with the same link in a few minutes."
# Refusals within an hour that mistakes explain; more than these are a flood.
REFUSALS_ANSWERED = 30
FLOODED = "Too many registrations were refused in this hour: this one is not answered."
STACK_DELETED = "The customer deleted the CloudSpend stack, and its role with it."


@dataclass(frozen=True)
class Answer:
    """The result of a message, for the log. `status` is None when nothing was sent."""

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
    """Handle one request and answer it. A repeated request gets the same answer.

    Errors of the customer or a stranger are answers. An error after the registration was saved is
    raised, which makes SNS deliver the message again.
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
    """Answer the deletion of any stack."""
    if _owner(request, registry) is None and not _should_answer(registry, bus, settings, now):
        return Answer(None, FLOODED)
    try:
        _forget(request, registry, bus, now)
    finally:
        # A failed answer would leave the customer with a stack that cannot be deleted.
        answer = reply.send(Status.SUCCESS, FORGOTTEN)
    return answer


def _should_answer(registry: AccountRegistry, bus: Bus, settings: Settings, now: datetime) -> bool:
    """Count a refusal and return whether to answer it. Reports the one that reaches the limit."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    count = registry.increment_refusals(hour)
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
    """Return the account that this request connects, now or when it first arrived."""
    claim = read_claim(request.properties, settings)
    for _ in range(ATTEMPTS - 1):
        try:
            return _connect(request, claim, registry, now)
        except AccountChanged:
            # The same message was delivered twice at once: read the account again.
            continue
    return _connect(request, claim, registry, now)


def _connect(request: Request, claim: Claim, registry: AccountRegistry, now: datetime) -> Account:
    account = registry.find(claim.account_id)
    if account is None:
        raise not_made_for(claim.account_id)
    spent_on = registry.find_registration(claim.account_id, claim.token_sha256)
    if judge(request, claim, account, spent_on, now) is Decision.REPEAT:
        return account
    # A suspended account keeps its new connection until it is resumed.
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
    """Publish that the account's role is registered. It is not verified yet."""
    subject = str(account.request_id)
    publish_state_change(account, bus)
    bus.put(event(AccountConnected(role_arn=str(account.role_arn)), account.for_events, subject))


def _forget(request: Request, registry: AccountRegistry, bus: Bus, now: datetime) -> None:
    """Record the loss of the connection if the deleted stack created it."""
    account = _owner(request, registry)
    if account is None or account.state not in LIVE:
        return
    state = state_after_connection_loss(account)
    # Publish first: if saving fails, the repeated message does both.
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
