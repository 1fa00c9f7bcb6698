"""Evaluation of trust policies, and of AWS's messages about denied calls."""

from typing import Any

import pytest

from cloudspend.access.denials import POLICY_TYPES, DeniedBy, read_denial
from cloudspend.access.trust import excess_trust
from tests.fakes.access import PLATFORM, a_trust_policy

EXTERNAL_ID = "external-id-of-the-account"
ROOT = f"arn:aws:iam::{PLATFORM}:root"


def beyond(policy: dict[str, Any]) -> list[str]:
    return excess_trust(policy, PLATFORM, EXTERNAL_ID)


@pytest.mark.parametrize(
    "principal",
    [{"AWS": ROOT}, {"AWS": [ROOT]}, {"AWS": PLATFORM}, {"AWS": f"arn:aws:iam::{PLATFORM}:role/x"}],
)
def test_trust_in_the_platform_alone_is_accepted(principal: Any) -> None:
    assert beyond(a_trust_policy(Principal=principal)) == []


@pytest.mark.parametrize(
    ("changes", "clause"),
    [
        ({"Principal": "*"}, "also trusts everyone"),
        ({"Principal": {"AWS": "*"}}, "also trusts everyone"),
        ({"Principal": {"AWS": [ROOT, "999999999999"]}}, "also trusts 999999999999"),
        ({"Principal": {"AWS": "arn:aws:iam::999999999999:root"}}, "arn:aws:iam::999999999999"),
        ({"Principal": {"AWS": "AROAEXAMPLE"}}, "also trusts AROAEXAMPLE"),
        ({"Principal": {"Service": "ec2.amazonaws.com"}}, "ec2.amazonaws.com (Service)"),
        ({"Principal": {"Federated": "accounts.google.com"}}, "(Federated)"),
        ({"NotPrincipal": {"AWS": "999999999999"}}, "NotPrincipal"),
        ({"Condition": {}}, "does not require the external id"),
        (
            {"Condition": {"StringEquals": {"sts:ExternalId": ["a", EXTERNAL_ID]}}},
            "does not require",
        ),
        ({"Condition": {"StringEquals": {"sts:ExternalId": "another"}}}, "does not require"),
        ({"Condition": {"StringLike": {"sts:ExternalId": EXTERNAL_ID}}}, "does not require"),
        (
            {"Condition": {"StringEqualsIfExists": {"sts:ExternalId": EXTERNAL_ID}}},
            "does not require",
        ),
        ({"Action": "sts:*"}, "allows sts:*"),
        ({"Action": ["sts:AssumeRole", "sts:AssumeRoleWithSAML"]}, "AssumeRoleWithSAML"),
        ({"Action": [], "NotAction": "sts:TagSession"}, "NotAction"),
    ],
)
def test_any_other_trust_is_named(changes: dict[str, Any], clause: str) -> None:
    assert any(clause in text for text in beyond(a_trust_policy(**changes)))


def test_every_statement_counts_except_a_deny() -> None:
    policy = a_trust_policy()
    policy["Statement"].append({"Effect": "Deny", "Principal": "*", "Action": "*"})
    assert beyond(policy) == []
    policy["Statement"].append({"Effect": "Allow", "Principal": "*", "Action": "sts:TagSession"})
    assert beyond(policy) == ["also trusts everyone"]


def test_names_of_condition_keys_have_no_case() -> None:
    condition = {"StringEquals": {"sts:externalid": [EXTERNAL_ID]}}
    assert beyond(a_trust_policy(Condition=condition)) == []


# AWS IAM user guide, "Troubleshoot access denied error messages", with other names.
USER = "User: arn:aws:sts::111111111111:assumed-role/r/s is not authorized to perform: ce:GetTags"
DENIALS = [
    (
        "because no service control policy allows the ce:GetTags action",
        DeniedBy.SERVICE_CONTROL_POLICY,
    ),
    ("with an explicit deny in a service control policy", DeniedBy.SERVICE_CONTROL_POLICY),
    (
        "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o/p-1",
        DeniedBy.SERVICE_CONTROL_POLICY,
    ),
    ("with an explicit deny in a resource control policy", DeniedBy.RESOURCE_CONTROL_POLICY),
    ("because no VPC endpoint policy allows the ce:GetTags action", DeniedBy.VPC_ENDPOINT_POLICY),
    ("with an explicit deny in a VPC endpoint policy", DeniedBy.VPC_ENDPOINT_POLICY),
    ("because no permissions boundary allows the a:B action", DeniedBy.PERMISSIONS_BOUNDARY),
    ("with an explicit deny in a permissions boundary", DeniedBy.PERMISSIONS_BOUNDARY),
    ("because no session policy allows the ce:GetTags action", DeniedBy.SESSION_POLICY),
    ("with an explicit deny in a session policy", DeniedBy.SESSION_POLICY),
    ("because no resource-based policy allows the s3:GetObject action", DeniedBy.RESOURCE_POLICY),
    ("with an explicit deny in a resource-based policy", DeniedBy.RESOURCE_POLICY),
    ("because no role trust policy allows the sts:AssumeRole action", DeniedBy.TRUST_POLICY),
    ("because no identity-based policy allows the ce:GetTags action", DeniedBy.STATEMENT),
    ("with an explicit deny in an identity-based policy", DeniedBy.STATEMENT),
    ("", DeniedBy.UNKNOWN),
]


@pytest.mark.parametrize(("message", "by"), DENIALS)
def test_the_denying_policy_is_read_from_the_message(message: str, by: DeniedBy) -> None:
    denial = read_denial(f"{USER} on resource: * {message}")
    assert denial.by is by
    assert denial.explicit == ("explicit deny" in message)
    assert denial.sentence.endswith(".")


def test_every_type_of_policy_has_a_sentence() -> None:
    assert {by for by, _, _ in POLICY_TYPES} | {DeniedBy.UNKNOWN} == set(DeniedBy)
    assert {by for _, by in DENIALS} == set(DeniedBy)


def test_a_message_without_a_policy_is_not_guessed_at() -> None:
    assert read_denial("Access Denied").by is DeniedBy.UNKNOWN
    assert read_denial("no service control policy is attached").by is DeniedBy.UNKNOWN
