"""Registry items of sources and of the request budget."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cloudspend.accounts.items import account_key
from cloudspend.collect.model import Collected, Days, Status

PROGRESS = "COLLECT#"
SPEND = "SPEND#"
# Days for which a day's count can still be looked up.
SPEND_KEPT = timedelta(days=40)

Item = Mapping[str, Any]


def spend_key(account_id: str, day: date) -> dict[str, str]:
    return account_key(account_id, f"{SPEND}{day}")


def kept_until(day: date) -> int:
    """Return when DynamoDB may delete the count of a day, in seconds since 1970."""
    return int((datetime(day.year, day.month, day.day, tzinfo=UTC) + SPEND_KEPT).timestamp())


def from_collected(account_id: str, source: str, collected: Collected) -> dict[str, Any]:
    days = collected.days
    return {
        **account_key(account_id, PROGRESS + source),
        "status": collected.status.value,
        "reason": collected.reason,
        "at": collected.at.isoformat(),
        "first_day": days.start.isoformat() if days else None,
        "end_day": days.end.isoformat() if days else None,
        "stored_at": _iso(collected.stored_at),
        "rows": collected.rows,
        "pages": collected.pages,
        "history": collected.history,
        "history_at": _iso(collected.history_at),
        "stuck": collected.capped_days,
    }


def to_collected(item: Item) -> Collected:
    first, end, history = item["first_day"], item["end_day"], item["history"]
    return Collected(
        status=Status(item["status"]),
        reason=item["reason"],
        at=datetime.fromisoformat(item["at"]),
        days=Days(date.fromisoformat(first), date.fromisoformat(end)) if first else None,
        stored_at=_moment(item["stored_at"]),
        rows=int(item["rows"]),
        pages=int(item["pages"]),
        history=None if history is None else int(history),
        history_at=_moment(item["history_at"]),
        capped_days=int(item.get("stuck", 0)),
    )


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
