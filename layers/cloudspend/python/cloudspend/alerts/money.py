"""Money for a person."""

from decimal import Decimal

MICRO = Decimal("0.000001")


def money(amount: Decimal) -> str:
    """`amount` to a millionth, with at least two decimals: `12.50`, `0.000213`."""
    whole, decimals = f"{amount.quantize(MICRO) + 0:f}".split(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
