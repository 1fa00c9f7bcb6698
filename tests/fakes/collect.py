"""Cost Explorer over a list of charges: pages, counts and fails as instructed."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from cloudspend.collect.cost_explorer import Charge
from cloudspend.exports.model import BillingPeriod

T = TypeVar("T")
ONCE = Config(retries={"total_max_attempts": 1})


class Refusal(Exception):
    """An error as AWS words it: code, HTTP status, message."""

    def __init__(self, code: str, status: int = 400, message: str = "") -> None:
        self.code = code
        self.status = status
        self.message = message
        super().__init__(code)


class FakeCostExplorer:
    """Answers for one period, and for its days from those in `since` on.

    `fail_with` are raised by the next calls, one each; None lets a
    call through. `asked` remembers every request."""

    def __init__(
        self,
        period: BillingPeriod,
        charges: Sequence[Charge] = (),
        *,
        estimated: bool = False,
        page_size: int = 1000,
    ) -> None:
        self.period = period
        self.charges = list(charges)
        self.estimated = estimated
        self.page_size = page_size
        self.since: dict[date, list[Charge]] = {}
        self.fail_with: list[Exception | None] = []
        self.asked: list[Mapping[str, Any]] = []

    def dimension_values(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self._ask(request)
        kinds = sorted({charge.record_type for charge in self._of(request)})
        shown, rest = self._page(kinds, request)
        values = [{"Value": kind, "Attributes": {}} for kind in shown]
        return {"DimensionValues": values, "ReturnSize": len(shown), "TotalSize": len(kinds)} | rest

    def cost_and_usage(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self._ask(request)
        [kind] = request["Filter"]["Dimensions"]["Values"]
        found = [charge for charge in self._of(request) if charge.record_type == kind]
        shown, rest = self._page(found, request)
        groups = [self._group(charge) for charge in shown]
        result = {"TimePeriod": request["TimePeriod"], "Total": {}, "Groups": groups}
        return {"ResultsByTime": [result | {"Estimated": self.estimated}]} | rest

    def _ask(self, request: Mapping[str, Any]) -> None:
        self.asked.append(request)
        failure = self.fail_with.pop(0) if self.fail_with else None
        if failure:
            raise failure

    def _of(self, request: Mapping[str, Any]) -> list[Charge]:
        start, end = (date.fromisoformat(request["TimePeriod"][key]) for key in ("Start", "End"))
        if end != self.period.end.date():
            return []
        return self.charges if start == self.period.start.date() else self.since.get(start, [])

    def _page(self, items: list[T], request: Mapping[str, Any]) -> tuple[list[T], dict[str, str]]:
        start = int(request.get("NextPageToken", 0))
        end = start + self.page_size
        return items[start:end], {"NextPageToken": str(end)} if end < len(items) else {}

    @staticmethod
    def _group(charge: Charge) -> dict[str, Any]:
        def amount(value: object) -> dict[str, str]:
            return {"Amount": str(value), "Unit": charge.currency}

        metrics = {
            "UnblendedCost": amount(charge.unblended),
            "AmortizedCost": amount(charge.amortized),
            "NetAmortizedCost": amount(charge.net_amortized),
        }
        return {"Keys": [charge.account_id, charge.service], "Metrics": metrics}


def client_of(fake: FakeCostExplorer) -> Any:
    """A real boto3 client whose requests are answered by `fake` where they would be sent: boto3
    validates and writes each request, and reads each answer."""
    client = boto3.client("ce", region_name="us-east-1", config=ONCE)
    client.meta.events.register("before-send.ce.GetCostAndUsage", _answer(fake.cost_and_usage))
    client.meta.events.register("before-send.ce.GetDimensionValues", _answer(fake.dimension_values))
    return client


def _answer(call: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Callable[..., Any]:
    def send(request: Any, **_: Any) -> AWSResponse:
        try:
            status, body = 200, dict(call(json.loads(request.body)))
        except Refusal as refusal:
            status = refusal.status
            body = {"__type": refusal.code, "message": refusal.message}
        raw = _Body(json.dumps(body).encode())
        return AWSResponse(request.url, status, HTTPHeaders(), raw)

    return send


class _Body:
    """The part of a urllib3 response that botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> list[bytes]:
        return [self._content]
