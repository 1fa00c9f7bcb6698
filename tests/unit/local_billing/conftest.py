"""Empty services, and a clock that is still."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from local import billing
from local.billing import budgets, commitments, cost_explorer, labels


@pytest.fixture(autouse=True)
def empty_services(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is left over, and it is the 23rd of November 2026."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Clock":
            return cls(2026, 11, 23, 12, tzinfo=tz or UTC)

    for module in (budgets, commitments, cost_explorer, labels):
        monkeypatch.setattr(module, "datetime", Clock)
    billing.reset()
    yield
    billing.reset()
