"""What the demo's customer runs, in the words of koku-nise's static reports.

Rates are US dollars for an hour. Every resource has its tags and its cost categories spelled out,
since nise draws random words for those that have none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PAYER = "111111111111"
PRODUCTION = "222222222222"
STAGING = "333333333333"
DATA = "444444444444"
ACCOUNTS = (PAYER, PRODUCTION, STAGING, DATA)
NAMES = {
    PAYER: "Example Shop",
    PRODUCTION: "Shop Production",
    STAGING: "Shop Staging",
    DATA: "Data Platform",
}

SAVINGS_PLAN_COMMITMENT = "0.15"
SAVINGS_PLAN_USED = "0.126"
SAVINGS_PLAN_ARN = f"arn:aws:savingsplans::{PAYER}:savingsplan/6f1d2c34-90ab-4cde-8f01-23456789abcd"

# The reserved instance: on-demand and effective price of an hour, which nise leaves out.
RESERVED_TYPE = "c5.xlarge"
RESERVED_ON_DEMAND = "0.17"
RESERVED_EFFECTIVE = "0.107"
RESERVATION_ARN = (
    f"arn:aws:ec2:us-east-1:{DATA}:reserved-instances/0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9"
)


@dataclass(frozen=True)
class Resource:
    """One resource: a nise generator, whose account pays, and the generator's attributes.

    `restated` holds the attributes that the second assembly of a restated month has instead.
    """

    generator: str
    account: str
    application: str
    environment: str
    attributes: Mapping[str, Any]
    restated: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tags(self) -> dict[str, str]:
        return {
            "resourceTags/user:application": self.application,
            "resourceTags/user:environment": self.environment,
        }

    @property
    def cost_categories(self) -> dict[str, str]:
        return {"costCategory/Team": "data" if self.account == DATA else "shop"}


def _instance(name: str, vcpu: int, rate: float, **more: Any) -> dict[str, Any]:
    """nise's description of an EC2 or RDS instance; its cost for an hour is its rate."""
    return {
        "inst_type": name,
        "physical_cores": max(1, vcpu // 2),
        "vcpu": vcpu,
        "memory": f"{vcpu * 4} GiB",
        "storage": "EBS-Only",
        "family": "General Purpose",
        "cost": rate,
        "rate": rate,
        **more,
    }


RESOURCES = (
    Resource(
        "EC2Generator",
        PRODUCTION,
        "shop",
        "production",
        {
            "resource_id": "0a11111111111111a",
            "region": "us-east-1",
            "instance_type": _instance("m5.large", 2, 0.096),
        },
    ),
    Resource(
        "EC2Generator",
        PRODUCTION,
        "shop",
        "production",
        {
            "resource_id": "0a22222222222222b",
            "region": "us-east-1",
            "instance_type": _instance("m5.xlarge", 4, 0.192, saving=0.126),
        },
    ),
    Resource(
        "EC2Generator",
        PRODUCTION,
        "shop",
        "production",
        {
            "resource_id": "0a22222222222222b",
            "region": "us-east-1",
            "instance_type": _instance("m5.xlarge", 4, 0.192, negation=True),
        },
    ),
    Resource(
        "EC2Generator",
        PAYER,
        "shop",
        "shared",
        {
            "resource_id": "0a00000000000000c",
            "region": "us-east-1",
            "instance_type": _instance(
                "m5.xlarge", 4, float(SAVINGS_PLAN_COMMITMENT), recurring_fee=True
            ),
        },
    ),
    Resource(
        "EBSGenerator",
        PRODUCTION,
        "shop",
        "production",
        {
            "resource_id": "0b33333333333333d",
            "region": "us-east-1",
            "rate": 0.08,
            "disk_size": 500,
            "volume_api_name": "gp3",
        },
    ),
    Resource(
        "RDSGenerator",
        PRODUCTION,
        "shop",
        "production",
        {
            "resource_id": "shop-orders",
            "region": "us-east-1",
            "instance_type": _instance("db.m5.large", 2, 0.171),
        },
        restated={"instance_type": _instance("db.m5.large", 2, 0.178)},
    ),
    Resource(
        "DataTransferGenerator",
        PRODUCTION,
        "shop",
        "production",
        {
            "resource_id": "0a11111111111111a",
            "region": "us-east-1",
            "data_direction": "out",
            "amount": 1.75,
            "rate": 0.09,
        },
    ),
    Resource(
        "EC2Generator",
        STAGING,
        "shop",
        "staging",
        {
            "resource_id": "0a44444444444444e",
            "region": "eu-west-1",
            "instance_type": _instance("t3.medium", 2, 0.0456),
        },
    ),
    Resource(
        "VPCGenerator",
        STAGING,
        "shop",
        "staging",
        {"resource_id": "0c55555555555555f", "region": "eu-west-1", "rate": 0.05, "cost": 0.05},
    ),
    Resource(
        "EC2Generator",
        DATA,
        "lake",
        "production",
        {
            "resource_id": "0a66666666666666a",
            "region": "us-east-1",
            "instance_type": _instance(
                RESERVED_TYPE, 4, float(RESERVED_ON_DEMAND), reserved_instance=True
            ),
        },
    ),
    Resource(
        "S3Generator",
        DATA,
        "lake",
        "production",
        {"resource_id": "lake-archive", "region": "us-east-1", "amount": 9.4, "rate": 0.023},
        restated={"amount": 8.9},
    ),
    Resource(
        "Route53Generator",
        PAYER,
        "shop",
        "shared",
        {
            "resource_id": "Z0123456789EXAMPLE",
            "product_family": "DNS Query",
            "cost": 0.0004,
            "rate": 0.0000004,
        },
    ),
)
