"""The policy that a customer gives the IAM user whose key CloudSpend gets, for those who cannot
create roles: the role's list of actions, and what a key needs beside it."""

from typing import Any

from cloudspend.access.checks import PERMISSIONS
from cloudspend.access.verify import FEDERATE
from cloudspend.accounts.model import Account
from cloudspend.settings import BILLING_REGIONS, PREFIX

EXPORTS = "bcm-data-exports:"
LIST_EXPORTS = "bcm-data-exports:ListExports"
DECRYPT = "kms:Decrypt"
KEY_AGE = "iam:ListAccessKeys"


def user_policy(account: Account, partition: str) -> dict[str, Any]:
    """The policy document for the account's user."""
    export, own, region = account.export, account.account_id, BILLING_REGIONS[partition]
    bucket = f"arn:{partition}:s3:::{export.bucket}"
    exports = f"arn:{partition}:bcm-data-exports:{region}:{own}:export/{export.name}-*"
    listing = _allow("FindTheBill", ["s3:ListBucket"], bucket)
    listing["Condition"] = {"StringLike": {"s3:prefix": f"{export.prefix}/*"}}
    statements = [
        _allow("GetASession", [FEDERATE], f"arn:{partition}:sts::{own}:federated-user/{PREFIX}-*"),
        _allow("TellTheKeysAge", [KEY_AGE], f"arn:{partition}:iam::{own}:user/${{aws:username}}"),
        _allow("FindTheBucket", ["s3:GetBucketLocation"], bucket),
        listing,
        _allow("ReadTheBill", ["s3:GetObject"], f"{bucket}/{export.prefix}/*"),
        _allow("CompareTheBillWithAwsOwnFigures", _others(account), "*"),
    ]
    statements.append(_allow("SeeHowTheExportIsDelivered", _of_one_export(account), exports))
    if account.kms_key_arn:
        statements.append(_allow("DecryptTheBill", [DECRYPT], account.kms_key_arn))
    return {"Version": "2012-10-17", "Statement": statements}


def _of_one_export(account: Account) -> list[str]:
    actions = (one.action for one in PERMISSIONS if one.needed_for(account))
    return [one for one in actions if one.startswith(EXPORTS) and one != LIST_EXPORTS]


def _others(account: Account) -> list[str]:
    elsewhere = {*_of_one_export(account), DECRYPT}
    return sorted(
        one.action
        for one in PERMISSIONS
        if one.needed_for(account)
        and not one.action.startswith("s3:")
        and one.action not in elsewhere
    )


def _allow(sid: str, actions: list[str], resource: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
