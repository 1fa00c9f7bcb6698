"""Read a billing period from Cost Explorer by linked account, service and record type.

A request can have two groupings, so the record types of the period are read first, and then the
costs once for each of them. Every page is a request of 0.01 USD (AWS Cost Management pricing):
requests are counted, and nothing is read twice unless the answer changed between its pages.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from cloudspend.collect.ports import AnswerChanged, CostExplorer
from cloudspend.errors import Defect, TransientError
from cloudspend.exports.model import BillingPeriod

UNBLENDED = "UnblendedCost"
AMORTIZED = "AmortizedCost"
NET_AMORTIZED = "NetAmortizedCost"
LINKED_ACCOUNT = "LINKED_ACCOUNT"
SERVICE = "SERVICE"
RECORD_TYPE = "RECORD_TYPE"

# Restarts of one question whose answer changes between its pages.
MAX_STARTS = 3

Page = Mapping[str, Any]
Ask = Callable[[Mapping[str, Any]], Page]


@dataclass(frozen=True)
class Charge:
    """The cost of a linked account for a service, with Cost Explorer's names."""

    account_id: str
    service: str
    record_type: str
    unblended: Decimal
    amortized: Decimal
    net_amortized: Decimal
    currency: str


@dataclass(frozen=True)
class CostExplorerBill:
    """All charges of a period.

    `estimated` when AWS may still change any of them; `requests` is the number of requests.
    """

    charges: tuple[Charge, ...]
    estimated: bool
    requests: int


def read_bill(
    api: CostExplorer, period: BillingPeriod, since: date | None = None
) -> CostExplorerBill:
    """Read the whole `period`, or its days from `since` on.

    Raises the errors of the port, and TransientError when an answer keeps changing.
    """
    reader = _Reader(period, since)
    charges: list[Charge] = []
    estimated = False
    for record_type in reader.record_types(api.dimension_values):
        for result in reader.results(api.cost_and_usage, record_type):
            estimated = estimated or result.get("Estimated", False)
            charges.extend(_charge(group, record_type) for group in result.get("Groups", ()))
    return CostExplorerBill(tuple(charges), estimated, reader.requests)


class _Reader:
    """Reader of one period, which counts requests."""

    def __init__(self, period: BillingPeriod, since: date | None) -> None:
        self.requests = 0
        # The end is exclusive. Read to the period's end even if it is open: some fees have later
        # usage dates.
        start = since or period.start
        self._time = {"Start": f"{start:%Y-%m-%d}", "End": f"{period.end:%Y-%m-%d}"}

    def record_types(self, ask: Ask) -> list[str]:
        question = {"TimePeriod": self._time, "Dimension": RECORD_TYPE, "Context": "COST_AND_USAGE"}
        pages = self._pages(ask, question)
        return sorted({found["Value"] for page in pages for found in page["DimensionValues"]})

    def results(self, ask: Ask, record_type: str) -> list[Page]:
        question = {
            "TimePeriod": self._time,
            "Granularity": "MONTHLY",
            "Metrics": [UNBLENDED, AMORTIZED, NET_AMORTIZED],
            "GroupBy": [{"Type": "DIMENSION", "Key": key} for key in (LINKED_ACCOUNT, SERVICE)],
            "Filter": {"Dimensions": {"Key": RECORD_TYPE, "Values": [record_type]}},
        }
        pages = self._pages(ask, question)
        return [result for page in pages for result in page.get("ResultsByTime", ())]

    def _pages(self, ask: Ask, question: Mapping[str, Any]) -> list[Page]:
        for _ in range(MAX_STARTS):
            try:
                return self._all_pages(ask, question)
            except AnswerChanged:
                continue
        raise TransientError(
            "Cost Explorer's figures kept changing while they were read.",
            remedy="They settle within hours; the comparison is repeated by itself.",
            starts=MAX_STARTS,
        )

    def _all_pages(self, ask: Ask, question: Mapping[str, Any]) -> list[Page]:
        pages: list[Page] = []
        token: dict[str, str] = {}
        while True:
            self.requests += 1
            page = ask({**question, **token})
            pages.append(page)
            if not page.get("NextPageToken"):
                return pages
            token = {"NextPageToken": page["NextPageToken"]}


def _charge(group: Mapping[str, Any], record_type: str) -> Charge:
    account_id, service = group["Keys"]
    metrics = group["Metrics"]
    return Charge(
        account_id=account_id,
        service=service,
        record_type=record_type,
        unblended=_amount(metrics, UNBLENDED),
        amortized=_amount(metrics, AMORTIZED),
        net_amortized=_amount(metrics, NET_AMORTIZED),
        currency=metrics[UNBLENDED]["Unit"],
    )


def _amount(metrics: Mapping[str, Any], metric: str) -> Decimal:
    text = metrics[metric]["Amount"]
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise Defect(
            f"Cost Explorer's {metric} is no number: {text!r}.",
            remedy="Look at GetCostAndUsage's answer: its format must have changed.",
        )
    return amount
