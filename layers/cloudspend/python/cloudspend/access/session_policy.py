"""Session policy for access keys: it limits a session to the permissions that CloudSpend needs.

A session has only the permissions that both the user's policies and this policy allow (AWS STS API
reference, GetFederationToken). STS accepts 2,048 characters. So the statements for S3 are exact,
and other actions are grouped by verb: `ce:Get*` replaces every needed `ce:Get...` action.
"""

import json
import re
from typing import Any

from cloudspend.access.checks import PERMISSIONS
from cloudspend.accounts.model import Account

# Characters of a session policy (AWS STS API reference, GetFederationToken).
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
    """Return the needed actions outside of S3, grouped by verb, for example `budgets:View*`."""
    needed = [permission.action for permission in PERMISSIONS if permission.needed_for(account)]
    matches = [_VERB.match(action) for action in needed if not action.startswith("s3:")]
    return sorted({f"{match[1]}*" for match in matches if match})


def _allow(actions: list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}
