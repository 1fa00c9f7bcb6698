"""Exact sums of decimal text, fast: whole numbers of a fixed scale, in limbs of 32 bits.

Arrow reads a text as a decimal of a given scale only when no digit is lost. Such a decimal is a
whole number of two's complement, which is the sum of its limbs, the highest one signed. A limb
times a count of rows stays under 2^63 while there are fewer than 2^31 rows, so that no step here
can round or overflow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cloudspend.convert.engine.scalars import without_missing

CONTEXT = Context(prec=200)
SMALLEST = Decimal(1).scaleb(-38)
ROUNDING = Context(prec=76, traps=[InvalidOperation])
# Nearly all money fits the first: 20 digits before the point and 18 after it.
FORMS = ((pa.decimal128(38, 18), 4), (pa.decimal256(76, 38), 8))


@dataclass(frozen=True)
class Limbs:
    """Numbers of `scale` digits after the point; a row each, the lowest limb first."""

    scale: int
    low: npt.NDArray[np.uint64]
    high: npt.NDArray[np.int64]


def limbs(texts: pa.Array | Sequence[str | None]) -> tuple[Limbs, list[int]]:
    """`texts` as numbers, and which of them are none, or have more than 38 digits before the point.

    Those stand there as 0, as missing ones do. What is smaller than 10^-38, as the noise of doubles
    can be, is rounded away.
    """
    array = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
    found = _limbs(array)
    if found is None:
        array = without_missing(array)
        found = _limbs(array)
    if found is not None:
        return found, []
    wrong = []
    sound = array.fill_null("0").to_pylist()
    for number, text in enumerate(sound):
        if _limbs(pa.array([text])) is None:
            rounded = _rounded(text)
            sound[number] = rounded or "0"
            if rounded is None:
                wrong.append(number)
    found = _limbs(pa.array(sound, pa.string()))
    if found is None:
        raise ValueError("numbers that can be read one by one cannot be read together")
    return found, wrong


def _rounded(text: str) -> str | None:
    """`text` with 38 digits after the point; None where it is no number or too large."""
    try:
        number = Decimal(text)
        if not (text.isascii() and number.is_finite()):
            return None
        return format(ROUNDING.quantize(number, SMALLEST), "f")
    except InvalidOperation:
        return None


def _limbs(array: pa.Array) -> Limbs | None:
    array = array.fill_null("0")
    for form, width in FORMS:
        try:
            decimals = array.cast(form)
        except pa.ArrowInvalid:
            continue
        parts = np.frombuffer(decimals.buffers()[1], np.uint32)[: len(array) * width]
        by_row = parts.reshape(len(array), width)
        return Limbs(
            form.scale,
            by_row[:, :-1].astype(np.uint64),
            by_row[:, -1].astype(np.int32).astype(np.int64),
        )
    return None


def total(numbers: Limbs, codes: npt.NDArray[np.integer[Any]]) -> Decimal:
    """The sum of the numbers that `codes` name; the code past the last number counts as 0."""
    known = len(numbers.high)
    counts = np.bincount(codes, minlength=known + 1)[:known]
    whole = int(counts @ numbers.high) << (32 * numbers.low.shape[1])
    for place in range(numbers.low.shape[1]):
        whole += int(counts.astype(np.uint64) @ numbers.low[:, place]) << (32 * place)
    return CONTEXT.normalize(CONTEXT.scaleb(Decimal(whole), -numbers.scale))
