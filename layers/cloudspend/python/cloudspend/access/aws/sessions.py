"""Sessions in customers' accounts, from AWS STS: AssumeRole, or GetFederationToken with a key."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import (
        AssumeRoleRequestTypeDef,
        CredentialsTypeDef,
        TagTypeDef,
    )

# Longest session of a role that another role assumes (IAM user guide, "Role chaining").
SESSION_SECONDS = 3600
# AWS STS API reference: RoleSessionName and SourceIdentity of AssumeRole, Name of
# GetFederationToken.
MAX_SESSION_NAME = 64
MAX_FEDERATED_NAME = 32
MAX_TAG_VALUE = 256
# Purpose of the sessions in which a connection is checked.
VERIFY = "verify"

CHECK_STACK = f"Check that the stack with the role {CUSTOMER_ROLE} still exists in the account"
ROTATE_KEY = "Provide a working key: cloudspend accounts rotate-key"

_RETRIES = Config(retries={"mode": "standard", "max_attempts": 5})


@dataclass(frozen=True)
class SessionIdentity:
    """The part of the platform that enters an account, as the customer's CloudTrail records it."""

    # Id of the platform's account.
    platform_id: str
    # Name of the function, or `cloudspend-operator-` and the person's session name.
    name: str
    # Id of the function's request; empty for an operator.
    request: str = ""
    # State machine and execution name, for example `cloudspend-ingest:111111111111_2026-10`; empty
    # outside of executions.
    execution: str = ""

    @property
    def execution_name(self) -> str:
        """Return the execution's name without its state machine; empty outside of executions."""
        return self.execution.rpartition(":")[2]

    def tags(self, purpose: str) -> "list[TagTypeDef]":
        """Return the session tags. Characters that tags do not allow are replaced by hyphens."""
        values = (purpose, self.name, self.request, self.execution)
        return [
            {"Key": key, "Value": re.sub(r"[^\w .:/=+@-]", "-", value)[:MAX_TAG_VALUE]}
            for key, value in zip(SESSION_TAGS, values, strict=True)
            if value
        ]


class StsCustomerSessions:
    """`CustomerSessions` by AWS STS, and the boto3 sessions that adapters use.

    All clients use the STS endpoint of the platform's own region, because the global endpoint
    depends on one region (IAM user guide, "Manage AWS STS in an AWS Region").
    """

    def __init__(
        self,
        sts: "STSClient",
        region: str,
        key_store: AccessKeyStore,
        identity: Callable[[], SessionIdentity],
    ) -> None:
        """`identity` is called for each session: a function serves one request after another."""
        self._sts = sts
        self._region = region
        self._key_store = key_store
        self._identity = identity
        # ARNs of roles that accept no session tags, so each of them is tried only once.
        self._untagged_roles: set[str] = set()

    @property
    def platform_id(self) -> str:
        return self._identity().platform_id

    def enter(self, account: Account, external_id: str | None) -> str | None:
        try:
            session = self._assume(account, external_id, VERIFY, tagged=False)
        except ConnectionRefused:
            return None
        return self._caller(session).account_id

    def accepts_session_tags(self, account: Account) -> bool:
        try:
            self._assume(account, account.external_id, VERIFY, tagged=True)
        except ConnectionRefused:
            return False
        return True

    def trust_policy(self, account: Account) -> Mapping[str, Any]:
        role = str(account.role_arn).rpartition("/")[2]
        iam: IAMClient = self._role_session(account, VERIFY).client("iam", config=_RETRIES)
        try:
            answer = call(iam.get_role, RoleName=role)
        except ClientError as error:
            raise PermissionDenied(str(error), check="iam:GetRole") from error
        # botocore decodes the policy document; the type of the SDK's stubs allows text as well.
        policy: Any = answer["Role"]["AssumeRolePolicyDocument"]
        document: Mapping[str, Any] = policy
        return document

    def enter_by_key(self, account: Account) -> Identity:
        return self._caller(self._key_session(account, VERIFY))

    def customer_session(self, account: Account, purpose: str) -> boto3.Session:
        """Return a session of one hour in the customer's account, in the platform's region.

        `purpose` is recorded in the customer's CloudTrail. Raises ConnectionRefused and
        TransientError.
        """
        return self._enter(account, account.connection, purpose)

    def pending_session(self, account: Account) -> boto3.Session:
        """Return a session with the pending connection. Raises as `customer_session` does."""
        return self._enter(account, account.pending_connection, VERIFY)

    def session_by(self, account: Account, key: AccessKey, purpose: str) -> boto3.Session:
        """Return a session of one hour with `key`, which need not be stored.

        The session policy limits it to what CloudSpend needs. Raises ConnectionRefused and
        TransientError.
        """
        sts: STSClient = self.long_term(key).client("sts", config=_RETRIES)
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
        return self._sts.meta.partition

    def _enter(self, account: Account, connection: ConnectionKind, purpose: str) -> boto3.Session:
        if connection is ConnectionKind.ACCESS_KEY:
            return self._key_session(account, purpose)
        return self._role_session(account, purpose)

    def _role_session(self, account: Account, purpose: str) -> boto3.Session:
        """Return a session with the role, with tags and a source identity if the role accepts them.

        A role of an earlier template does not accept them. Neither does any role for an operator
        whose own session has another source identity.
        """
        role_arn = _role_arn(account)
        if role_arn not in self._untagged_roles:
            try:
                return self._assume(account, account.external_id, purpose, tagged=True)
            except ConnectionRefused:
                session = self._assume(account, account.external_id, purpose, tagged=False)
                self._untagged_roles.add(role_arn)
                return session
        return self._assume(account, account.external_id, purpose, tagged=False)

    def _assume(
        self, account: Account, external_id: str | None, purpose: str, *, tagged: bool
    ) -> boto3.Session:
        """Return a session with the role. Raises ConnectionRefused when STS denies it."""
        identity = self._identity()
        request: AssumeRoleRequestTypeDef = {
            "RoleArn": _role_arn(account),
            "RoleSessionName": session_name(purpose, identity.execution_name),
            "DurationSeconds": SESSION_SECONDS,
        }
        if external_id is not None:
            request["ExternalId"] = external_id
        if tagged:
            request["Tags"] = identity.tags(purpose)
            request["SourceIdentity"] = session_name(identity.name)
        try:
            answer = call(self._sts.assume_role, **request)
        except ClientError as error:
            if code(error) not in DENIED:
                raise
            raise ConnectionRefused(
                f"The role {account.role_arn} cannot be assumed.",
                remedy=f"{CHECK_STACK} {account.account_id}.",
            ) from error
        return self._session(answer["Credentials"])

    def _key_session(self, account: Account, purpose: str) -> boto3.Session:
        """Return a session with the current key, or with the previous one while AWS does not know
        the new key everywhere.

        Raises ConnectionRefused with the reason of the current key.
        """
        refused: ConnectionRefused | None = None
        for stage in STAGES:
            key = self._key_store.read(account.account_id, stage)
            if key is None:
                continue
            try:
                return self.session_by(account, key, purpose)
            except ConnectionRefused as error:
                refused = refused or error
        raise refused or ConnectionRefused(
            f"CloudSpend has no access key of the account {account.account_id} ({CURRENT}).",
            remedy=f"{ROTATE_KEY} {account.account_id}.",
        )

    def _refused_key(
        self, account: Account, key: AccessKey, error: ClientError
    ) -> ConnectionRefused:
        """Return the error for a key without a session. Raises `error` if it is of another kind."""
        if code(error) in INVALID_KEY:
            return ConnectionRefused(
                f"AWS does not accept the access key ending in {key.ending}: {code(error)}.",
                remedy=f"{ROTATE_KEY} {account.account_id}.",
            )
        if code(error) not in DENIED:
            raise error
        return ConnectionRefused(
            f"The access key ending in {key.ending} may not create a session: {error}",
            remedy="Allow the user sts:GetFederationToken on "
            f"arn:{self._partition}:sts::{account.account_id}:federated-user/{PREFIX}-*.",
        )

    def _caller(self, session: boto3.Session) -> Identity:
        return caller_identity(session.client("sts", region_name=self._region, config=_RETRIES))

    def _session(self, credentials: "CredentialsTypeDef") -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            region_name=self._region,
        )


def caller_identity(sts: "STSClient") -> Identity:
    """Return the caller of a client, as STS reports it."""
    answer = call(sts.get_caller_identity)
    return Identity(answer["Account"], answer["Arn"])


def session_name(purpose: str, execution_name: str = "") -> str:
    """Return a valid session name or source identity: 2 to 64 letters, digits and `=,.@-`.

    The purpose comes first, then as much of the execution's name as fits. Example: purpose
    `reconcile` in the execution `111111111111_2026-10` is
    `cloudspend-reconcile-111111111111-2026-10`.
    """
    name = purpose if purpose.startswith(f"{PREFIX}-") else f"{PREFIX}-{purpose}"
    name = f"{name}-{execution_name}" if execution_name else name
    return re.sub(r"[^A-Za-z0-9=,.@-]", "-", name)[:MAX_SESSION_NAME]


def _role_arn(account: Account) -> str:
    if account.role_arn is None:
        raise ConnectionRefused(
            f"The account {account.account_id} has no role yet: no one has followed its link.",
            remedy=f"See its state: cloudspend accounts show {account.account_id}.",
        )
    return account.role_arn
