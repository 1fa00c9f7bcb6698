"""A retrier's MaxDelaySeconds and JitterStrategy, which ministack ignores.

Source: Amazon States Language, "Retrying after an error".
"""

import random
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import stepfunctions

from local.cloud import seams


def install() -> None:
    seams.around(stepfunctions, "_find_matching_retrier", _find)


def delay(retrier: Mapping[str, Any], attempt: int, draw: Callable[[], float]) -> float:
    """Seconds to wait before the retry after `attempt` earlier ones; `draw` gives 0 to 1."""
    rate = float(retrier.get("BackoffRate", 2.0))
    seconds = float(retrier.get("IntervalSeconds", 1) * rate**attempt)
    seconds = min(seconds, float(retrier.get("MaxDelaySeconds", seconds)))
    return seconds * draw() if retrier.get("JitterStrategy") == "FULL" else seconds


def _find(
    original: Callable[..., Any], retriers: Any, error: str, counts: dict[int, int]
) -> tuple[dict[str, Any] | None, int]:
    """ministack multiplies the interval by the rate: it gets the finished delay and the rate 1."""
    retrier, index = original(retriers, error, counts)
    if retrier is None:
        return None, index
    seconds = delay(retrier, counts.get(index, 0), random.random)
    return {**retrier, "IntervalSeconds": seconds, "BackoffRate": 1}, index
