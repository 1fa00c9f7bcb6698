"""Budgets that have reached a threshold, or are forecast to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from cloudspend.alerts.catalog.findings import FindingKind
from cloudspend.alerts.event import Severity
from cloudspend.alerts.money import money
from cloudspend.findings.model import Observation

KINDS = frozenset({FindingKind.BUDGET})
ACTUAL, FORECASTED = "ACTUAL", "FORECASTED"
ALARM = "ALARM"
MORE, LESS = "GREATER_THAN", "LESS_THAN"
# Budgets with a spending limit; other budgets measure the use of commitments.
LIMITS = frozenset({"COST", "USAGE"})
WHOLE = Decimal(100)
CENT = Decimal("0.01")
CURRENCY_LETTERS = 3
WORDS: Mapping[str, str] = {MORE: "above", LESS: "below", "EQUAL_TO": "at"}


@dataclass(frozen=True)
class Threshold:
    """A threshold of a budget. `amount` is a percentage of the limit, or in its unit; `alarms` is
    AWS's state.
    """

    of: str
    comparison: str
    amount: Decimal
    is_percentage: bool = True
    alarms: bool = False

    def __str__(self) -> str:
        amount = f"{self.amount.normalize():f}"
        return f"{WORDS[self.comparison]} {amount}{' %' if self.is_percentage else ''}"


@dataclass(frozen=True)
class Budget:
    """A budget as AWS last computed it. Amounts are None where AWS gives none."""

    name: str
    type: str
    unit: str
    limit: Decimal | None
    actual: Decimal | None
    forecast: Decimal | None
    thresholds: tuple[Threshold, ...] = ()


def reached(budgets: Iterable[Budget]) -> list[Observation]:
    """Return one observation per budget beyond a threshold, for the highest one.

    The limit itself always counts as a threshold.
    """
    found = []
    for budget in budgets:
        whole = [Threshold(of, MORE, WHOLE) for of in (ACTUAL, FORECASTED)]
        thresholds = [*budget.thresholds, *(whole if budget.type in LIMITS else ())]
        beyond = [each for each in thresholds if _is_reached(budget, each)]
        if beyond:
            found.append(_observed(budget, max(beyond, key=lambda each: _order(budget, each))))
    return found


def _is_reached(budget: Budget, threshold: Threshold) -> bool:
    """Return whether the threshold is reached, by AWS's state or by the figures."""
    if threshold.alarms:
        return True
    value, bound = _value(budget, threshold), _bound(budget, threshold)
    if value is None or bound is None:
        return False
    if threshold.comparison == MORE:
        return value > bound
    return value < bound if threshold.comparison == LESS else value == bound


def _order(budget: Budget, threshold: Threshold) -> tuple[bool, Decimal]:
    """Return the sort key: actual amounts before forecasts, then the higher threshold."""
    bound = _bound(budget, threshold) or threshold.amount
    return threshold.of == ACTUAL, -bound if threshold.comparison == LESS else bound


def _observed(budget: Budget, threshold: Threshold) -> Observation:
    happened = threshold.of == ACTUAL
    current = f"it is at {_said(budget.actual, budget)} of {_said(budget.limit, budget)}"
    if not happened:
        current += f" and is forecast to reach {_said(budget.forecast, budget)}"
    how = "is" if happened else "is forecast to be"
    is_money = budget.type == "COST" and len(budget.unit) == CURRENCY_LETTERS
    value = _value(budget, threshold)
    return Observation(
        FindingKind.BUDGET,
        budget.name,
        Severity.WARNING if happened else Severity.INFO,
        reason=f"The budget {budget.name} {how} {threshold} of its limit: {current}."
        if threshold.is_percentage
        else f"The budget {budget.name} {how} {threshold} {budget.unit}: {current}.",
        remedy="See what it is for and what moved: cloudspend findings list, and Cost Explorer "
        "with the budget's filters. Then change the spending or the budget.",
        amount=value.quantize(CENT) if is_money and value is not None else None,
        currency=budget.unit if is_money and value is not None else None,
        mark=f"{threshold.of} {threshold}",
    )


def _value(budget: Budget, threshold: Threshold) -> Decimal | None:
    return budget.actual if threshold.of == ACTUAL else budget.forecast


def _bound(budget: Budget, threshold: Threshold) -> Decimal | None:
    if not threshold.is_percentage:
        return threshold.amount
    return None if budget.limit is None else budget.limit * threshold.amount / WHOLE


def _said(amount: Decimal | None, budget: Budget) -> str:
    return "an unknown sum" if amount is None else f"{money(amount.quantize(CENT))} {budget.unit}"
