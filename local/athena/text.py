"""Values as Athena writes them: in GetQueryResults and in the result's CSV."""

import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

Cell = str | None


def cell(value: object) -> Cell:
    """A top-level value; NULL is None (no VarCharValue, nothing between the commas)."""
    return None if value is None else _text(value)


def _text(value: object) -> str:  # noqa: PLR0911 - one line a type reads best
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return java_double(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        zone = " UTC" if value.tzinfo else ""
        return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}{zone}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(k)}={_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    return str(value)


def java_double(value: float) -> str:
    """A double as Java prints it, as Athena does: 0.1, 12345.0, 1.0E7, 2.5E-4, NaN, Infinity."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return f"{Decimal(repr(value)):f}"
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    shown = "".join(map(str, digits)).rstrip("0") or "0"
    power = int(exponent) + len(digits) - 1
    return f"{'-' if sign else ''}{shown[0]}.{shown[1:] or '0'}E{power}"


def csv(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """The result file of a SELECT: every value quoted, NULL as nothing at all, header first."""
    lines = [list(columns), *rows]
    return "".join(",".join(map(_csv_field, line)) + "\n" for line in lines).encode()


def tabbed(rows: Sequence[Sequence[Cell]]) -> bytes:
    """The result file of a DDL or utility statement: no header, tabs between the fields."""
    return "".join("\t".join(value or "" for value in row) + "\n" for row in rows).encode()


def _csv_field(value: Cell) -> str:
    return "" if value is None else '"' + value.replace('"', '""') + '"'
