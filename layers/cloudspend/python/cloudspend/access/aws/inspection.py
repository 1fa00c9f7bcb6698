"""Inspect an access key with calls of the key itself, once per submission.

Nothing here changes anything. If the key may ask IAM to simulate its policies, excess permissions
are evaluated completely; a key with all permissions can. Otherwise a few read-only calls show
excess permissions, and the result is marked as incomplete.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

from cloudspend.access.aws.key_errors import INVALID_KEY
from cloudspend.access.aws.probes import CustomerProber
from cloudspend.access.aws.sessions import VERIFY, StsCustomerSessions, identity_of
from cloudspend.access.keys import AccessKey, Identity
from cloudspend.access.ports import ExcessPermissions
from cloudspend.accounts.model import Account
from cloudspend.aws.errors import DENIED, call, code
from cloudspend.errors import ConnectionRefused

# Actions that extend permissions, change or destroy resources, or read data that is not a bill.
HARMFUL = (
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
# Read-only calls, each with the action that allows it.
LOOKS: dict[str, Callable[[boto3.Session], Any]] = {
    "iam:ListUsers": lambda session: call(session.client("iam").list_users, MaxItems=1),
    "s3:ListAllMyBuckets": lambda session: call(session.client("s3").list_buckets),
    "secretsmanager:ListSecrets": lambda session: call(
        session.client("secretsmanager").list_secrets, MaxResults=1
    ),
}


class KeyInspector:
    """`AccessKeyInspector` with calls of the key itself."""

    def __init__(self, customer_sessions: StsCustomerSessions, partition: str) -> None:
        self._door = customer_sessions
        self._partition = partition

    def identity(self, key: AccessKey) -> Identity:
        try:
            return identity_of(self._door.long_term(key).client("sts"))
        except ClientError as error:
            if code(error) not in INVALID_KEY:
                raise
            raise ConnectionRefused(
                f"AWS does not take the access key ending in {key.ending}: {code(error)}.",
                remedy="See in IAM that the key is active, and give id and secret as AWS showed "
                "them when it was made.",
            ) from error

    def made_at(self, key: AccessKey) -> datetime | None:
        iam = self._door.long_term(key).client("iam")
        try:
            answer = call(iam.list_access_keys)
        except ClientError as error:
            if code(error) not in DENIED:
                raise
            return None
        for one in answer["AccessKeyMetadata"]:
            if one["AccessKeyId"] == key.id:
                made: datetime = one["CreateDate"]
                return made
        return None

    def excess(self, key: AccessKey, identity: Identity) -> ExcessPermissions:
        session = self._door.long_term(key)
        iam = session.client("iam")
        try:
            answer = call(
                iam.simulate_principal_policy,
                PolicySourceArn=identity.arn,
                ActionNames=list(HARMFUL),
            )
        except ClientError as error:
            if code(error) not in DENIED:
                raise
            found = [action for action, look in LOOKS.items() if _allowed(look, session)]
            return ExcessPermissions(tuple(found), whole=False)
        allowed = [
            one["EvalActionName"]
            for one in answer["EvaluationResults"]
            if one["EvalDecision"] == "allowed"
        ]
        return ExcessPermissions(tuple(sorted(allowed)), whole=True)

    def customer(self, account: Account, key: AccessKey) -> CustomerProber:
        return CustomerProber(self._door.session_by(account, key, VERIFY), self._partition)


def _allowed(look: Callable[[boto3.Session], Any], session: boto3.Session) -> bool:
    try:
        look(session)
    except ClientError as error:
        if code(error) not in DENIED:
            raise
        return False
    return True
