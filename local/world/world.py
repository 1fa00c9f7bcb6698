"""The demo's customer as a whole: an organization of four accounts, and what AWS bills it."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from cloudspend.exports.model import BillingPeriod
from local.world import estate
from local.world.bill import Bill, Order, make_bills


@dataclass(frozen=True)
class World:
    """Everything follows from `today`: two closed months, and the current one so far."""

    today: date

    @classmethod
    def standard(cls, today: date) -> "World":
        return cls(today)

    @property
    def current(self) -> BillingPeriod:
        return BillingPeriod(self.today.year, self.today.month)

    @property
    def last_closed(self) -> BillingPeriod:
        return self.current.previous

    def bills(self) -> list[Bill]:
        """Two closed months, oldest first, and the current one."""
        return self._all[:3]

    def restatement(self) -> Bill:
        """The last closed month again, as a later assembly has it: other accounts' totals moved."""
        return self._all[3]

    @property
    def organization(self) -> dict[str, object]:
        """What `/_local/world` is sent, so that AWS Organizations answers for these accounts."""
        return {
            "management": estate.PAYER,
            "members": [
                {"id": account, "name": name, "email": f"aws+{account}@example.com"}
                for account, name in estate.NAMES.items()
            ],
        }

    @cached_property
    def _all(self) -> list[Bill]:
        return make_bills(
            [
                Order.closed(self.last_closed.previous),
                Order.closed(self.last_closed),
                Order.open(self.current, self.today),
                Order.closed(self.last_closed, restated=True),
            ]
        )
