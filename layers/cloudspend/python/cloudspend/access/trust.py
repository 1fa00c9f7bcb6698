"""Evaluate a role's trust policy: only the platform with its external id may be trusted.

A call can show that a role opens without the external id, but not that it trusts a stranger,
because the platform has no stranger's credentials. So the role may read its own definition
(`iam:GetRole` on itself), and its trust policy is evaluated.
"""

from collections.abc import Iterator, Mapping
from typing import Any

ASSUME = "sts:AssumeRole"
# Actions that sessions need to carry tags and a source identity; harmless without AssumeRole.
MARKS = ("sts:SetSourceIdentity", "sts:TagSession")


def excess(policy: Mapping[str, Any], platform_id: str, external_id: str) -> list[str]:
    """Return what a trust policy allows beyond `platform_id` with `external_id`, one clause
    each.
    """
    found: list[str] = []
    for statement in _list(policy.get("Statement", [])):
        if statement.get("Effect") != "Deny":
            found.extend(_statement(statement, platform_id, external_id))
    return list(dict.fromkeys(found))


def _statement(statement: Mapping[str, Any], platform_id: str, external_id: str) -> Iterator[str]:
    for inverted in ("NotPrincipal", "NotAction"):
        if inverted in statement:
            yield f"has a statement with {inverted}, which opens it to all but a few"
    for kind, name in _principals(statement.get("Principal", {})):
        if kind != "AWS" or not _in_account(name, platform_id):
            yield f"also trusts {_shown(kind, name)}"
    actions = _list(statement.get("Action", []))
    for action in actions:
        if action not in (ASSUME, *MARKS):
            yield f"allows {action}, which CloudSpend does not use"
    if set(actions) - set(MARKS) and not _asks_for(statement, external_id):
        yield "does not ask for the external id in each of its statements"


def _principals(principal: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(principal, Mapping):
        yield "AWS", str(principal)
        return
    for kind, names in principal.items():
        for name in _list(names):
            yield kind, name


def _in_account(principal: str, account_id: str) -> bool:
    if principal == account_id:
        return True
    parts = principal.split(":")
    # For a deleted role or user, IAM shows its unique id, which is never assigned again.
    return parts[0] == "arn" and len(parts) > 5 and parts[4] == account_id


def _asks_for(statement: Mapping[str, Any], external_id: str) -> bool:
    equals = statement.get("Condition", {}).get("StringEquals", {})
    wanted = {key.lower(): _list(value) for key, value in equals.items()}
    return wanted.get("sts:externalid") == [external_id]


def _shown(kind: str, name: str) -> str:
    return "everyone" if name == "*" else f"{name} ({kind})" if kind != "AWS" else name


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
