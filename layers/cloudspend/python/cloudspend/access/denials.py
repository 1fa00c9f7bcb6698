"""The type of policy that denied a call, read from AWS's error message.

Detailed messages contain `because no <type of policy> allows the <action> action` or `with an
explicit deny in a <type of policy>`. AWS names only one type even if several deny. Source: AWS IAM
user guide, "Troubleshoot access denied error messages". The result is shown to people; no decision
depends on it.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class DeniedBy(StrEnum):
    """Types of policies that can deny a call; UNKNOWN if AWS names none."""

    SERVICE_CONTROL_POLICY = "service control policy"
    RESOURCE_CONTROL_POLICY = "resource control policy"
    VPC_ENDPOINT_POLICY = "VPC endpoint policy"
    PERMISSIONS_BOUNDARY = "permissions boundary"
    SESSION_POLICY = "session policy"
    RESOURCE_POLICY = "resource-based policy"
    TRUST_POLICY = "role trust policy"
    STATEMENT = "identity-based policy"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Denial:
    """The denial of a call."""

    by: DeniedBy
    # True for a Deny statement, False for a missing Allow statement.
    explicit: bool
    # What happened and who can change it, for the customer.
    sentence: str


# Each type of policy, its name in AWS's messages (after "explicit deny in a" or "because no"), and
# the sentence for the customer.
POLICY_TYPES: tuple[tuple[DeniedBy, str, str], ...] = (
    (
        DeniedBy.SERVICE_CONTROL_POLICY,
        r"service control polic(?:y|ies)",
        (
            "A service control policy of your organization denies it: the organization's "
            "administrator must allow it for this account."
        ),
    ),
    (
        DeniedBy.RESOURCE_CONTROL_POLICY,
        r"resource control polic(?:y|ies)",
        (
            "A resource control policy of your organization denies it: the organization's "
            "administrator must allow it for CloudSpend's role."
        ),
    ),
    (
        DeniedBy.VPC_ENDPOINT_POLICY,
        r"VPC endpoint polic(?:y|ies)",
        (
            "The policy of a VPC endpoint in the platform's network denies it: the platform team "
            "must allow it there."
        ),
    ),
    (
        DeniedBy.PERMISSIONS_BOUNDARY,
        r"permissions boundar(?:y|ies)",
        "The permissions boundary of the role or user does not allow it: allow it there too.",
    ),
    (
        DeniedBy.SESSION_POLICY,
        r"session polic(?:y|ies)",
        "CloudSpend limited its own session too much: the platform team must correct that.",
    ),
    (
        DeniedBy.RESOURCE_POLICY,
        r"resource-based polic(?:y|ies)",
        "The policy of the resource (the bucket or the KMS key) denies it: allow it there.",
    ),
    (
        DeniedBy.TRUST_POLICY,
        r"role trust polic(?:y|ies)",
        "The role's trust policy does not allow it.",
    ),
    (
        DeniedBy.STATEMENT,
        r"identity-based polic(?:y|ies)",
        "The role's or user's own policy does not allow it.",
    ),
)
_PATTERNS = tuple(
    (
        by,
        re.compile(rf"explicit deny in an? {name}", re.IGNORECASE),
        re.compile(rf"because no {name} allows?\b", re.IGNORECASE),
        sentence,
    )
    for by, name, sentence in POLICY_TYPES
)
_NOT_NAMED = "AWS does not name the policy that denies it."


def read_denial(text: str) -> Denial:
    """Return the denial that AWS's error message describes.

    Example: a message that ends with `with an explicit deny in a service control policy` is a
    Denial with SERVICE_CONTROL_POLICY and explicit=True.
    """
    for by, denied, not_allowed, sentence in _PATTERNS:
        if denied.search(text):
            return Denial(by, explicit=True, sentence=sentence)
        if not_allowed.search(text):
            return Denial(by, explicit=False, sentence=sentence)
    return Denial(DeniedBy.UNKNOWN, explicit=False, sentence=_NOT_NAMED)
