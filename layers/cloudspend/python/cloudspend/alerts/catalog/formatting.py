"""Details as JSON, and as text for a person."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from cloudspend.alerts import schema as s

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
# A part of a template that is left out when one of its fields has no value.
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_FIELD = re.compile(r"\{(\w+)\}")


def to_json(value: Any) -> Any:
    """Return `value` as JSON-ready data. Decimals become text without an exponent."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or type(value) in (bool, int, float, str) else str(value)


def to_text(value: Any, schema: s.Schema) -> str:
    """Return a detail as text; empty for a missing value.

    Money has two decimals, or nine where two would show zero.
    """
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if schema is s.MONEY or (s.is_nullable(schema) and schema["anyOf"][0] is s.MONEY):
        return _amount(Decimal(value))
    return str(value)


def fill(template: str, words: Mapping[str, str]) -> str:
    """Fill in a template; see `EventDetails` for optional parts."""

    def part(match: re.Match[str]) -> str:
        fields = _FIELD.findall(match[1])
        return match[1] if all(words.get(field) for field in fields) else ""

    return " ".join(_OPTIONAL.sub(part, template).format(**words).split())


def title_words(details: Mapping[str, Any]) -> dict[str, str]:
    """Return the additional words of titles: month, change and percent; empty when unknown."""
    words = {"month": "", "change": "", "percent": ""}
    if details.get("period"):
        year, month = details["period"].split("-")
        words["month"] = f"{MONTHS[int(month) - 1]} {year}"
    if details.get("difference"):
        difference = Decimal(details["difference"])
        words["change"] = f"{'+' if difference > 0 else ''}{_amount(difference)}"
        before = Decimal(details.get("previous_billed_cost") or 0)
        if before:
            words["percent"] = f"{difference / abs(before) * 100:+.1f} %"
    return words


def _amount(amount: Decimal) -> str:
    places = 2 if amount == 0 or abs(amount) >= Decimal("0.01") else 9
    return f"{amount:,.{places}f}"
