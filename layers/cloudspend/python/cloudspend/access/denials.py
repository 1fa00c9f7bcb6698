"""The policy that denied a call, as far as AWS names it.

AWS IAM user guide, "Troubleshoot access denied error messages": detailed messages contain `because
no <type of policy> allows the <action> action` or `with an explicit deny in a <type of policy>`.
AWS names only one type even if several deny. The result is shown to people; no decision depends on
it.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class DeniedBy(StrEnum):
    """The type of policy that denied; UNKNOWN if AWS does not name it."""

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
    """The denying policy, whether it denies explicitly, and the text for the customer."""

    by: DeniedBy
    explicit: bool
    sentence: str


# The text after "explicit deny in a(n)" or "no", and the customer's words for it.
PATTERNS: tuple[tuple[DeniedBy, str, str], ...] = (
    (
        DeniedBy.SERVICE_CONTROL_POLICY,
        r"service control polic(?:y|ies)",
        (
            "A service control policy of your organization refuses it: its administrator must "
            "allow it for this account."
        ),
    ),
    (
        DeniedBy.RESOURCE_CONTROL_POLICY,
        r"resource control polic(?:y|ies)",
        (
            "A resource control policy of your organization refuses it: the administrator of the "
            "organization must let the role through."
        ),
    ),
    (
        DeniedBy.VPC_ENDPOINT_POLICY,
        r"VPC endpoint polic(?:y|ies)",
        (
            "The policy of a VPC endpoint on the platform's way refuses it: the platform's team "
            "must allow it there."
        ),
    ),
    (
        DeniedBy.PERMISSIONS_BOUNDARY,
        r"permissions boundar(?:y|ies)",
        "The permissions boundary of the role or user does not let it through: allow it there too.",
    ),
    (
        DeniedBy.SESSION_POLICY,
        r"session polic(?:y|ies)",
        "The session was narrower than what it was used for: the platform's team must look.",
    ),
    (
        DeniedBy.RESOURCE_POLICY,
        r"resource-based polic(?:y|ies)",
        "The policy of the resource itself (the bucket's, the key's) refuses it: allow it there.",
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
_SAID = tuple(
    (
        by,
        re.compile(rf"explicit deny in an? {words}", re.IGNORECASE),
        re.compile(rf"because no {words} allows?\b", re.IGNORECASE),
        sentence,
    )
    for by, words, sentence in PATTERNS
)
_NOT_SAID = "AWS does not say which policy refuses it."


def read_denial(text: str) -> Denial:
    """Read the denying policy from AWS's error text."""
    for by, denied, not_allowed, sentence in _SAID:
        if denied.search(text):
            return Denial(by, explicit=True, sentence=sentence)
        if not_allowed.search(text):
            return Denial(by, explicit=False, sentence=sentence)
    return Denial(DeniedBy.UNKNOWN, explicit=False, sentence=_NOT_SAID)
