"""Policy for the IAM user whose access key CloudSpend uses, for customers who cannot create roles.

It allows the actions of the role, and those that only a key needs: to create a session, and to read
the key's age.
"""

from typing import Any

from cloudspend.access.checks import PERMISSIONS
from cloudspend.access.verify import FEDERATE
from cloudspend.accounts.model import Account, ConnectionKind
from cloudspend.settings import BILLING_REGIONS, DOMAINS, PREFIX

EXPORTS = "bcm-data-exports:"
LIST_EXPORTS = "bcm-data-exports:ListExports"
DECRYPT = "kms:Decrypt"
KEY_AGE = "iam:ListAccessKeys"


def user_policy(account: Account, partition: str) -> dict[str, Any]:
    """Return the policy document for the IAM user of `account`."""
    export, account_id, region = account.export, account.account_id, BILLING_REGIONS[partition]
    bucket = f"arn:{partition}:s3:::{export.bucket}"
    # All exports, as for the role: AWS adds a random id to an export's name, and CloudSpend reports
    # the problems of every existing export.
    exports = f"arn:{partition}:bcm-data-exports:{region}:{account_id}:export/*"
    listing = _allow("FindTheBill", ["s3:ListBucket"], bucket)
    listing["Condition"] = {"StringLike": {"s3:prefix": f"{export.prefix}/*"}}
    statements = [
        _allow(
            "GetASession",
            [FEDERATE],
            f"arn:{partition}:sts::{account_id}:federated-user/{PREFIX}-*",
        ),
        _allow(
            "TellTheKeysAge", [KEY_AGE], f"arn:{partition}:iam::{account_id}:user/${{aws:username}}"
        ),
        listing,
        _allow("ReadTheBill", ["s3:GetObject"], f"{bucket}/{export.prefix}/*"),
        _allow("CompareTheBillWithAwsOwnFigures", _other_actions(account), "*"),
    ]
    statements.append(_allow("SeeHowExportsAreDelivered", _export_actions(account), exports))
    if account.kms_key_arn:
        statements.append(_decrypt_statement(account.kms_key_arn, partition))
    return {"Version": "2012-10-17", "Statement": statements}


def _decrypt_statement(key_arn: str, partition: str) -> dict[str, Any]:
    """Return the statement for the customer's KMS key, for reads through S3 only."""
    service = f"s3.{key_arn.split(':')[3]}.{DOMAINS[partition]}"
    condition = {"StringEquals": {"kms:ViaService": service}}
    return _allow("DecryptTheBill", [DECRYPT], key_arn) | {"Condition": condition}


def _export_actions(account: Account) -> list[str]:
    """Return the needed actions on single exports."""
    return [
        action
        for action in _needed_actions(account)
        if action.startswith(EXPORTS) and action != LIST_EXPORTS
    ]


def _other_actions(account: Account) -> list[str]:
    """Return the needed actions for which IAM accepts no resource."""
    with_resource = {*_export_actions(account), DECRYPT}
    return sorted(
        action
        for action in _needed_actions(account)
        if not action.startswith("s3:") and action not in with_resource
    )


def _needed_actions(account: Account) -> list[str]:
    """Return the actions that a key needs, independent of the current connection: the policy is
    requested before the key exists.
    """
    return [
        permission.action
        for permission in PERMISSIONS
        if ConnectionKind.ACCESS_KEY in permission.connections and permission.needed_for(account)
    ]


def _allow(sid: str, actions: list[str], resource: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
