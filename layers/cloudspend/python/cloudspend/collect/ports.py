"""Ports of Collect: AWS's billing services, the request budget, progress, and the store."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from cloudspend.collect.calls import Call
from cloudspend.collect.model import Collected
from cloudspend.errors import CloudSpendError, Defect
from cloudspend.lake.tables import Table


class AnswerChanged(Exception):
    """The pages read so far do not belong together any more: start the question again.

    Cost Explorer signals it by RequestChangedException and InvalidNextTokenException.
    """


class CostExplorer(Protocol):
    """Cost Explorer with the customer's role. Each call is one billed request.

    Requests and answers have the shape of the API. Both calls raise AnswerChanged; TransientError
    when AWS asks to retry; PermissionDenied when the role lacks a permission; UsageError when Cost
    Explorer does not have the data.
    """

    def cost_and_usage(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return one page of GetCostAndUsage."""

    def dimension_values(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return one page of GetDimensionValues."""


class NotAvailable(CloudSpendError):
    """AWS has no such data for this account, which is not an error."""


class QuestionRefused(Defect):
    """AWS refuses the question, for example because its time is too early."""


class CapReached(CloudSpendError):
    """The account's request budget for today is used up; the rest follows tomorrow."""


class Services(Protocol):
    """AWS's billing services with the customer's role."""

    def page(self, call: Call, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return one page of an answer. Requests and answers have the shape of the API.

        Waits out throttling. Raises AnswerChanged, NotAvailable and QuestionRefused; TransientError
        when AWS asks to retry, PermissionDenied when the role lacks a permission.
        """


class RequestBudget(Protocol):
    """Priced pages per account and day (UTC)."""

    def take(self, account_id: str, day: date, cap: int) -> None:
        """Count one more page before it is requested.

        Raises CapReached, and counts nothing, when there are already `cap` pages, also with
        concurrent callers.
        """

    def taken(self, account_id: str, day: date) -> int:
        """Return the day's pages so far."""

    def first_to_say(self, account_id: str, day: date) -> bool:
        """Return True once a day: for the first caller that reports the reached cap."""


class Progress(Protocol):
    """Progress of each source, per account."""

    def get(self, account_id: str, source: str) -> Collected | None:
        """Return the progress of one source, read consistently; None when it was never
        collected.
        """

    def all(self, account_id: str) -> dict[str, Collected]:
        """Return the progress of all sources that were ever tried, by name."""

    def put(self, account_id: str, source: str, collected: Collected) -> None:
        """Save the progress. It may lag behind the stored data, but is never ahead of it."""


class Store(Protocol):
    """Writes rows as Parquet into the lake bucket."""

    @property
    def bucket(self) -> str:
        """Return the bucket's name."""

    def replace(self, table: Table, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Replace the object at `key` with `rows`: readers see the old rows or the new.

        A row has a value or None for each column of `table`.
        """
