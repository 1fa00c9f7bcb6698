"""Invite many accounts at once, after checking the whole list.

Every field of every account is validated separately with the rules of an invitation, so all errors
are reported together. A list can be imported again after an interruption: existing accounts are
skipped and reported.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cloudspend.accounts.account_list import Entry, Problem, Sheet, Value
from cloudspend.accounts.coverage import refuse_twice
from cloudspend.accounts.invite import InviteRequest, invite, prepared
from cloudspend.accounts.lifecycle import TRANSITIONS
from cloudspend.accounts.model import Account, AccountState, ChangeCause
from cloudspend.accounts.ports import InvitationPorts
from cloudspend.errors import UsageError

# Each column of a list, the field of an invitation that it fills, and its meaning.
COLUMNS: Mapping[str, tuple[str, str]] = {
    "account_id": ("account_id", "12 digits; the only column that every account must have"),
    "name": ("display_name", "Display name, unique without regard to case; a new account's"),
    "type": ("type", "ORGANIZATION or LINKED"),
    "partition": ("partition", "aws, aws-us-gov or aws-cn; the platform's own"),
    "regions": ("regions", "Regions that the customer mainly uses"),
    "start_date": ("start_date", "YYYY-MM-DD: take in bills from here on"),
    "retention_months": ("retention_months", "13, 36, 84 or keep"),
    "export_kind": ("export_kind", "CUR_2_0, CUR_LEGACY, FOCUS_1_0 or FOCUS_1_2"),
    "export_setup": ("export_setup", "CREATE_ALL, CREATE_EXPORT or USE_EXISTING"),
    "export_bucket": ("export_bucket", "Name of the export's bucket"),
    "export_prefix": ("export_prefix", "Prefix within the bucket"),
    "export_name": ("export_name", "Name of the export"),
    "billing_detail": ("billing_detail", "yes or no: fill the table billing_detail as well"),
    "tag_columns": ("tag_columns", "Tags that get columns of their own in cost_and_usage"),
    "contacts": ("contacts", "E-mail addresses at the customer's"),
    "owner": ("owner", "Who in your own house looks after the account"),
    "cost_centre": ("cost_centre", "Your own cost centre for the account"),
    "freshness_hours": ("fresh_hours", "After how many hours without a delivery it is overdue"),
    "notes": ("notes", "Anything else, up to 2000 characters"),
    "connection": ("connection", "IAM_ROLE or ACCESS_KEY: for a key the stack makes no role"),
    "phone_home": ("phone_home", "yes or no: whether the customer's stack registers itself"),
    "member_stacks": (
        "member_stacks",
        "How members get their stacks: NONE, SERVICE_MANAGED, SELF_MANAGED or DELEGATED_ADMIN",
    ),
    "members_in": ("members_in", "Which members: units or the root; for SELF_MANAGED accounts"),
    "move_coverage": (
        "move_coverage",
        "yes or no: whether an organization takes over what onboarded members bring",
    ),
}
LISTS = frozenset({"regions", "tag_columns", "contacts", "members_in"})
FLAGS = frozenset({"billing_detail", "phone_home", "move_coverage"})
_TRUTH = {"yes": True, "true": True, "no": False, "false": False}
# A valid account, for validating one field at a time.
_ANY_ID, _ANY_NAME = "000000000000", "A name"
# Columns that the validation of other fields depends on.
_GROUND = ("export_kind", "type")
# Columns that are only valid together; errors are reported for the first one.
_TOGETHER = {"members_in": "member_stacks"}


@dataclass(frozen=True)
class Wanted:
    """A valid account of a list."""

    line: int
    request: InviteRequest


@dataclass(frozen=True)
class Imported:
    """The result for one account of a list.

    `link` is empty for a skipped account, and `note` is the reason.
    """

    account: Account
    link: str
    note: str
    members_link: str = ""


def check(
    sheet: Sheet, invitation_ports: InvitationPorts, act: ChangeCause, *, again: bool = False
) -> tuple[list[Wanted], list[Problem]]:
    """Return the valid accounts and all errors of the list. Writes nothing."""
    there = {account.account_id: account for account in invitation_ports.registry.list()}
    wanted: list[Wanted] = []
    problems = [*sheet.problems, *_twice(sheet.entries), *_taken(sheet.entries, there)]
    for entry in sheet.entries:
        request, wrong = _request(entry)
        existing = there.get(request.account_id)
        tried = entry.said.keys() - {one.field for one in wrong}
        wrong += _wrong_fields(entry, tried, request, existing, invitation_ports, act)
        if not wrong and (existing is None or _is_due(existing, act, again=again)):
            wrong += _wrong_together(entry, request, existing, invitation_ports, act)
        problems += wrong
        wanted.append(Wanted(entry.line, request))
    return wanted, sorted(set(problems), key=lambda one: (one.line, one.field))


def import_accounts(
    wanted: Sequence[Wanted],
    invitation_ports: InvitationPorts,
    act: ChangeCause,
    *,
    again: bool = False,
) -> Iterator[Imported]:
    """Invite the accounts one after another and yield each result.

    Skips accounts that are invited or further along, unless their link has expired: a link is shown
    once, and a new one would invalidate it. With `again`, invites those that can be invited again.
    """
    for one in wanted:
        existing = invitation_ports.registry.find(one.request.account_id)
        if existing is not None and not _is_due(existing, act, again=again):
            yield Imported(existing, "", _left(existing))
            continue
        invitation = invite(one.request, invitation_ports, act)
        note = "invited" if invitation.link else "invited; its stack has nothing to make"
        yield Imported(invitation.account, invitation.link, note, invitation.members_link or "")


def _is_due(account: Account, act: ChangeCause, *, again: bool) -> bool:
    if again:
        return AccountState.INVITED in TRANSITIONS[account.state]
    return account.state is AccountState.INVITED and account.expires_at <= act.at


def _left(account: Account) -> str:
    if account.state is AccountState.INVITED:
        return "invited already; its link was shown then, --again makes another"
    return f"{account.state} already"


def _request(entry: Entry) -> tuple[InviteRequest, list[Problem]]:
    """Return the invitation for the entry, with the errors of values that cannot be parsed."""
    values: dict[str, Any] = {}
    wrong: list[Problem] = []
    for column, value in entry.said.items():
        if column not in COLUMNS:
            continue
        if column not in LISTS and not isinstance(value, str):
            wrong.append(Problem(entry.line, column, _words(value), "one text"))
        elif column in FLAGS:
            truth = _TRUTH.get(str(value).lower())
            if truth is None:
                wrong.append(Problem(entry.line, column, _words(value), "yes or no"))
            else:
                values[COLUMNS[column][0]] = truth
        else:
            values[COLUMNS[column][0]] = value
    return InviteRequest(**values), wrong


def _wrong_fields(
    entry: Entry,
    tried: Collection[str],
    request: InviteRequest,
    existing: Account | None,
    invitation_ports: InvitationPorts,
    act: ChangeCause,
) -> list[Problem]:
    """Validate the given columns of the account one by one."""
    wrong = []
    if "account_id" not in entry.said:
        wrong.append(Problem(entry.line, "account_id", "", "exactly 12 digits"))
    if existing is None and "name" not in entry.said:
        wrong.append(Problem(entry.line, "name", "", "a display name: the account is new"))
    sound = InviteRequest(account_id=_ANY_ID, display_name=_ANY_NAME)
    for ground in _GROUND:
        grounded = replace(sound, **{ground: getattr(request, ground)})
        if _refusal(grounded, None, invitation_ports, act) is None:
            sound = grounded
    for column, (field, _) in COLUMNS.items():
        if column not in tried:
            continue
        if _TOGETHER.get(column) in tried:
            continue
        others = [other for other, first in _TOGETHER.items() if first == column]
        alone = replace(sound, **{name: getattr(request, name) for name in (field, *others)})
        if refusal := _refusal(alone, None, invitation_ports, act):
            allowed = str(refusal.details.get("allowed") or refusal.sentence)
            wrong.append(Problem(entry.line, column, _words(entry.said[column]), allowed))
    return wrong


def _wrong_together(
    entry: Entry,
    request: InviteRequest,
    existing: Account | None,
    invitation_ports: InvitationPorts,
    act: ChangeCause,
) -> list[Problem]:
    """Validate fields that depend on each other, and check for double counting."""
    refusal = _counted_twice(request, existing, invitation_ports, act)
    if refusal is None:
        return []
    return [Problem(entry.line, "account", request.account_id, refusal.sentence)]


def _refusal(
    request: InviteRequest,
    existing: Account | None,
    invitation_ports: InvitationPorts,
    act: ChangeCause,
) -> UsageError | None:
    try:
        prepared(request, existing, invitation_ports, act)
    except UsageError as error:
        return error
    return None


def _counted_twice(
    request: InviteRequest,
    existing: Account | None,
    invitation_ports: InvitationPorts,
    act: ChangeCause,
) -> UsageError | None:
    try:
        refuse_twice(
            prepared(request, existing, invitation_ports, act).account, invitation_ports.registry
        )
    except UsageError as error:
        return error
    return None


def _twice(entries: Sequence[Entry]) -> Iterator[Problem]:
    """Yield errors for account ids and names that occur earlier in the list."""
    for column in ("account_id", "name"):
        lines: dict[str, list[int]] = defaultdict(list)
        for entry in entries:
            value = entry.said.get(column)
            if isinstance(value, str):
                lines[value.casefold()].append(entry.line)
        for entry in entries:
            value = entry.said.get(column)
            first = lines[value.casefold()][0] if isinstance(value, str) else entry.line
            if first != entry.line:
                allowed = f"one that no line has before; line {first} has it"
                yield Problem(entry.line, column, _words(value or ""), allowed)


def _taken(entries: Sequence[Entry], there: Mapping[str, Account]) -> Iterator[Problem]:
    """Yield errors for names that accounts outside the list use."""
    holders = {account.display_name.casefold(): account for account in there.values()}
    for entry in entries:
        name = entry.said.get("name")
        holder = holders.get(name.casefold()) if isinstance(name, str) else None
        if holder and holder.account_id != entry.said.get("account_id"):
            allowed = f"a name that no other account has; {holder.account_id} has it"
            yield Problem(entry.line, "name", _words(name or ""), allowed)


def _words(value: Value) -> str:
    return (value if isinstance(value, str) else "; ".join(value))[:80]
