"""Details as JSON holds them, and as a person reads them."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from cloudspend.alerts import schema as s


def to_json(value: Any) -> Any:
    """`value` as JSON holds it; a decimal without exponent, since 1E+2 is no money to a reader."""
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    if value is None or type(value) in (bool, int, float, str):
        return value
    return str(value)


def to_text(value: Any, schema: s.Schema) -> str:
    """A detail as a person reads it; money to the cent, or finer where a cent would hide it."""
    if value is None:
        return "unknown"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if schema is s.MONEY:
        amount = Decimal(value)
        places = 2 if amount == 0 or abs(amount) >= Decimal("0.01") else 9
        return f"{amount:,.{places}f}"
    return str(value)
