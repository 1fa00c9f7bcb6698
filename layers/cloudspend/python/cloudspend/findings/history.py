"""Read an account's bills from Athena for the rules."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from cloudspend.findings.model import CostDriver
from cloudspend.findings.rules.commitments import End, Use
from cloudspend.findings.rules.spend import Histories, RegionCost, SeriesKey
from cloudspend.lake.ports import Queries
from cloudspend.lake.statements import statement

SQL = "cloudspend.findings.sql"
# Eight weeks of weekdays before the evaluated days, and four firsts of a month.
HISTORY = timedelta(days=126)
# The bill of a day grows for about two days; younger days are not evaluated.
SETTLES = timedelta(days=2)
LOOK_BACK = timedelta(days=7)
MOVER_DAYS = timedelta(days=14)
USE_DAYS = 14
ONE_DAY = timedelta(days=1)


class History:
    """The bills of one account, up to the last settled day at `today`."""

    def __init__(self, queries: Queries, account_id: str, today: date) -> None:
        self._queries = queries
        self._account_id = account_id
        self._today = today

    def days(self) -> tuple[date, date] | None:
        """Return the first and last reliable day; None without any."""
        (row,) = self._rows("bill_days", self._today - HISTORY)
        if not row["first_day"] or not row["last_day"]:
            return None
        first = max(_date(row["first_day"]), self._today - HISTORY)
        # The newest day of a bill is never complete.
        last = min(_date(row["last_day"]) - ONE_DAY, self._today - SETTLES)
        return (first, last) if first < last else None

    def daily(self, first: date, last: date, floor: int) -> Histories:
        """Return daily costs of every series that exceeded `floor` at least once in the last
        days.
        """
        found: dict[SeriesKey, dict[date, float]] = defaultdict(dict)
        rows = self._rows(
            "daily_costs",
            first,
            first_day=str(first),
            end_day=str(last + ONE_DAY),
            recent_day=str(last - LOOK_BACK),
            floor=str(floor),
        )
        for row in rows:
            key = SeriesKey(
                _text(row["sub_account_id"]), _text(row["service"]), row["currency"] or ""
            )
            found[key][_date(row["day"])] = float(row["cost"] or 0)
        return found

    def movers(self, since: date, last: date) -> dict[tuple[str, str], list[CostDriver]]:
        """Return by linked account and service what has grown most since a day, as cost per day."""
        first = since - MOVER_DAYS
        rows = self._rows(
            "cost_movers",
            first,
            first_day=str(first),
            since_day=str(since),
            end_day=str(last + ONE_DAY),
        )
        found: dict[tuple[str, str], list[CostDriver]] = defaultdict(list)
        for row in rows:
            what = " of ".join(part for part in (row["usage_type"], row["resource"]) if part)
            mover = CostDriver(
                f"{what or 'usage without a type'}, a day",
                _money(row["a_day_before"]),
                _money(row["a_day_after"]),
            )
            found[_text(row["sub_account_id"]), _text(row["service"])].append(mover)
        return found

    def regions(self, last: date) -> list[RegionCost]:
        """Return the cost by region in the last seven days."""
        first = last - LOOK_BACK + ONE_DAY
        rows = self._rows("region_costs", first, first_day=str(first), end_day=str(last + ONE_DAY))
        return [
            RegionCost(
                _text(row["region"]),
                _text(row["currency"]),
                _text(row["service"]),
                _text(row["sub_account_id"]),
                _date(row["since"]),
                _money(row["cost"]),
            )
            for row in rows
        ]

    def commitment_use(self, last: date) -> list[Use]:
        """Return the cost of commitments in two weeks, and its unused part."""
        first = last - timedelta(days=USE_DAYS - 1)
        rows = self._rows(
            "commitment_use", first, first_day=str(first), end_day=str(last + ONE_DAY)
        )
        return [
            Use(
                _text(row["commitment"]),
                _text(row["commitment_type"]),
                _text(row["currency"]),
                _money(row["cost"]),
                _money(row["unused"]),
                USE_DAYS,
            )
            for row in rows
        ]

    def commitment_ends(self, last: date) -> list[End]:
        """Return when the commitments of the newest bills end."""
        rows = self._rows("commitment_ends", last - MOVER_DAYS)
        return [End(_text(row["commitment"]), _date(_text(row["ends"])[:10])) for row in rows]

    def _rows(self, name: str, first: date, **values: str) -> list[dict[str, str | None]]:
        sql = statement(
            name,
            package=SQL,
            account_id=self._account_id,
            first_period=f"{first:%Y-%m}",
            **values,
        )
        return self._queries.run(sql)


def _text(value: str | None) -> str:
    return value or ""


def _date(value: str | None) -> date:
    return date.fromisoformat(_text(value)[:10])


def _money(value: str | None) -> Decimal:
    return Decimal(value or 0)
