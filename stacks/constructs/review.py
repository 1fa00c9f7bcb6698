"""Permissions, and exceptions from the security rules (cdk-nag), each with its reason next to
it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Acknowledgment, Aws, Validations
from aws_cdk import aws_iam as iam
from constructs import Construct

TRACING = "AWS X-Ray takes trace segments for no resource: its actions can only be granted on *."


def accept(construct: Construct, reason: str, *rules: str) -> None:
    """Accept findings of `construct` and of what is inside it, for a reason that a security
    reviewer can judge. A rule's finding about one value is named `Rule[value]`."""
    for rule in rules:
        Validations.of(construct).acknowledge(
            Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason)
        )


def accept_empty(construct: Construct, rule: str = "F3033") -> None:
    """Accept that a property comes from a parameter which may be empty: then a condition leaves the
    property out, which CloudFormation's own rules do not see. F3033 is the one about lengths."""
    Validations.of(construct).acknowledge(
        Acknowledgment(
            id=f"CloudFormation-Validate::{rule}",
            reason="The parameter may be empty, and then its condition leaves the property out.",
        )
    )


def allow(
    role: iam.Role,
    actions: Sequence[str],
    resources: Sequence[str],
    *,
    conditions: Mapping[str, Any] | None = None,
    because: str = "",
) -> None:
    """Add one statement to `role`. A resource with a wildcard needs a reason (`because`).

    Raises ValueError when that is missing: a wildcard no one explained is a mistake of the stack.
    """
    wildcards = [resource for resource in resources if "*" in resource]
    if wildcards and not because:
        raise ValueError(f"No reason is given for {', '.join(wildcards)} in {role.node.path}.")
    role.add_to_policy(
        iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions)
    )
    accept(role, because, *(f"IAM5[Resource::{_as_reported(one)}]" for one in wildcards))


def _as_reported(resource: str) -> str:
    """The resource as a finding words it: `<AWS::Region>` for what CloudFormation fills in."""
    pseudo = {
        Aws.PARTITION: "AWS::Partition",
        Aws.REGION: "AWS::Region",
        Aws.ACCOUNT_ID: "AWS::AccountId",
    }
    for token, name in pseudo.items():
        resource = resource.replace(token, f"<{name}>")
    return resource
