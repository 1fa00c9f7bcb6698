"""AWS Budgets (`budgets`): what was posted to `/_local/budgets`, with what was spent by the ledger.

`PUT /_local/budgets` with `{account, budgets: [{name, limit, unit?, filters?, notifications?}]}`
replaces the budgets of an account: monthly budgets of unblended cost. `filters` are CostFilters by
dimension (`{"LinkedAccount": [...], "Service": [...]}`), `notifications` a list of `{type,
threshold, comparison?, threshold_type?}`. What a month will have cost is forecast from its days so
far.
"""

import json
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from local.billing.ledger import LEDGER, LineItem
from local.control import control
from local.services import Members, ServiceError

PAGE_SIZE = 3
# The ends that AWS gives a budget without one.
_BEGINNING = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
_NO_END = datetime(2087, 6, 15, tzinfo=UTC).timestamp()
_DIMENSIONS = {"LinkedAccount": "LINKED_ACCOUNT", "Service": "SERVICE", "Region": "REGION"}
_HUNDRED = Decimal(100)

_COMPARISONS: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "GREATER_THAN": lambda spent, threshold: spent > threshold,
    "LESS_THAN": lambda spent, threshold: spent < threshold,
    "EQUAL_TO": lambda spent, threshold: spent == threshold,
}


@dataclass(frozen=True)
class Notification:
    """When somebody is notified: at a share (in percent) of the limit, or at a sum."""

    type: str
    threshold: float
    comparison: str = "GREATER_THAN"
    threshold_type: str = "PERCENTAGE"

    def reached(self, limit: Decimal, actual: Decimal, forecast: Decimal) -> bool:
        """Whether the budget is in alarm for it."""
        spent = actual if self.type == "ACTUAL" else forecast
        share = Decimal(str(self.threshold))
        threshold = limit * share / _HUNDRED if self.threshold_type == "PERCENTAGE" else share
        return _COMPARISONS[self.comparison](spent, threshold)


@dataclass(frozen=True)
class Budget:
    """A monthly budget of unblended cost."""

    name: str
    limit: str
    unit: str = "USD"
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notifications: tuple[Notification, ...] = ()


_budgets: dict[str, tuple[Budget, ...]] = {}


def clear() -> None:
    _budgets.clear()


@control("budgets")
def door(method: str, body: bytes) -> tuple[int, object]:
    """`PUT` replaces the budgets of an account, `GET` counts those of all."""
    if method == "GET":
        return 200, {account: len(budgets) for account, budgets in _budgets.items()}
    if method not in {"PUT", "POST"}:
        return 405, {"error": "Use GET or PUT."}
    try:
        stated = json.loads(body)
        budgets = tuple(_read(each) for each in stated["budgets"])
        _budgets[stated["account"]] = budgets
    except (ValueError, KeyError, TypeError, ArithmeticError) as error:
        return 400, {"error": f"These are no budgets: {error}"}
    return 200, {"budgets": len(budgets)}


def describe_budgets(account: str, request: Members) -> Members:
    shown, token = _page(account, request)
    return {"Budgets": [_described(account, budget) for budget in shown], **token}


def describe_notifications(account: str, request: Members) -> Members:
    """The notifications of all budgets, each with its state."""
    shown, token = _page(account, request)
    found = [
        {
            "BudgetName": budget.name,
            "Notifications": [
                _notification(each, budget, *_spent(account, budget))
                for each in budget.notifications
            ],
        }
        for budget in shown
    ]
    return {"BudgetNotificationsForAccount": found, **token}


HANDLERS = {
    "DescribeBudgets": describe_budgets,
    "DescribeBudgetNotificationsForAccount": describe_notifications,
}


def _read(stated: Mapping[str, Any]) -> Budget:
    unknown = sorted(set(stated.get("filters", {})) - set(_DIMENSIONS))
    if unknown:
        raise ValueError(f"{unknown} are no filters; there are {sorted(_DIMENSIONS)}")
    Decimal(stated["limit"])
    notifications = tuple(Notification(**each) for each in stated.get("notifications", ()))
    return Budget(**{**stated, "notifications": notifications})


def _page(account: str, request: Members) -> tuple[Sequence[Budget], dict[str, str]]:
    if request["AccountId"] != account:
        raise ServiceError("AccessDeniedException", "You cannot see this account's budgets.")
    token = request.get("NextToken", "0")
    if not token.isdigit():
        raise ServiceError("InvalidNextTokenException", "The page token is invalid.")
    start = int(token)
    end = start + request.get("MaxResults", PAGE_SIZE)
    own = _budgets.get(account, ())
    return own[start:end], {"NextToken": str(end)} if end < len(own) else {}


def _described(account: str, budget: Budget) -> Members:
    actual, forecast = _spent(account, budget)
    return {
        "BudgetName": budget.name,
        "BudgetLimit": {"Amount": budget.limit, "Unit": budget.unit},
        "CostFilters": {name: list(values) for name, values in budget.filters.items()},
        "CostTypes": {"UseAmortized": False, "UseBlended": False},
        "TimeUnit": "MONTHLY",
        "TimePeriod": {"Start": _BEGINNING, "End": _NO_END},
        "CalculatedSpend": {
            "ActualSpend": {"Amount": f"{actual:f}", "Unit": budget.unit},
            "ForecastedSpend": {"Amount": f"{forecast:f}", "Unit": budget.unit},
        },
        "BudgetType": "COST",
        "LastUpdatedTime": datetime.now(UTC).timestamp(),
    }


def _spent(account: str, budget: Budget) -> tuple[Decimal, Decimal]:
    """What the current month has cost so far, and what it will have at this rate."""
    today = datetime.now(UTC).date()
    items = [
        item
        for item in LEDGER.visible_to(account)
        if item.day.replace(day=1) == today.replace(day=1) and _counted(item, budget)
    ]
    actual = sum((item.metrics["UnblendedCost"] for item in items), Decimal())
    days = len({item.day for item in items}) or 1
    whole = actual / days * monthrange(today.year, today.month)[1]
    return actual.quantize(Decimal("0.001")), whole.quantize(Decimal("0.001"))


def _counted(item: LineItem, budget: Budget) -> bool:
    return all(
        item.dimensions[_DIMENSIONS[name]] in values for name, values in budget.filters.items()
    )


def _notification(
    stated: Notification, budget: Budget, actual: Decimal, forecast: Decimal
) -> Members:
    reached = stated.reached(Decimal(budget.limit), actual, forecast)
    return {
        "NotificationType": stated.type,
        "ComparisonOperator": stated.comparison,
        "Threshold": stated.threshold,
        "ThresholdType": stated.threshold_type,
        "NotificationState": "ALARM" if reached else "OK",
    }
