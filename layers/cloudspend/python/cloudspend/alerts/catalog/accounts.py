"""Events of accounts: invitation, state, coverage and members."""

from datetime import datetime

from cloudspend.alerts.catalog.event_type import Count, EventDetails, Names, Period
from cloudspend.alerts.event import Severity


class AccountInvited(EventDetails, frozen=True, kw_only=True):
    """A link was created for an account."""

    severity = Severity.INFO
    title = "invited; the link expires {expires_at}"
    sentence = "{name} ({id}) is invited. Its link registers one role, until {expires_at}."
    actions = (
        (
            "Send the link to someone who can create its resources in the account {id}: IAM roles, "
            "or a bucket and an export if an access key will follow."
        ),
        "If the link expires unused, create a new one: cloudspend accounts invite.",
    )
    expires_at: datetime


class AccountConnected(EventDetails, frozen=True, kw_only=True):
    """A customer's stack has registered its role."""

    severity = Severity.INFO
    title = "the customer's stack has registered its role"
    sentence = (
        "The customer's stack in {name} ({id}) has registered the role {role_arn}. The connection "
        "is being verified."
    )
    role_arn: str


class AccountStateChanged(EventDetails, frozen=True, kw_only=True):
    """An account has changed its state."""

    severity = Severity.INFO
    title = "now {after}[, was {before}]"
    sentence = "{name} ({id}) is now {after}[; it was {before}]. Changed by {by}.[ {reason}]"
    actions = ("See the account's history: cloudspend accounts history {id}.",)
    before: str | None = None
    after: str
    by: str
    reason: str | None = None


class AccountUpdated(EventDetails, frozen=True, kw_only=True):
    """Fields of an account were changed."""

    severity = Severity.INFO
    title = "account details changed by {by}"
    sentence = "{name} ({id}) was changed by {by}: {changes}."
    by: str
    changes: Names


class AccountRemoved(EventDetails, frozen=True, kw_only=True):
    """An account is offboarded."""

    severity = Severity.INFO
    title = "offboarded"
    sentence = "{name} ({id}) is offboarded. {data} Removed: {removed}."
    actions = ("{customer}", "See the proof: cloudspend accounts proof {id}.")
    data: str
    removed: str
    report: str
    customer: str


class CountedTwice(EventDetails, frozen=True, kw_only=True):
    """Two onboarded accounts bring the same cost."""

    severity = Severity.CRITICAL
    title = "costs of member accounts are counted twice"
    sentence = (
        "The bill of the organization {name} ({id}) contains the cost of accounts that are also "
        "onboarded separately: {accounts}. A sum over all accounts counts it twice."
    )
    actions = (
        "Move the coverage to the organization: cloudspend accounts verify {id} --move-coverage.",
        "Or offboard one of the two: cloudspend accounts offboard.",
    )
    accounts: str


class CoverageMoved(EventDetails, frozen=True, kw_only=True):
    """An organization brings the cost of an account from now on."""

    severity = Severity.WARNING
    title = "its cost now comes with the bill of {organization_name}"
    sentence = (
        "CloudSpend no longer ingests {name} ({id}) separately: its cost is in the bill of the "
        "organization {organization_name} ({organization})."
    )
    actions = (
        "Query its cost there, with subaccountid = '{id}'.",
        "Have its customer delete the stack 'cloudspend' in the account, if there is one.",
    )
    organization: str
    organization_name: str


class PeriodMoved(EventDetails, frozen=True, kw_only=True):
    """An organization's bill replaces an account's own month."""

    severity = Severity.INFO
    title = "{month} is now shown in the bill of {organization_name}"
    sentence = (
        "The month {period} of {name} ({id}) is no longer shown separately: it is in the bill of "
        "the organization {organization_name} ({organization})."
    )
    actions = ("Query it with account_id = '{organization}' and subaccountid = '{id}'.",)
    period: Period
    generation: str
    organization: str
    organization_name: str


class TemplateOutdated(EventDetails, frozen=True, kw_only=True):
    """A customer's stack was created from an older template."""

    severity = Severity.WARNING
    title = "the customer's stack needs an update (version {version}, newest {newest})"
    sentence = (
        "The stack of {name} ({id}) has version {version} of the template. The newest version is "
        "{newest}."
    )
    actions = (
        "Send this link to someone who can update the stack; its parameters stay: {link}",
        "For the customer's reviewer, docs/security.md explains what the stack can do.",
    )
    version: str
    newest: str
    link: str


class MemberJoined(EventDetails, frozen=True, kw_only=True):
    """An account has joined an organization."""

    severity = Severity.INFO
    title = "{member_name} joined the organization"
    sentence = (
        "The account {member_name} ({member}) has joined the organization {name} ({id}). Its "
        "charges are in the organization's bill from {joined_at} on."
    )
    actions = ("See all members and their reach: cloudspend accounts members {id}.",)
    member: str
    member_name: str
    joined_at: datetime


class MemberLeft(EventDetails, frozen=True, kw_only=True):
    """An account has left an organization."""

    severity = Severity.WARNING
    title = "{member_name} left the organization"
    sentence = (
        "The account {member_name} ({member}) is no longer a member of the organization {name} "
        "({id}). It was last seen there at {seen_at} and is not expected in later bills."
    )
    actions = (
        "If it still belongs to the customer, invite it: cloudspend accounts invite {member}.",
        "See all members: cloudspend accounts members {id}.",
    )
    member: str
    member_name: str
    seen_at: datetime
    status: str


class RegistrationsRefused(EventDetails, frozen=True, kw_only=True):
    """The registration topic receives more wrong messages than mistakes explain."""

    severity = Severity.WARNING
    title = "{refused} registrations were refused within an hour"
    sentence = (
        "{name} ({id}) has refused {refused} registrations in the hour from {hour}, more than "
        "mistakes explain. Further wrong ones in this hour are not answered; a valid link still "
        "works."
    )
    actions = (
        "See what was refused in the log of cloudspend-onboard-register.",
        "Send new links to customers whose stacks wait for an answer: cloudspend accounts invite.",
    )
    hour: datetime
    refused: Count
