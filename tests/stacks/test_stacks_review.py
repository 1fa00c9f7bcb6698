"""cfn-lint and cdk-nag over every template, and what they must not let through."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from aws_cdk import App
from aws_cdk import aws_iam as iam
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs

from cloudspend.settings import CUSTOMER_TEMPLATE, MEMBER_ROLE, MEMBERS_TEMPLATE
from stacks import customer_bucket, customer_role, onboarding_stack
from stacks.constructs.review import allow
from stacks.customer_stack import CustomerStack, write_template
from stacks.stage import STAGES
from tests.stacks.stacks_reading import synthesized

# W3005: DependsOn on a role that is referred to as well. It is there for the role's policy, which
# is next to the role and must exist before anyone who uses the role.
# W1033: a list of members that is split while it may be empty. Then a condition leaves the StackSet
# out, which the rule does not see.
NOT_OURS = ["W3005", "W1033"]


def every_template(assembly: Path) -> Iterator[Path]:
    yield from sorted(assembly.glob("*.template.json"))
    yield assembly / "customer" / CUSTOMER_TEMPLATE
    yield assembly / "customer" / "member" / f"{MEMBER_ROLE}.yaml"
    yield assembly / "members" / MEMBERS_TEMPLATE


def test_cfn_lint_finds_nothing(assembly: Path) -> None:
    config = ManualArgs(ignore_checks=NOT_OURS, regions=["us-east-1"])
    paths = list(every_template(assembly))
    assert len(paths) == 12
    assert [str(found) for path in paths for found in lint_file(path, config)] == []


def test_cdk_nag_judges_the_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onboarding_stack, "accept", lambda *_: None)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        synthesized(tmp_path, STAGES["production"])
    assert _violations(tmp_path) == {"AwsSolutions-S2"}


def test_cdk_nag_judges_the_customers_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (customer_bucket, customer_role):
        monkeypatch.setattr(module, "accept", lambda *_: None)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        write_template(tmp_path)
    assert _violations(tmp_path) == {
        "AwsSolutions-S1",
        "AwsSolutions-IAM5[Resource::*]",
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::<ExportBucketName>/<ExportPrefix>/*]",
        (
            "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:bcm-data-exports:us-east-1"
            ":<AWS::AccountId>:export/*]"
        ),
    }


def test_every_accepted_finding_has_a_reason_that_says_something(assembly: Path) -> None:
    reasons = [
        reason
        for folder in (assembly, assembly / "customer")
        for metadata in folder.glob("*.metadata.json")
        for reason in _reasons(metadata)
    ]
    assert reasons
    assert [reason for reason in reasons if len(reason.split()) < 8] == []


def test_a_wildcard_needs_a_reason(tmp_path: Path) -> None:
    stack = CustomerStack(App(outdir=str(tmp_path)), "customer", member_template="-")
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    with pytest.raises(ValueError, match=re.escape("arn:aws:s3:::bucket/*")):
        allow(role, ["s3:GetObject"], ["arn:aws:s3:::bucket/*"])
    allow(role, ["s3:GetObject"], ["arn:aws:s3:::bucket/*"], because="It is only a test.")


def _violations(folder: Path) -> set[str]:
    report = json.loads((folder / "validation-report.json").read_text(encoding="utf-8"))
    return {found["ruleName"] for one in report["pluginReports"] for found in one["violations"]}


def _reasons(metadata: Path) -> Iterator[str]:
    for entries in json.loads(metadata.read_text(encoding="utf-8")).values():
        for entry in entries:
            if entry["type"] == "aws:cdk:acknowledged-rules":
                yield from entry["data"].values()
