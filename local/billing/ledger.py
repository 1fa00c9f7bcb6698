"""The bill as AWS knows it, independent of the files that were delivered.

`PUT /_local/ledger` with `{payer, period, columns, rows}` replaces one payer's period: `columns`
are those of a legacy Cost and Usage Report (`category/Name`), `rows` lists of texts. Cost Explorer
is computed from these line items. `GET` lists what there is.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from local.billing import amounts, vocabulary
from local.control import control

REQUIRED = (
    "bill/InvoiceId",
    "lineItem/UsageAccountId",
    "lineItem/LineItemType",
    "lineItem/UsageStartDate",
    "lineItem/ProductCode",
    "lineItem/UsageType",
    "lineItem/UnblendedCost",
    "lineItem/CurrencyCode",
)

# What of a line item only commitments, budgets, tags and cost categories are read from.
_FACTS = (
    "bill/BillingEntity",
    "lineItem/UsageAmount",
    "pricing/",
    "product/instanceType",
    "product/operatingSystem",
    "reservation/",
    "savingsPlan/",
    "resourceTags/",
    "costCategory/",
)

# Split cost allocation repeats, for containers, what other rows already cost.
_SPLIT_COST = frozenset({"EKSPod-EC2", "ECSTask-EC2"})


@dataclass(frozen=True)
class LineItem:
    """One charge in Cost Explorer's terms. `day` lies within the billing period, to which AWS books
    a charge even where it has another usage date (upfront fees). `invoice` is the invoice's id,
    empty until there is one; `facts` are columns of the bill that are filled, by name."""

    day: date
    dimensions: Mapping[str, str]
    metrics: Mapping[str, Decimal]
    currency: str
    invoice: str
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def invoiced(self) -> bool:
        return bool(self.invoice)

    def figure(self, column: str) -> Decimal:
        """A number among the facts, zero where there is none."""
        return amounts.money(self.facts, column)


class Ledger:
    """All bills, by payer and period (`YYYY-MM`). Assignment is atomic; readers need no lock."""

    def __init__(self) -> None:
        self._bills: dict[tuple[str, str], tuple[LineItem, ...]] = {}

    def replace(
        self, payer: str, period: str, columns: Sequence[str], rows: Sequence[Sequence[str]]
    ) -> int:
        """Set a period's line items and return their number. Raises ValueError, naming the row."""
        _check(payer, period, columns)
        items = tuple(_line_items(period, columns, rows))
        self._bills[payer, period] = items
        return len(items)

    def visible_to(self, account: str) -> list[LineItem]:
        """A payer sees its whole organization, a member what it used itself.

        An account belongs to one organization: one that pays sees nothing of others' bills.
        """
        return self.paid_by(account) or [
            item
            for _, items in sorted(self._bills.items())
            for item in items
            if item.dimensions["LINKED_ACCOUNT"] == account
        ]

    def paid_by(self, account: str) -> list[LineItem]:
        """What an account pays for, itself and its members; nothing for one that is a member."""
        bills = sorted(self._bills.items())
        return [item for (payer, _), items in bills if payer == account for item in items]

    def summary(self) -> list[dict[str, Any]]:
        """The contents, for people."""
        return [
            {
                "payer": payer,
                "period": period,
                "line_items": len(items),
                "unblended_cost": str(sum((i.metrics["UnblendedCost"] for i in items), Decimal())),
            }
            for (payer, period), items in sorted(self._bills.items())
        ]

    def clear(self) -> None:
        self._bills = {}


LEDGER = Ledger()


@control("ledger")
def door(method: str, body: bytes) -> tuple[int, object]:
    """`PUT` replaces a period's line items, `GET` lists the periods."""
    if method == "GET":
        return 200, LEDGER.summary()
    if method not in {"PUT", "POST"}:
        return 405, {"error": "Use GET or PUT."}
    try:
        bill = json.loads(body)
        count = LEDGER.replace(bill["payer"], bill["period"], bill["columns"], bill["rows"])
    except (ValueError, KeyError, TypeError) as error:
        return 400, {"error": f"This is no bill: {error}"}
    return 200, {"line_items": count}


def _check(payer: str, period: str, columns: Sequence[str]) -> None:
    if not re.fullmatch(r"\d{12}", payer):
        raise ValueError(f"{payer!r} is no account id.")
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", period):
        raise ValueError(f"{period!r} is no billing period (YYYY-MM).")
    missing = sorted(set(REQUIRED) - set(columns))
    if missing:
        raise ValueError(f"The columns {', '.join(missing)} are missing.")


def _line_items(
    period: str, columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> Iterator[LineItem]:
    for number, row in enumerate(rows, start=1):
        try:
            item = dict(zip(columns, row, strict=True))
            if item.get("lineItem/Operation") not in _SPLIT_COST:
                yield _line_item(period, item)
        except ValueError as error:
            raise ValueError(f"Row {number}: {error}") from error


def _line_item(period: str, item: Mapping[str, str]) -> LineItem:
    charge = item["lineItem/LineItemType"]
    code = item["lineItem/ProductCode"]
    usage = item["lineItem/UsageType"]
    name = item.get("product/ProductName", "")
    return LineItem(
        day=_day(period, item["lineItem/UsageStartDate"]),
        dimensions={
            "LINKED_ACCOUNT": item["lineItem/UsageAccountId"],
            "SERVICE": vocabulary.service(code, usage, charge, name),
            "SERVICE_CODE": code,
            "RECORD_TYPE": vocabulary.record_type(charge),
            "USAGE_TYPE": usage,
            "OPERATION": item.get("lineItem/Operation", ""),
            "REGION": item.get("product/region", ""),
        },
        metrics=amounts.metrics(item),
        currency=item["lineItem/CurrencyCode"],
        invoice=item["bill/InvoiceId"],
        facts={name: value for name, value in item.items() if value and name.startswith(_FACTS)},
    )


def _day(period: str, moment: str) -> date:
    """The usage's day, or the nearest one of the period that it is billed in."""
    first = date.fromisoformat(f"{period}-01")
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    last = date.fromordinal(following.toordinal() - 1)
    return min(max(date.fromisoformat(moment[:10]), first), last)
