"""The part of Cost Explorer (`ce`) about tags and cost categories, from the ledger's line items.

A category's rules are those that put each line item where the bill says: by linked account.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime

from local.billing.intervals import asked_for
from local.billing.ledger import LEDGER
from local.billing.pages import PAGE_SIZE, page
from local.services import Members, ServiceError

_TAG = "resourceTags/"
_USER = "user:"
_CATEGORY = "costCategory/"
# Cost Explorer applies a category from the first of a month on.
_SINCE = "2024-01-01T00:00:00Z"

Accounts = Mapping[str, set[str]]


def get_tags(account: str, request: Members) -> Members:
    """The keys of the tags in the time, or the values of one. User tags lose their prefix."""
    interval = asked_for(request["TimePeriod"], datetime.now(UTC).date())
    wanted = request.get("TagKey")
    visible = LEDGER.visible_to(account)
    if not visible:
        raise ServiceError("DataUnavailableException", "The requested data is unavailable.")
    found = set()
    for item in visible:
        for name, value in item.facts.items():
            if name.startswith(_TAG) and item.day in interval:
                key = name.removeprefix(_TAG).removeprefix(_USER)
                if wanted in (None, key):
                    found.add(value if wanted else key)
    shown, token = page(request, sorted(found))
    return {"Tags": list(shown), "ReturnSize": len(shown), "TotalSize": len(found), **token}


def list_cost_categories(account: str, request: Members) -> Members:
    """The categories of the account that pays; no one else has any."""
    found = sorted(_categories(account).items())
    start = _start(request)
    end = start + request.get("MaxResults", PAGE_SIZE)
    references = [
        {
            "CostCategoryArn": _arn(account, name),
            "Name": name,
            "EffectiveStart": _SINCE,
            "NumberOfRules": len(values),
            "ProcessingStatus": [{"Component": "COST_EXPLORER", "Status": "APPLIED"}],
            "Values": sorted(values),
        }
        for name, values in found[start:end]
    ]
    token = {"NextToken": str(end)} if end < len(found) else {}
    return {"CostCategoryReferences": references, **token}


def describe_cost_category(account: str, request: Members) -> Members:
    for name, values in _categories(account).items():
        if _arn(account, name) == request["CostCategoryArn"]:
            return {
                "CostCategory": {
                    "CostCategoryArn": _arn(account, name),
                    "EffectiveStart": _SINCE,
                    "Name": name,
                    "RuleVersion": "CostCategoryExpression.v1",
                    "Rules": [_rule(value, values[value]) for value in sorted(values)],
                    "ProcessingStatus": [{"Component": "COST_EXPLORER", "Status": "APPLIED"}],
                }
            }
    raise ServiceError("ResourceNotFoundException", "There is no such cost category.")


HANDLERS = {
    "GetTags": get_tags,
    "ListCostCategoryDefinitions": list_cost_categories,
    "DescribeCostCategoryDefinition": describe_cost_category,
}


def _categories(account: str) -> Mapping[str, Accounts]:
    """Which accounts each value of each category holds."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for item in LEDGER.paid_by(account):
        for name, value in item.facts.items():
            if name.startswith(_CATEGORY):
                category = name.removeprefix(_CATEGORY)
                found[category][value].add(item.dimensions["LINKED_ACCOUNT"])
    return found


def _rule(value: str, accounts: set[str]) -> Members:
    condition = {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": sorted(accounts)}}
    return {"Value": value, "Rule": condition, "Type": "REGULAR"}


def _arn(account: str, name: str) -> str:
    digest = hashlib.sha256(f"{account} {name}".encode()).hexdigest()
    identity = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
    return f"arn:aws:ce::{account}:costcategory/{identity}"


def _start(request: Members) -> int:
    token = request.get("NextToken", "0")
    if not token.isdigit():
        raise ServiceError("ValidationException", "The page token is invalid.")
    return int(token)
