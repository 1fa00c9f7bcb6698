"""Read the collected (non-CUR) tables of one account: budgets, notifications, recommendations,
coverage gaps.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby

from cloudspend.collect.model import Collected
from cloudspend.collect.sources import budget_notifications, budgets, reservation_recommendations
from cloudspend.exports.model import BillingPeriod
from cloudspend.findings.rules.budgets import ALARM, Budget, Threshold
from cloudspend.findings.rules.coverage import Gap
from cloudspend.findings.rules.purchases import Recommendation
from cloudspend.lake.ports import Queries
from cloudspend.lake.statements import statement

SQL = "cloudspend.findings.sql"
BUDGETS = budgets.SOURCE.name
NOTIFICATIONS = budget_notifications.SOURCE.name
RECOMMENDATIONS = reservation_recommendations.SOURCE.name
# Only gaps of the newest comparisons are open.
MONTHS = 3
# A snapshot is valid for this multiple of its collection interval; an older one is not evaluated.
GRACE = timedelta(days=2)

Row = Mapping[str, str | None]


class CollectedData:
    """The collected tables of one account at `now`; `known` is the progress of its sources."""

    def __init__(
        self, queries: Queries, account_id: str, known: Mapping[str, Collected], now: datetime
    ) -> None:
        self._queries = queries
        self._account_id = account_id
        self._known = known
        self._now = now

    def gaps(self) -> list[Gap]:
        """Return what only one side of the last months' comparisons has."""
        first = BillingPeriod(self._now.year, self._now.month)
        for _ in range(MONTHS - 1):
            first = first.previous
        rows = self._rows("coverage_gaps", first_period=str(first))
        return [
            Gap(
                _text(row["what"]),
                _text(row["name"]),
                BillingPeriod.parse(_text(row["billing_period"])),
                _text(row["currency"]),
                _number(row["cost_explorer_unblended"]),
                _number(row["billed_cost"]),
                known=row["not_exported"] == "1",
            )
            for row in rows
        ]

    def budgets(self) -> list[Budget] | None:
        """Return the budgets with their thresholds; None when they were not collected recently."""
        stored = self._stored(BUDGETS, timedelta(days=budgets.SOURCE.overlap))
        if stored is None:
            return None
        notified = self._known.get(NOTIFICATIONS)
        at = notified.stored_at if notified else None
        rows = self._rows("budgets", period=stored, notified_period=f"{at:%Y-%m}" if at else stored)
        return [_budget(list(each)) for _, each in groupby(rows, lambda row: row["budget_name"])]

    def recommendations(self) -> list[Recommendation] | None:
        """Return AWS's purchase recommendations; None when they were not collected recently."""
        overlap = timedelta(days=reservation_recommendations.SOURCE.overlap)
        stored = self._stored(RECOMMENDATIONS, overlap)
        if stored is None:
            return None
        return [_recommendation(row) for row in self._rows("recommendations", period=stored)]

    def _stored(self, source: str, asked_every: timedelta) -> str | None:
        """Return the month of the newest snapshot of `source`, if it is recent enough."""
        held = self._known.get(source)
        if held is None or held.stored_at is None:
            return None
        is_new = self._now - held.stored_at - GRACE <= asked_every
        return f"{held.stored_at:%Y-%m}" if is_new else None

    def _rows(self, name: str, **values: str) -> list[dict[str, str | None]]:
        sql = statement(name, package=SQL, account_id=self._account_id, **values)
        return self._queries.run(sql)


def _budget(rows: list[dict[str, str | None]]) -> Budget:
    first = rows[0]
    return Budget(
        _text(first["budget_name"]),
        _text(first["budget_type"]),
        _text(first["unit"]),
        _amount(first["limit_amount"]),
        _amount(first["actual_amount"]),
        _amount(first["forecast_amount"]),
        tuple(_threshold(row) for row in rows if row["notification_type"]),
    )


def _threshold(row: Row) -> Threshold:
    return Threshold(
        _text(row["notification_type"]),
        _text(row["comparison"]),
        _number(row["threshold"]),
        is_percentage=row["threshold_type"] == "PERCENTAGE",
        alarms=row["state"] == ALARM,
    )


def _recommendation(row: Row) -> Recommendation:
    many = f"{_number(row['recommended_instances']).normalize():f}"
    kind = " ".join(_text(row[name]) for name in ("instance_type", "platform") if row[name])
    where = _text(row["region"]) or "any region"
    return Recommendation(
        _text(row["service"]),
        _text(row["term"]),
        _text(row["payment_option"]),
        f"{many} {kind or 'instances'} in {where}, for {_text(row['sub_account_id'])}",
        _text(row["currency"]),
        _number(row["monthly_savings"]),
        _number(row["monthly_on_demand_cost"]),
        _number(row["upfront_cost"]),
    )


def _text(value: str | None) -> str:
    return value or ""


def _amount(value: str | None) -> Decimal | None:
    return None if value is None or value == "" else Decimal(value)


def _number(value: str | None) -> Decimal:
    return Decimal(value or 0)
