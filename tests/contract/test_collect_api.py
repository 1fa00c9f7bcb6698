"""The fake of Cost Explorer and the real adapter on boto3 keep the same contract."""

from collections.abc import Callable
from decimal import Decimal

import boto3
import pytest

from cloudspend.collect.aws import CostExplorerApi
from cloudspend.collect.cost_explorer import Charge, read_bill
from cloudspend.collect.ports import AnswerChanged, CostExplorer
from cloudspend.errors import Defect, PermissionDenied, TransientError, UsageError
from cloudspend.exports.model import BillingPeriod
from tests.fakes.collect import FakeCostExplorer, Refusal, client_of

PERIOD = BillingPeriod(2026, 10)
CHARGES = [
    Charge(
        "222222222222", f"Service {n}", kind, Decimal("0.12"), Decimal("-2.50"), Decimal(3), "USD"
    )
    for kind in ("Credit", "Usage")
    for n in range(3)
]
Wrap = Callable[[FakeCostExplorer], CostExplorer]


def real(fake: FakeCostExplorer) -> CostExplorer:
    return CostExplorerApi(client_of(fake))


@pytest.mark.parametrize("wrap", [lambda fake: fake, real], ids=["fake", "boto3"])
def test_a_bill_is_read_over_all_pages(wrap: Wrap) -> None:
    bill = read_bill(wrap(FakeCostExplorer(PERIOD, CHARGES, estimated=True, page_size=2)), PERIOD)
    assert bill.charges == tuple(CHARGES)
    assert bill.estimated
    assert bill.requests == 1 + 2 * 2


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("RequestChangedException", 400, AnswerChanged),
        ("InvalidNextTokenException", 400, AnswerChanged),
        ("LimitExceededException", 400, TransientError),
        ("DataUnavailableException", 400, TransientError),
        ("ThrottlingException", 400, TransientError),
        ("ExpiredTokenException", 400, TransientError),
        ("InternalFailure", 500, TransientError),
        ("AccessDeniedException", 400, PermissionDenied),
        ("BillExpirationException", 400, UsageError),
        ("ValidationException", 400, Defect),
    ],
)
def test_each_refusal_says_who_must_act(code: str, status: int, kind: type[Exception]) -> None:
    fake = FakeCostExplorer(PERIOD)
    fake.fail_with = [Refusal(code, status, "said AWS")]
    question = {
        "TimePeriod": {"Start": "2026-10-01", "End": "2026-11-01"},
        "Dimension": "RECORD_TYPE",
    }
    with pytest.raises(kind) as caught:
        real(fake).dimension_values(question)
    assert type(caught.value) is kind


def test_a_denial_names_the_action_and_the_remedy() -> None:
    fake = FakeCostExplorer(PERIOD, CHARGES)
    fake.fail_with = [None, Refusal("AccessDeniedException", message="no identity-based policy")]
    with pytest.raises(PermissionDenied) as caught:
        read_bill(real(fake), PERIOD)
    assert "ce:GetCostAndUsage is denied: no identity-based policy" in caught.value.summary
    assert "Allow ce:GetCostAndUsage" in caught.value.remedy


@pytest.mark.parametrize(
    ("partition", "region"), [("aws", "us-east-1"), ("aws-cn", "cn-northwest-1")]
)
def test_the_partition_decides_the_endpoint(partition: str, region: str) -> None:
    api = CostExplorerApi.of(boto3.Session(region_name="eu-west-1"), partition)
    assert f"//ce.{region}." in api._client.meta.endpoint_url
