"""Session policy for access keys: an upper bound on what the user's own policies allow.

A session has the permissions that both the user's policies and this policy allow (AWS STS,
GetFederationToken). STS accepts 2,048 characters. Statements for S3 are exact; other actions are
grouped by verb: `ce:Get*` for the needed `ce:Get...` actions.
"""

import json
import re
from typing import Any

from cloudspend.access.checks import PERMISSIONS
from cloudspend.accounts.model import Account

MAX_POLICY = 2048
_VERB = re.compile(r"([a-z0-9-]+:[A-Z][a-z]+)")


def session_policy(account: Account, partition: str) -> str:
    """Return the policy for sessions in `account`, as compact JSON."""
    export = account.export
    bucket = f"arn:{partition}:s3:::{export.bucket}"
    listing = _allow(["s3:ListBucket"], bucket)
    listing["Condition"] = {"StringLike": {"s3:prefix": f"{export.prefix}/*"}}
    statements = [
        listing,
        _allow(["s3:GetObject"], f"{bucket}/{export.prefix}/*"),
        _allow(_verbs(account), "*"),
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


def _verbs(account: Account) -> list[str]:
    needed = [one.action for one in PERMISSIONS if one.needed_for(account)]
    found = [_VERB.match(action) for action in needed if not action.startswith("s3:")]
    return sorted({f"{match[1]}*" for match in found if match})


def _allow(actions: list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}
