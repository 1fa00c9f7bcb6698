"""What collecting needs from outside: one call of Cost Explorer's API."""

from collections.abc import Mapping
from typing import Any, Protocol


class AnswerChanged(Exception):
    """The pages read so far no longer belong together: the question must be asked from the start.

    Cost Explorer says so by RequestChangedException and InvalidNextTokenException.
    """


class CostExplorer(Protocol):
    """Cost Explorer as the customer's role sees it. Each call is one request, which AWS bills.

    Requests and answers have the shape of the API. Both calls raise AnswerChanged; TransientError
    when AWS does not answer now; PermissionDenied when the role may not ask; UsageError when
    Cost Explorer does not have what is asked for.
    """

    def cost_and_usage(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """One page of GetCostAndUsage."""

    def dimension_values(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """One page of GetDimensionValues."""
