"""The billing services behind boto3, with IAM enforced, and the world that uses them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.exceptions import ClientError

from local.machine import LocalCloud
from local.world import breakage, console
from local.world.delivery import Report, deliver, tell
from local.world.world import World

pytestmark = pytest.mark.e2e

PAYER, MEMBER = "111111111111", "222222222222"
BUCKET = "cloudspend-export-111111111111-us-east-1"
ROLE_TEMPLATE = {
    "Parameters": {"Owner": {"Type": "String"}},
    "Resources": {
        "Reader": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": {"Ref": "Owner"},
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"AWS": f"arn:aws:iam::{PAYER}:root"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                },
            },
        }
    },
    "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["Reader", "Arn"]}}},
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud.start() as running:
        yield running


@pytest.fixture(scope="module")
def world(cloud: LocalCloud) -> World:
    """Delivered, and known to Organizations."""
    world = World.standard(datetime.now(UTC).date())
    session = cloud.session(PAYER)
    session.client("s3").create_bucket(Bucket=BUCKET)
    tell(cloud.endpoint, "world", world.organization)
    for bill in world.bills():
        deliver(bill, session, Report(BUCKET, "cloudspend", "cloudspend-cur"))
    return world


def restricted(cloud: LocalCloud, name: str, actions: list[str]) -> boto3.Session:
    """A session of a role in the payer's account that may do `actions` and nothing else."""
    session = cloud.session(PAYER)
    iam = session.client("iam")
    trust = ROLE_TEMPLATE["Resources"]["Reader"]["Properties"]["AssumeRolePolicyDocument"]  # type: ignore[index]
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=policy)
    arn = role["Role"]["Arn"]
    answer = session.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")
    keys = answer["Credentials"]
    return boto3.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        region_name="us-east-1",
    )


def october(world: World) -> dict[str, Any]:
    period = world.last_closed
    return {
        "TimePeriod": {"Start": f"{period.start:%Y-%m-%d}", "End": f"{period.end:%Y-%m-%d}"},
        "Granularity": "MONTHLY",
        "Metrics": ["UnblendedCost", "AmortizedCost"],
    }


def test_cost_explorer_agrees_with_the_bill_page_by_page(cloud: LocalCloud, world: World) -> None:
    ce = cloud.session(PAYER).client("ce")
    group = [{"Type": "DIMENSION", "Key": key} for key in ("LINKED_ACCOUNT", "SERVICE")]
    request = {**october(world), "GroupBy": group}
    total, pages = Decimal(), 0
    token: dict[str, str] = {}
    while pages == 0 or token:
        answer = ce.get_cost_and_usage(**request, **token)
        for found in answer["ResultsByTime"][0]["Groups"]:
            total += Decimal(found["Metrics"]["UnblendedCost"]["Amount"])
        token = {k: answer[k] for k in ("NextPageToken",) if k in answer}
        pages += 1
    assert pages > 1
    assert total == world.bills()[1].total()
    assert answer["ResultsByTime"][0]["Estimated"] is False


def test_amortized_cost_spreads_what_was_committed(cloud: LocalCloud, world: World) -> None:
    ce = cloud.session(PAYER).client("ce")
    (result,) = ce.get_cost_and_usage(**october(world))["ResultsByTime"]
    unblended, amortized = (
        Decimal(result["Total"][name]["Amount"]) for name in ("UnblendedCost", "AmortizedCost")
    )
    reserved = world.bills()[1].values("lineItem/LineItemType").count("DiscountedUsage")
    assert amortized - unblended == reserved * Decimal("0.107")


def test_a_member_sees_its_own_cost(cloud: LocalCloud, world: World) -> None:
    ce = cloud.session(MEMBER).client("ce")
    period = october(world)["TimePeriod"]
    answer = ce.get_dimension_values(TimePeriod=period, Dimension="LINKED_ACCOUNT")
    assert [each["Value"] for each in answer["DimensionValues"]] == [MEMBER]


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("ce", "get_dimension_values", "ce:GetDimensionValues"),
        ("cur", "describe_report_definitions", "cur:DescribeReportDefinitions"),
        ("organizations", "list_accounts", "organizations:ListAccounts"),
        ("organizations", "describe_organization", "organizations:DescribeOrganization"),
    ],
)
def test_iam_decides_on_every_service(
    cloud: LocalCloud, world: World, service: str, operation: str, action: str
) -> None:
    arguments = (
        {"TimePeriod": october(world)["TimePeriod"], "Dimension": "SERVICE"}
        if service == "ce"
        else {}
    )
    name = action.replace(":", "-")
    allowed = restricted(cloud, f"with-{name}", [action])
    denied = restricted(cloud, f"without-{name}", ["s3:ListAllMyBuckets"])
    getattr(allowed.client(service, endpoint_url=cloud.endpoint), operation)(**arguments)
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(denied.client(service, endpoint_url=cloud.endpoint), operation)(**arguments)


def test_the_bucket_has_the_delivery_and_can_be_made_worse(cloud: LocalCloud, world: World) -> None:
    session = cloud.session(PAYER)
    s3 = session.client("s3")
    assembly = deliver(world.restatement(), session, Report(BUCKET, "cloudspend", "cloudspend-cur"))
    latest = s3.get_object(Bucket=BUCKET, Key=assembly.latest_manifest_key)
    assert json.load(latest["Body"])["assemblyId"] == assembly.assembly_id
    before = s3.head_object(Bucket=BUCKET, Key=breakage.key_of(assembly, 1))["ETag"]
    assert breakage.overwrite(assembly, 1, session) != before
    assert assembly.report == Report(BUCKET, "cloudspend", "cloudspend-cur")


def test_the_console_creates_the_stack_that_the_link_describes(cloud: LocalCloud) -> None:
    session = cloud.session(MEMBER)
    s3 = session.client("s3")
    s3.create_bucket(Bucket="a-template")
    s3.put_object(Bucket="a-template", Key="t.json", Body=json.dumps(ROLE_TEMPLATE).encode())
    outputs = console.follow(link("t.json", "console-role"), session)
    assert outputs == {"RoleArn": f"arn:aws:iam::{MEMBER}:role/console-role"}
    with pytest.raises(console.StackFailed, match="cannot be read"):
        console.follow(link("missing.json", "console-role"), session)


def link(template: str, owner: str) -> str:
    url = quote(f"https://a-template.s3.us-east-1.amazonaws.com/{template}", safe="")
    fragment = f"/stacks/quickcreate?templateURL={url}&stackName=s&param_Owner={owner}&param_No=1"
    console_url = "https://us-east-1.console.aws.amazon.com/cloudformation/home?region=us-east-1"
    return f"{console_url}#{fragment}"
