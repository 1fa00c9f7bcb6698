"""The accounts of an organization, listed with the management account's role (moto)."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cloudspend.access.aws.probes import CustomerProber
from cloudspend.access.ports import Customer
from tests.fakes.access import FakeCustomer
from tests.fakes.accounts import an_account

MANAGEMENT = "123456789012"


@pytest.fixture
def organizations() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("organizations", region_name="us-east-1")


def listed(account_id: str = MANAGEMENT) -> list[str]:
    """Return the names of the organization's accounts."""
    prober: Customer = CustomerProber(boto3.Session(region_name="us-east-1"), "aws")
    return [member.name for member in prober.organization_accounts(an_account(account_id))]


def test_members_are_listed_from_every_page_with_state_and_time(organizations: Any) -> None:
    organizations.create_organization(FeatureSet="ALL")
    for number in range(25):
        organizations.create_account(Email=f"{number}@example.com", AccountName=f"Member {number}")
    names = listed()
    assert names[0] == "master"
    assert sorted(names[1:]) == sorted(f"Member {number}" for number in range(25))
    prober = CustomerProber(boto3.Session(region_name="us-east-1"), "aws")
    first = prober.organization_accounts(an_account(MANAGEMENT))[0]
    assert (first.account_id, first.state) == (MANAGEMENT, "ACTIVE")
    assert first.joined_at.utcoffset() is not None


def test_an_account_that_manages_no_organization_has_no_members(organizations: Any) -> None:
    assert listed() == []
    organizations.create_organization(FeatureSet="ALL")
    assert listed("111111111111") == []


def test_the_fake_has_no_members_by_default() -> None:
    assert FakeCustomer().organization_accounts(an_account()) == ()
