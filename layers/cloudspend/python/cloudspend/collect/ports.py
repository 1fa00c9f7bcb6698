"""What collecting needs from outside: AWS's billing services, a count of what they were asked,
what is known of each source, and where rows go."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from cloudspend.collect.calls import Call
from cloudspend.collect.model import Collected
from cloudspend.errors import CloudSpendError, Defect
from cloudspend.lake.tables import Table


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


class NotAvailable(CloudSpendError):
    """AWS has nothing of the kind to tell for this account; nobody has done anything wrong."""


class QuestionRefused(Defect):
    """AWS does not take the question as it is put, for example one of too early a time."""


class CapReached(CloudSpendError):
    """The account's requests of today have cost what they may; more are asked tomorrow."""


class Services(Protocol):
    """AWS's billing services as the customer's role sees them."""

    def page(self, call: Call, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """One page of an answer. Requests and answers have the shape of the API.

        Throttling is waited out. Raises AnswerChanged, NotAvailable and QuestionRefused;
        TransientError when AWS does not answer now, PermissionDenied when the role may not ask.
        """


class RequestBudget(Protocol):
    """How many priced pages each account was asked for on each day (in UTC)."""

    def take(self, account_id: str, day: date, cap: int) -> None:
        """Count one more page, before it is asked for. Raises CapReached, and counts nothing, when
        there are `cap` already, whoever else counts at the same time."""

    def taken(self, account_id: str, day: date) -> int:
        """The pages of the day so far."""

    def first_to_say(self, account_id: str, day: date) -> bool:
        """Whether nobody has said yet that the day's cap is reached. True once a day."""


class Progress(Protocol):
    """What was collected of each source, per account."""

    def get(self, account_id: str, source: str) -> Collected | None:
        """What is known of one source; None when it was never collected. Read consistently."""

    def all(self, account_id: str) -> dict[str, Collected]:
        """All sources that were ever tried, by name."""

    def put(self, account_id: str, source: str, collected: Collected) -> None:
        """Replace what is known. It may lag behind what is stored, and never runs ahead of it."""


class Store(Protocol):
    """Writes rows as Parquet into the lake bucket."""

    @property
    def bucket(self) -> str:
        """The bucket's name."""

    def replace(self, table: Table, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Make the object at `key` hold exactly `rows`: readers see the old ones or the new. A row
        holds a value (or None) for each column of `table`."""
