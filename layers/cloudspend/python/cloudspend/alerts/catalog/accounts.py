"""What befalls an account: invited, connected, active."""

from collections.abc import Mapping

from cloudspend.alerts import schema as s
from cloudspend.alerts.catalog.event_type import GENERATION, MAX_NAMES, EventType
from cloudspend.alerts.event import Severity

EVENTS: Mapping[str, EventType] = {
    "AccountInvited": EventType(
        Severity.INFO,
        "{name} ({id}) is invited. A link that registers a role works once, until {expires_at}.",
        (
            (
                "Send the link to someone who may create what it makes in the account {id}: IAM "
                "roles, or, where an access key is to follow, a bucket and an export."
            ),
            "When the link expires unused, make a new one: cloudspend accounts invite.",
        ),
        {"expires_at": s.TIME},
    ),
    "AccountConnected": EventType(
        Severity.INFO,
        "The customer's stack in {name} ({id}) has registered the role {role_arn}; "
        "the connection is being verified.",
        (),
        {"role_arn": s.TEXT},
    ),
    "AccountStateChanged": EventType(
        Severity.INFO,
        "{name} ({id}) is {after}; it was {before}. {by} did it. {reason}",
        ("See its whole life: cloudspend accounts history {id}.",),
        {"before": s.nullable(s.TEXT), "after": s.TEXT, "by": s.TEXT, "reason": s.nullable(s.TEXT)},
    ),
    "AccountUpdated": EventType(
        Severity.INFO,
        "{name} ({id}) was changed by {by}: {changes}.",
        (),
        {"by": s.TEXT, "changes": s.listing(s.TEXT, MAX_NAMES)},
    ),
    "AccountRemoved": EventType(
        Severity.INFO,
        "{name} ({id}) is offboarded. {data} Removed: {removed}.",
        ("{customer}", "See the proof: cloudspend accounts proof {id}."),
        {"data": s.TEXT, "removed": s.TEXT, "report": s.TEXT, "customer": s.TEXT},
    ),
    "CountedTwice": EventType(
        Severity.CRITICAL,
        "The bill of the organization {name} ({id}) has the cost of accounts that are onboarded by "
        "themselves: {accounts}. Whoever sums over all accounts counts it twice.",
        (
            "Move it to the organization: cloudspend accounts verify {id} --move-coverage.",
            "Or let one of the two go: cloudspend accounts offboard.",
        ),
        {"accounts": s.TEXT},
    ),
    "CoverageMoved": EventType(
        Severity.WARNING,
        "Nothing of {name} ({id}) is taken in any more: its cost is in the bill of the "
        "organization {organization_name} ({organization}).",
        (
            "Query its cost there, by subaccountid = '{id}'.",
            "Have its customer delete the stack 'cloudspend' in the account, if there is one.",
        ),
        {"organization": s.TEXT, "organization_name": s.TEXT},
    ),
    "PeriodMoved": EventType(
        Severity.INFO,
        "The month {period} of {name} ({id}) is no longer shown by itself: the bill of the "
        "organization {organization_name} ({organization}) has it.",
        ("Query it there, by account_id = '{organization}' and subaccountid = '{id}'.",),
        {
            **GENERATION,
            "organization": s.TEXT,
            "organization_name": s.TEXT,
        },
    ),
    "TemplateOutdated": EventType(
        Severity.WARNING,
        "The stack of {name} ({id}) is of the template's version {version}; {newest} is the "
        "newest.",
        (
            "Send this link to someone who may update the stack, whose parameters stay: {link}",
            "What the stack may do, for the customer's reviewer: docs/security.md.",
        ),
        {"version": s.TEXT, "newest": s.TEXT, "link": s.TEXT},
    ),
    "MemberJoined": EventType(
        Severity.INFO,
        "The account {member_name} ({member}) has joined the organization {name} ({id}); its "
        "charges are in the organization's bill from {joined_at} on.",
        ("See all members, and whether they are reached: cloudspend accounts members {id}.",),
        {"member": s.TEXT, "member_name": s.TEXT, "joined_at": s.TIME},
    ),
    "MemberLeft": EventType(
        Severity.WARNING,
        "The account {member_name} ({member}) is no longer a member of the organization {name} "
        "({id}), in which it was last seen at {seen_at}. It is not expected in later bills.",
        (
            "If it still belongs to the customer, invite it: cloudspend accounts invite {member}.",
            "See all members: cloudspend accounts members {id}.",
        ),
        {"member": s.TEXT, "member_name": s.TEXT, "seen_at": s.TIME, "status": s.TEXT},
    ),
    "RegistrationsRefused": EventType(
        Severity.WARNING,
        "{name} ({id}) has refused {refused} registrations in the hour from {hour} on, more than "
        "mistakes account for. The hour's other refusals are not answered; a right link still "
        "works.",
        (
            "Look at the log of cloudspend-onboard-register for what the messages said.",
            "Send new links to customers whose stacks hang: cloudspend accounts invite.",
        ),
        {"hour": s.TIME, "refused": s.COUNT},
    ),
}
