"""Inspection of an access key, with calls of the key itself.

No call changes anything. If the key may ask IAM to simulate its policies, IAM evaluates all of
them; a key with every permission can. Otherwise a few read-only calls show some of its excess
permissions, and the result is marked as incomplete.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from cloudspend.access.aws.key_errors import INVALID_KEY
from cloudspend.access.aws.probes import CustomerProber
from cloudspend.access.aws.sessions import VERIFY, StsCustomerSessions, caller_identity
from cloudspend.access.keys import AccessKey, Identity
from cloudspend.access.ports import ExcessPermissions
from cloudspend.accounts.model import Account
from cloudspend.aws.errors import DENIED, call, code
from cloudspend.errors import ConnectionRefused

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

# Actions that extend permissions, change or destroy resources, or read data that is not a bill.
HARMFUL_ACTIONS = (
    "cloudformation:CreateStack",
    "dynamodb:GetItem",
    "ec2:RunInstances",
    "ec2:TerminateInstances",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateUser",
    "iam:PassRole",
    "iam:PutUserPolicy",
    "kms:ScheduleKeyDeletion",
    "lambda:InvokeFunction",
    "organizations:LeaveOrganization",
    "s3:DeleteBucket",
    "s3:DeleteObject",
    "s3:PutBucketPolicy",
    "s3:PutObject",
    "secretsmanager:GetSecretValue",
    "sts:AssumeRole",
)
# Read-only calls that CloudSpend does not need, by the action that allows each of them.
READ_ONLY_CALLS: dict[str, Callable[[boto3.Session], Any]] = {
    "iam:ListUsers": lambda session: call(session.client("iam").list_users, MaxItems=1),
    "s3:ListAllMyBuckets": lambda session: call(session.client("s3").list_buckets),
    "secretsmanager:ListSecrets": lambda session: call(
        session.client("secretsmanager").list_secrets, MaxResults=1
    ),
}


class KeyInspector:
    """`AccessKeyInspector` with calls of the key itself."""

    def __init__(self, customer_sessions: StsCustomerSessions, partition: str) -> None:
        self._customer_sessions = customer_sessions
        self._partition = partition

    def identity(self, key: AccessKey) -> Identity:
        try:
            return caller_identity(self._customer_sessions.long_term(key).client("sts"))
        except ClientError as error:
            if code(error) not in INVALID_KEY:
                raise
            raise ConnectionRefused(
                f"AWS does not accept the access key ending in {key.ending}: {code(error)}.",
                remedy="Check in IAM that the key is active, and provide id and secret exactly as "
                "AWS showed them when the key was created.",
            ) from error

    def created_at(self, key: AccessKey) -> datetime | None:
        try:
            answer = call(self._iam(key).list_access_keys)
        except ClientError as error:
            if code(error) not in DENIED:
                raise
            return None
        created = {
            entry["AccessKeyId"]: entry["CreateDate"] for entry in answer["AccessKeyMetadata"]
        }
        return created.get(key.id)

    def excess(self, key: AccessKey, identity: Identity) -> ExcessPermissions:
        try:
            answer = call(
                self._iam(key).simulate_principal_policy,
                PolicySourceArn=identity.arn,
                ActionNames=list(HARMFUL_ACTIONS),
            )
        except ClientError as error:
            if code(error) not in DENIED:
                raise
            return self._try_calls(key)
        allowed = (
            result["EvalActionName"]
            for result in answer["EvaluationResults"]
            if result["EvalDecision"] == "allowed"
        )
        return ExcessPermissions(tuple(sorted(allowed)), complete=True)

    def customer(self, account: Account, key: AccessKey) -> CustomerProber:
        session = self._customer_sessions.session_by(account, key, VERIFY)
        return CustomerProber(session, self._partition)

    def _iam(self, key: AccessKey) -> "IAMClient":
        client: IAMClient = self._customer_sessions.long_term(key).client("iam")
        return client

    def _try_calls(self, key: AccessKey) -> ExcessPermissions:
        session = self._customer_sessions.long_term(key)
        actions = [action for action, look in READ_ONLY_CALLS.items() if _is_allowed(look, session)]
        return ExcessPermissions(tuple(actions), complete=False)


def _is_allowed(look: Callable[[boto3.Session], Any], session: boto3.Session) -> bool:
    try:
        look(session)
    except ClientError as error:
        if code(error) not in DENIED:
            raise
        return False
    return True
