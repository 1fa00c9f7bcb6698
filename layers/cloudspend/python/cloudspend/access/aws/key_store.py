"""Store of access keys in AWS Secrets Manager: one secret for each account, encrypted with the
platform's KMS key.
"""

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cloudspend.access.keys import AccessKey, read_key
from cloudspend.aws.errors import call, code
from cloudspend.settings import KEY_ALIAS, KEY_READER, KEY_SECRETS, PREFIX

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# Code of a secret that does not exist.
NOT_FOUND = "ResourceNotFoundException"


def secret_name(account_id: str) -> str:
    """Return the name of the secret with an account's access key."""
    return f"{KEY_SECRETS}/{account_id}"


def reading_policy() -> dict[str, Any]:
    """Return the resource policy of a secret.

    Only functions that enter customers' accounts can read the secret: the stacks tag their roles,
    and the policy denies reading to every other principal, including administrators.
    """
    tag, value = KEY_READER
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyFunctionsThatEnterCustomersAccounts",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "secretsmanager:GetSecretValue",
                "Resource": "*",
                "Condition": {"StringNotEquals": {f"aws:PrincipalTag/{tag}": value}},
            }
        ],
    }


class SecretsManagerKeyStore:
    """`AccessKeyStore` with a client of AWS Secrets Manager."""

    def __init__(self, secrets: "SecretsManagerClient") -> None:
        self._secrets = secrets

    def put(self, account_id: str, key: AccessKey) -> None:
        name = secret_name(account_id)
        try:
            self._restrict(name)
        except ClientError as error:
            if code(error) != NOT_FOUND:
                raise
            # Create the secret without a value, so a value never exists without the policy.
            call(
                self._secrets.create_secret,
                Name=name,
                KmsKeyId=KEY_ALIAS,
                Description=f"CloudSpend: access key of the account {account_id}",
                Tags=[{"Key": PREFIX, "Value": account_id}],
            )
            self._restrict(name)
        call(self._secrets.put_secret_value, SecretId=name, SecretString=key.to_text())

    def read(self, account_id: str, stage: str) -> AccessKey | None:
        try:
            answer = call(
                self._secrets.get_secret_value,
                SecretId=secret_name(account_id),
                VersionStage=stage,
            )
        except ClientError as error:
            if code(error) != NOT_FOUND:
                raise
            return None
        return read_key(answer["SecretString"])

    def forget(self, account_id: str) -> None:
        try:
            # Delete immediately: a key that can be recovered is not deleted.
            call(
                self._secrets.delete_secret,
                SecretId=secret_name(account_id),
                ForceDeleteWithoutRecovery=True,
            )
        except ClientError as error:
            if code(error) != NOT_FOUND:
                raise

    def _restrict(self, name: str) -> None:
        """Set the resource policy of a secret."""
        call(
            self._secrets.put_resource_policy,
            SecretId=name,
            ResourcePolicy=json.dumps(reading_policy()),
            BlockPublicPolicy=True,
        )
