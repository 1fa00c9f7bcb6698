"""Cost Explorer with a request budget, for direct reads."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from cloudspend.collect.ports import CostExplorer, RequestBudget


class MeteredCostExplorer:
    """`ports.CostExplorer` that counts each page before it is requested.

    Both calls raise CapReached in addition to the errors of the port.
    """

    def __init__(
        self, api: CostExplorer, spend: RequestBudget, account_id: str, day: date, cap: int
    ) -> None:
        self._api = api
        self._spend = spend
        self._account_id = account_id
        self._day = day
        self._cap = cap

    def cost_and_usage(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self._spend.take(self._account_id, self._day, self._cap)
        return self._api.cost_and_usage(request)

    def dimension_values(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self._spend.take(self._account_id, self._day, self._cap)
        return self._api.dimension_values(request)
