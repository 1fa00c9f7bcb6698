"""Sessions in customers' accounts, by AssumeRole or by GetFederationToken with an access key."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from cloudspend.access.aws.key_errors import INVALID_KEY
from cloudspend.access.keys import AccessKey, Identity
from cloudspend.access.ports import CURRENT, STAGES, AccessKeyStore
from cloudspend.access.session_policy import session_policy
from cloudspend.accounts.model import Account, ConnectionKind
from cloudspend.aws.errors import DENIED, call, code
from cloudspend.errors import ConnectionRefused, PermissionDenied
from cloudspend.settings import CUSTOMER_ROLE, PREFIX, SESSION_TAGS

# Longest session of a role that another role assumes (IAM user guide, "Role chaining").
SESSION_SECONDS = 3600
# AWS STS API reference: RoleSessionName and SourceIdentity of AssumeRole, Name of
# GetFederationToken.
MAX_SESSION_NAME = 64
MAX_FEDERATED_NAME = 32
MAX_TAG_VALUE = 256
VERIFY = "verify"

USE_ROLE_AGAIN = f"See that the stack with the role {CUSTOMER_ROLE} still exists in the account"
NEW_KEY = "Give a key that works: cloudspend accounts rotate-key"

_RETRIES = Config(retries={"mode": "standard", "max_attempts": 5})


@dataclass(frozen=True)
class SessionIdentity:
    """The part of the platform that enters an account: function or operator, request, and
    execution.

    `execution` is written as `machine:name`.
    """

    platform_id: str
    name: str
    request: str = ""
    execution: str = ""

    @property
    def run(self) -> str:
        """Return the execution's name."""
        return self.execution.rpartition(":")[2]

    def tags(self, purpose: str) -> list[dict[str, str]]:
        """Return the session tags, which the customer's CloudTrail records."""
        values = (purpose, self.name, self.request, self.execution)
        return [
            {"Key": key, "Value": re.sub(r"[^\w .:/=+@-]", "-", value)[:MAX_TAG_VALUE]}
            for key, value in zip(SESSION_TAGS, values, strict=True)
            if value
        ]


class StsCustomerSessions:
    """`CustomerSessions` by AWS STS, and the boto3 sessions that adapters use.

    `sts` and all other clients use the platform's own region, because the global endpoint depends
    on one region.
    """

    def __init__(
        self,
        sts: Any,
        region: str,
        key_store: AccessKeyStore,
        visitor: Callable[[], SessionIdentity],
    ) -> None:
        self._sts = sts
        self._region = region
        self._vault = key_store
        self._visitor = visitor
        self._unmarked: set[str] = set()

    @property
    def platform_id(self) -> str:
        return self._visitor().platform_id

    def enter(self, account: Account, external_id: str | None) -> str | None:
        try:
            session = self._assume(account, external_id, VERIFY, {})
        except ConnectionRefused:
            return None
        return self._identity(session).account_id

    def accepts_session_tags(self, account: Account) -> bool:
        try:
            self._assume(account, account.external_id, VERIFY, self._marks(VERIFY))
        except ConnectionRefused:
            return False
        return True

    def trust_policy(self, account: Account) -> Mapping[str, Any]:
        role = str(account.role_arn).rpartition("/")[2]
        iam = self._by_role(account, VERIFY).client("iam", config=_RETRIES)
        try:
            found: Mapping[str, Any] = call(iam.get_role, RoleName=role)["Role"]
        except ClientError as error:
            raise PermissionDenied(str(error), check="iam:GetRole") from error
        policy: Mapping[str, Any] = found["AssumeRolePolicyDocument"]
        return policy

    def enter_by_key(self, account: Account) -> Identity:
        return self._identity(self._by_stored_key(account, VERIFY))

    def customer_session(self, account: Account, purpose: str) -> boto3.Session:
        """Return a session of one hour in the customer's account, in the platform's region.

        `purpose` is recorded in the customer's CloudTrail. Raises ConnectionRefused and
        TransientError.
        """
        return self._enter(account, account.connection, purpose)

    def pending_session(self, account: Account) -> boto3.Session:
        """Return a session with the pending connection."""
        return self._enter(account, account.pending_connection, VERIFY)

    def session_by(self, account: Account, key: AccessKey, purpose: str) -> boto3.Session:
        """Return a session of one hour with this key, which need not be stored, limited by the
        session policy.
        """
        sts = self.long_term(key).client("sts", config=_RETRIES)
        try:
            answer = call(
                sts.get_federation_token,
                Name=session_name(purpose)[:MAX_FEDERATED_NAME],
                Policy=session_policy(account, self._partition),
                DurationSeconds=SESSION_SECONDS,
            )
        except ClientError as error:
            raise self._refused_key(account, key, error) from error
        return self._session(answer["Credentials"])

    def long_term(self, key: AccessKey) -> boto3.Session:
        """Return a session with the key itself, to query its owner and permissions."""
        return boto3.Session(
            aws_access_key_id=key.id, aws_secret_access_key=key.secret, region_name=self._region
        )

    @property
    def _partition(self) -> str:
        return str(self._sts.meta.partition)

    def _enter(self, account: Account, way: ConnectionKind, purpose: str) -> boto3.Session:
        if way is ConnectionKind.ACCESS_KEY:
            return self._by_stored_key(account, purpose)
        return self._by_role(account, purpose)

    def _by_role(self, account: Account, purpose: str) -> boto3.Session:
        """Return a session with the role, with tags and a source identity if the role accepts them.

        A role of an earlier template, or an operator with a source identity, is entered without
        them.
        """
        if account.role_arn is None:
            raise ConnectionRefused(
                f"The account {account.account_id} has no role yet: no one has followed its link.",
                remedy=f"See what it waits for: cloudspend accounts show {account.account_id}.",
            )
        role = account.role_arn
        if role not in self._unmarked:
            try:
                return self._assume(account, account.external_id, purpose, self._marks(purpose))
            except ConnectionRefused:
                session = self._assume(account, account.external_id, purpose, {})
                self._unmarked.add(role)
                return session
        return self._assume(account, account.external_id, purpose, {})

    def _marks(self, purpose: str) -> dict[str, Any]:
        visitor = self._visitor()
        return {"Tags": visitor.tags(purpose), "SourceIdentity": session_name(visitor.name)}

    def _assume(
        self, account: Account, external_id: str | None, purpose: str, marks: Mapping[str, Any]
    ) -> boto3.Session:
        try:
            answer = call(
                self._sts.assume_role,
                RoleArn=account.role_arn,
                RoleSessionName=session_name(purpose, self._visitor().run),
                DurationSeconds=SESSION_SECONDS,
                **({} if external_id is None else {"ExternalId": external_id}),
                **marks,
            )
        except ClientError as error:
            if code(error) not in DENIED:
                raise
            raise ConnectionRefused(
                f"The role {account.role_arn} cannot be assumed.",
                remedy=f"{USE_ROLE_AGAIN} {account.account_id}.",
            ) from error
        return self._session(answer["Credentials"])

    def _by_stored_key(self, account: Account, purpose: str) -> boto3.Session:
        """Return a session with the current key, or with the previous one while AWS does not know
        the new key everywhere.
        """
        refused: ConnectionRefused | None = None
        for stage in STAGES:
            key = self._vault.read(account.account_id, stage)
            if key is None:
                continue
            try:
                return self.session_by(account, key, purpose)
            except ConnectionRefused as error:
                refused = refused or error
        raise refused or ConnectionRefused(
            f"CloudSpend holds no access key of the account {account.account_id} ({CURRENT}).",
            remedy=f"{NEW_KEY} {account.account_id}.",
        )

    def _refused_key(
        self, account: Account, key: AccessKey, error: ClientError
    ) -> ConnectionRefused:
        if code(error) in INVALID_KEY:
            return ConnectionRefused(
                f"AWS does not take the access key ending in {key.ending} (any more): "
                f"{code(error)}.",
                remedy=f"{NEW_KEY} {account.account_id}.",
            )
        if code(error) not in DENIED:
            raise error
        return ConnectionRefused(
            f"The access key ending in {key.ending} may not get a session: {error}",
            remedy="Allow the user sts:GetFederationToken on "
            f"arn:{self._partition}:sts::{account.account_id}:federated-user/{PREFIX}-*.",
        )

    def _identity(self, session: boto3.Session) -> Identity:
        sts = session.client("sts", region_name=self._region, config=_RETRIES)
        return identity_of(sts)

    def _session(self, credentials: Mapping[str, str]) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            region_name=self._region,
        )


def identity_of(sts: Any) -> Identity:
    """Return the caller of a client, as STS reports it."""
    answer = call(sts.get_caller_identity)
    return Identity(answer["Account"], answer["Arn"])


def session_name(purpose: str, run: str = "") -> str:
    """Return a valid session name or source identity: 2 to 64 letters, digits and `=,.@-`.

    The purpose comes first, then as much of the execution's name as fits.
    """
    name = purpose if purpose.startswith(f"{PREFIX}-") else f"{PREFIX}-{purpose}"
    name = f"{name}-{run}" if run else name
    return re.sub(r"[^A-Za-z0-9=,.@-]", "-", name)[:MAX_SESSION_NAME]
