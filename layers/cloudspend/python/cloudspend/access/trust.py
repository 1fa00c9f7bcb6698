"""Evaluation of a role's trust policy: it may trust only the platform, with its external id.

Calls can show that a role can be assumed without the external id, but not that it trusts another
account, because the platform has no credentials of one. So the role may read its own definition
(`iam:GetRole` on itself), and its trust policy is evaluated here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

ASSUME = "sts:AssumeRole"
# Actions that allow session tags and a source identity. Without AssumeRole they open nothing, so
# they need no external id.
SESSION_ACTIONS = ("sts:SetSourceIdentity", "sts:TagSession")


def excess_trust(policy: Mapping[str, Any], platform_id: str, external_id: str) -> list[str]:
    """Return everything that a trust policy allows beyond `platform_id` with `external_id`.

    Each element completes a sentence about the policy, for example `also trusts 222222222222`.
    Deny statements are ignored, because they only narrow the policy.
    """
    clauses: list[str] = []
    for statement in _list(policy.get("Statement", [])):
        if statement.get("Effect") != "Deny":
            clauses.extend(_excess_of(statement, platform_id, external_id))
    return list(dict.fromkeys(clauses))


def _excess_of(statement: Mapping[str, Any], platform_id: str, external_id: str) -> Iterator[str]:
    for inverted in ("NotPrincipal", "NotAction"):
        if inverted in statement:
            yield f"has a statement with {inverted}, which allows everything except a list"
    for kind, name in _principals(statement.get("Principal", {})):
        if kind != "AWS" or not _in_account(name, platform_id):
            yield f"also trusts {_displayed(kind, name)}"
    actions = _list(statement.get("Action", []))
    for action in actions:
        if action not in (ASSUME, *SESSION_ACTIONS):
            yield f"allows {action}, which CloudSpend does not use"
    if set(actions) - set(SESSION_ACTIONS) and not _requires(statement, external_id):
        yield "does not require the external id in each of its statements"


def _principals(principal: Any) -> Iterator[tuple[str, str]]:
    """Yield each principal with its kind, for example `("AWS", "111111111111")`."""
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
    # For a deleted role or user, IAM shows a unique id that it never assigns again: no match.
    return parts[0] == "arn" and len(parts) > 5 and parts[4] == account_id


def _requires(statement: Mapping[str, Any], external_id: str) -> bool:
    """Return whether the statement requires exactly this external id.

    Names of condition keys have no case (AWS IAM user guide, "Condition keys").
    """
    equals = statement.get("Condition", {}).get("StringEquals", {})
    required = {key.lower(): _list(value) for key, value in equals.items()}
    return required.get("sts:externalid") == [external_id]


def _displayed(kind: str, name: str) -> str:
    return "everyone" if name == "*" else f"{name} ({kind})" if kind != "AWS" else name


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
