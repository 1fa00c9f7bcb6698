"""Collect's ports in memory, and AWS's answers held against botocore's models."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from cloudspend.collect.calls import Call
from cloudspend.collect.model import Collected
from cloudspend.collect.ports import CapReached
from cloudspend.lake.tables import Table
from local import awsmodel

Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class FakeServices:
    """`Services`: answers by operation, each a function of the request or an exception to raise.
    Requests and answers must be such as AWS takes and gives."""

    def __init__(self, **answers: Answer | Exception) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        # Raised by the next calls, one each; None lets a call through.
        self.fail_with: list[Exception | None] = []

    def page(self, call: Call, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append((call.operation, request))
        operation = "".join(word.capitalize() for word in call.operation.split("_"))
        assert awsmodel.request_problem(call.service, operation, dict(request)) == ""
        failure = self.fail_with.pop(0) if self.fail_with else None
        if failure:
            raise failure
        answer = self.answers[call.operation]
        if isinstance(answer, Exception):
            raise answer
        given = answer(request)
        assert awsmodel.answer_problem(call.service, operation, given) == ""
        return given


class FakeSpend:
    """`Spend` in a dictionary."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, date], int] = {}
        self._said: set[tuple[str, date]] = set()

    def take(self, account_id: str, day: date, cap: int) -> None:
        if self.taken(account_id, day) >= cap:
            raise CapReached("The day's pages are used up.", remedy="Wait.", cap=cap)
        self._pages[account_id, day] = self.taken(account_id, day) + 1

    def taken(self, account_id: str, day: date) -> int:
        return self._pages.get((account_id, day), 0)

    def first_to_say(self, account_id: str, day: date) -> bool:
        first = (account_id, day) not in self._said
        self._said.add((account_id, day))
        return first


class FakeProgress:
    """`Progress` in a dictionary."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Collected] = {}

    def get(self, account_id: str, source: str) -> Collected | None:
        return self._known.get((account_id, source))

    def all(self, account_id: str) -> dict[str, Collected]:
        return {
            name: found for (account, name), found in self._known.items() if account == account_id
        }

    def put(self, account_id: str, source: str, collected: Collected) -> None:
        self._known[account_id, source] = collected


class FakeStore:
    """`Store`: the rows of each object. `dying` raises at a write, which is then not done."""

    bucket = "lake"

    def __init__(self) -> None:
        self.objects: dict[str, list[dict[str, Any]]] = {}
        self.dying: Exception | None = None

    def replace(self, table: Table, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if self.dying:
            raise self.dying
        names = [column.name for column in table.columns]
        self.objects[key] = [{name: row[name] for name in names} for row in rows]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for key in sorted(self.objects) for row in self.objects[key]]
