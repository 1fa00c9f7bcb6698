"""Exceptions from the security rules (cdk-nag), each one with its reason beside the construct."""

from aws_cdk import Acknowledgment, Validations
from constructs import Construct

XRAY = "AWS X-Ray takes trace segments for no resource; its write actions can only be granted on *."


def accept(construct: Construct, reason: str, *rules: str) -> None:
    """Accept findings of `construct` and of what is inside it, for a reason that a security
    reviewer can judge. A rule's finding about one value is named `Rule[value]`."""
    for rule in rules:
        Validations.of(construct).acknowledge(
            Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason)
        )
