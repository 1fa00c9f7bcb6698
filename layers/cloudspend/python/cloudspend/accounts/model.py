"""An onboarded AWS account and what the platform knows of it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from cloudspend.alerts.event import EventAccount


class AccountType(StrEnum):
    """ORGANIZATION is a management (payer) account with its members, LINKED a single account."""

    ORGANIZATION = "ORGANIZATION"
    LINKED = "LINKED"


class ConnectionKind(StrEnum):
    """How the platform gets in: by a role of the customer's, or by the key of one of its users."""

    IAM_ROLE = "IAM_ROLE"
    ACCESS_KEY = "ACCESS_KEY"


class AccountState(StrEnum):
    """Where an account stands in its life; `lifecycle.TRANSITIONS` says what may follow what."""

    INVITED = "invited"
    CONNECTED = "connected"
    VERIFYING = "verifying"
    BACKFILLING = "backfilling"
    ACTIVE = "active"
    DEGRADED = "degraded"
    SUSPENDED = "suspended"
    OFFBOARDING = "offboarding"
    REMOVED = "removed"
    FAILED = "failed"


# Whose bills are taken in, swept and collected. A degraded account has lost something, and what
# still works goes on.
SERVED = frozenset({AccountState.BACKFILLING, AccountState.ACTIVE, AccountState.DEGRADED})
# Of whom nothing new is kept: what there was is being deleted, or is as it was left.
LEAVING = frozenset({AccountState.OFFBOARDING, AccountState.REMOVED})


class ExportKind(StrEnum):
    """The four kinds of cost export that AWS delivers."""

    CUR_LEGACY = "CUR_LEGACY"
    CUR_2_0 = "CUR_2_0"
    FOCUS_1_0 = "FOCUS_1_0"
    FOCUS_1_2 = "FOCUS_1_2"

    @property
    def is_cur(self) -> bool:
        """Whether it holds AWS's own line items, which `billing_detail` is made of."""
        return self in (ExportKind.CUR_LEGACY, ExportKind.CUR_2_0)


class ExportSetup(StrEnum):
    """What the customer's stack makes for the bill: bucket and export, the export alone, or
    nothing, since both are there."""

    CREATE_ALL = "CREATE_ALL"
    CREATE_EXPORT = "CREATE_EXPORT"
    USE_EXISTING = "USE_EXISTING"


class MemberStacks(StrEnum):
    """How what must exist in an organization's member accounts gets there: not at all, or by a
    StackSet. That is of the management account, with or without trusted access of StackSets to the
    organization, or of a delegated administrator for StackSets."""

    NONE = "NONE"
    SERVICE_MANAGED = "SERVICE_MANAGED"
    SELF_MANAGED = "SELF_MANAGED"
    DELEGATED_ADMIN = "DELEGATED_ADMIN"


# The three that the Data Exports API delivers; the legacy report has an API of its own.
DATA_EXPORTS = frozenset({ExportKind.CUR_2_0, ExportKind.FOCUS_1_0, ExportKind.FOCUS_1_2})


class CheckStatus(StrEnum):
    """What a check found. WARNING: it works, and should be mended all the same."""

    PASSED = "passed"
    WARNING = "warning"
    DENIED = "denied"
    NOT_AVAILABLE = "not_available"


@dataclass(frozen=True)
class Export:
    """Where AWS delivers an account's bill: `s3://<bucket>/<prefix>/<name>/...`."""

    kind: ExportKind
    bucket: str
    prefix: str
    name: str


@dataclass(frozen=True)
class ChangeCause:
    """What moves an account: who does it, when, and why."""

    by: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True)
class Change:
    """One step of an account's life. They are numbered from 1 on without a gap; `before` is None
    for the first."""

    number: int
    before: AccountState | None
    after: AccountState
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True)
class KeyFacts:
    """What is known of an account's access key. The key itself is in Secrets Manager alone.

    `user_arn` is the IAM user whose key it is, `ending` are the last four characters of its id, for
    people to tell it by. `made_at` is when the customer made it; where AWS does not say, when the
    platform was given it, and `age_known` is False then: the key is at least that old.
    """

    user_arn: str
    ending: str
    made_at: datetime
    age_known: bool
    given_at: datetime


@dataclass(frozen=True)
class Account:
    """One item of the registry. `account_id` (12 digits) is its only key.

    `external_id` is made by the platform, one per account. It is no secret (AWS IAM user guide,
    "Access to AWS accounts owned by third parties"). Of the registration token only the SHA-256
    is kept; it is None once the token was used. `stack_id` and `request_id` name the customer's
    stack and its request that connected the account last. `billing_detail` says whether the table
    of that name is filled; `tag_columns` are keys of tags, in any spelling, that get a column of
    their own in `cost_and_usage`. `kms_key_arn` is the customer's key that the bill is encrypted
    with, `template_version` what the customer's stack was made from; None where there is none.
    `regions` are those that the customer mainly uses. `last_change` is what brought the account
    into its state, None only where nobody wrote that down yet; `activated_at` is when it became
    active first. `partition` is AWS's, and decides endpoints and ARNs. `contacts` are e-mail
    addresses of the customer's; `owner` and `cost_centre` are whose it is in the platform team's
    own house. `fresh_hours` is its target of freshness; None for the platform's.
    `covered_by` is the organization whose bill has taken the place of the account's own;
    `move_coverage` says of an organization that its bill may do so for its members.
    `key` is there while the platform holds an access key; with a `role_arn` beside it, the account
    is moving to that role, which takes the key's place once it is proved.
    """

    account_id: str
    display_name: str
    type: AccountType
    regions: tuple[str, ...]
    start_date: date
    retention_months: int | None
    export: Export
    external_id: str
    state: AccountState
    invited_at: datetime
    expires_at: datetime
    token_sha256: str | None = None
    role_arn: str | None = None
    state_reason: str = ""
    stack_id: str | None = None
    request_id: str | None = None
    billing_detail: bool = False
    tag_columns: tuple[str, ...] = ()
    kms_key_arn: str | None = None
    template_version: str | None = None
    last_change: Change | None = None
    activated_at: datetime | None = None
    key: KeyFacts | None = None
    partition: str = "aws"
    contacts: tuple[str, ...] = ()
    owner: str = ""
    cost_centre: str = ""
    notes: str = ""
    fresh_hours: int | None = None
    covered_by: str | None = None
    move_coverage: bool = False

    @property
    def is_served(self) -> bool:
        """Whether its bills are taken in, swept and collected."""
        return self.state in SERVED

    @property
    def connection(self) -> ConnectionKind:
        """How the platform gets in now."""
        return ConnectionKind.ACCESS_KEY if self.key else ConnectionKind.IAM_ROLE

    @property
    def offered(self) -> ConnectionKind:
        """The connection to be proved: other than `connection` while an account moves to a role."""
        return self.connection if self.role_arn is None else ConnectionKind.IAM_ROLE

    def fresh_for(self, usual: timedelta) -> timedelta:
        """How old its newest delivery and charge may be; `usual` where it has no target of its
        own."""
        return usual if self.fresh_hours is None else timedelta(hours=self.fresh_hours)

    @property
    def for_events(self) -> EventAccount:
        """The account as events name it."""
        return EventAccount(self.account_id, self.display_name, self.type)


@dataclass(frozen=True)
class Check:
    """One proof of the connection: what was tried, what came of it, what the customer can do.

    `denied_by` is what refused it, as far as AWS says (`cloudspend.access.denials.DeniedBy`).
    """

    name: str
    action: str
    status: CheckStatus
    reason: str
    remedy: str
    checked_at: datetime
    denied_by: str = ""


@dataclass(frozen=True)
class Member:
    """An account of an onboarded organization, as AWS Organizations lists it.

    `status` is Organizations' word (ACTIVE, SUSPENDED, PENDING_CLOSURE, CLOSED). `joined_at` is
    when it came into the organization, `seen_at` when the platform saw it there last; `left_at` is
    when it was missed, None while it belongs there.
    """

    account_id: str
    name: str
    status: str
    joined_at: datetime
    seen_at: datetime
    left_at: datetime | None = None
