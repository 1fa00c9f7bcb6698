"""Rounding of money."""

from decimal import Decimal

MICRO = Decimal("0.000001")


def money(amount: Decimal) -> Decimal:
    """Round `amount` to a millionth, with at least two decimals: `12.50`, `0.000213`."""
    whole, decimals = f"{amount.quantize(MICRO) + 0:f}".split(".")
    return Decimal(f"{whole}.{decimals.rstrip('0').ljust(2, '0')}")
