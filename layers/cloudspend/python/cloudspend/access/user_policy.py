"""Policy of the IAM user whose key CloudSpend uses, for customers who cannot create roles.

It has the actions of the role and the actions that a key needs in addition.
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
    """Return the policy document for the account's user."""
    export, own, region = account.export, account.account_id, BILLING_REGIONS[partition]
    bucket = f"arn:{partition}:s3:::{export.bucket}"
    # All exports, as for the role: AWS adds an id of its own to an export's name, and the flaws of
    # every existing export are reported.
    exports = f"arn:{partition}:bcm-data-exports:{region}:{own}:export/*"
    listing = _allow("FindTheBill", ["s3:ListBucket"], bucket)
    listing["Condition"] = {"StringLike": {"s3:prefix": f"{export.prefix}/*"}}
    statements = [
        _allow("GetASession", [FEDERATE], f"arn:{partition}:sts::{own}:federated-user/{PREFIX}-*"),
        _allow("TellTheKeysAge", [KEY_AGE], f"arn:{partition}:iam::{own}:user/${{aws:username}}"),
        listing,
        _allow("ReadTheBill", ["s3:GetObject"], f"{bucket}/{export.prefix}/*"),
        _allow("CompareTheBillWithAwsOwnFigures", _others(account), "*"),
    ]
    statements.append(_allow("SeeHowExportsAreDelivered", _of_exports(account), exports))
    if account.kms_key_arn:
        statements.append(_decrypting(account.kms_key_arn, partition))
    return {"Version": "2012-10-17", "Statement": statements}


def _decrypting(key_arn: str, partition: str) -> dict[str, Any]:
    """Return the statement for the customer's KMS key, for reads through S3 only."""
    via = f"s3.{key_arn.split(':')[3]}.{DOMAINS[partition]}"
    condition = {"StringEquals": {"kms:ViaService": via}}
    return _allow("DecryptTheBill", [DECRYPT], key_arn) | {"Condition": condition}


def _of_exports(account: Account) -> list[str]:
    return [one for one in _needed(account) if one.startswith(EXPORTS) and one != LIST_EXPORTS]


def _others(account: Account) -> list[str]:
    elsewhere = {*_of_exports(account), DECRYPT}
    return sorted(
        one for one in _needed(account) if not one.startswith("s3:") and one not in elsewhere
    )


def _needed(account: Account) -> list[str]:
    """Return the actions that a key needs, independent of the current connection: the policy is
    requested before the key exists.
    """
    return [
        one.action
        for one in PERMISSIONS
        if ConnectionKind.ACCESS_KEY in one.ways and one.needed_for(account)
    ]


def _allow(sid: str, actions: list[str], resource: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
