"""Cost Explorer's words."""

import pytest

from local.billing.vocabulary import record_type, service


@pytest.mark.parametrize(
    ("usage", "name"),
    [
        ("BoxUsage:m5.large", "Amazon Elastic Compute Cloud - Compute"),
        ("USW2-BoxUsage:m5.large", "Amazon Elastic Compute Cloud - Compute"),
        ("EU-SpotUsage:c5.xlarge", "Amazon Elastic Compute Cloud - Compute"),
        ("HeavyUsage:c5.xlarge", "Amazon Elastic Compute Cloud - Compute"),
        ("EBS:VolumeUsage.gp3", "EC2 - Other"),
        ("USE1-EBS:VolumeUsage.gp3", "EC2 - Other"),
        ("DataTransfer-Out-Bytes", "EC2 - Other"),
        ("NatGateway-Hours", "EC2 - Other"),
        ("ElasticIP:IdleAddress", "EC2 - Other"),
        ("EBSOptimized:m4.large", "EC2 - Other"),
    ],
)
def test_ec2_is_two_services(usage: str, name: str) -> None:
    assert service("AmazonEC2", usage, "Usage", "Amazon Elastic Compute Cloud") == name


def test_services_have_the_names_of_cost_explorer() -> None:
    assert service("AmazonS3", "", "Usage", "anything") == "Amazon Simple Storage Service"
    assert service("AmazonS3", "", "Tax", "anything") == "Tax"
    assert service("5hnnev4d0v7mapf09j0v8of0o2", "", "Usage", "A Product") == "A Product"
    assert service("AmazonNew", "", "Usage", "") == "AmazonNew"


def test_discounts_are_named_in_words_and_the_rest_as_on_the_bill() -> None:
    assert record_type("EdpDiscount") == "Enterprise Discount Program Discount"
    assert record_type("SavingsPlanNegation") == "SavingsPlanNegation"
