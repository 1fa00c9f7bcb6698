"""Fast exact sums of decimal text, with integers of a fixed scale in 32-bit limbs.

Arrow parses a text as a decimal of a given scale only if no digit is lost. Such a decimal is a
two's complement integer, the sum of its limbs, of which the highest is signed. A limb times a row
count stays below 2^63 for fewer than 2^31 rows, so no step can round or overflow.
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
    """Numbers with `scale` digits after the point, one row each, lowest limb first."""

    scale: int
    low: npt.NDArray[np.uint64]
    high: npt.NDArray[np.int64]


def limbs(texts: pa.Array | Sequence[str | None]) -> tuple[Limbs, list[int]]:
    """Parse `texts`; also return the indices of those that are not numbers or have more than 38
    digits before the point.

    These and missing values are 0. Parts below 10^-38, as in the noise of doubles, are rounded.
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
    """Return `text` with 38 digits after the point; None if it is not a number or too large."""
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
    """Return the sum of the numbers at `codes`; the code after the last number is 0."""
    known = len(numbers.high)
    counts = np.bincount(codes, minlength=known + 1)[:known]
    whole = int(counts @ numbers.high) << (32 * numbers.low.shape[1])
    for place in range(numbers.low.shape[1]):
        whole += int(counts.astype(np.uint64) @ numbers.low[:, place]) << (32 * place)
    return CONTEXT.normalize(CONTEXT.scaleb(Decimal(whole), -numbers.scale))
