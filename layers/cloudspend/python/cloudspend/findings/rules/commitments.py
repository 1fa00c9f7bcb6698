"""Reservations and savings plans that end soon or are unused."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from cloudspend.alerts.catalog.findings import FindingKind
from cloudspend.alerts.event import Severity
from cloudspend.alerts.money import money
from cloudspend.findings.model import Observation

CENT = Decimal("0.01")
# Days before the end with enough time to decide, and with hardly any.
SOON, VERY_SOON = timedelta(days=60), timedelta(days=14)
# Days after which an ended commitment is no news.
ENDED = timedelta(days=14)
# Smallest unused share, and smallest unused cost in the evaluated days.
UNUSED_SHARE = Decimal("0.2")
UNUSED_MONEY = Decimal(10)
KINDS = frozenset({FindingKind.COMMITMENT_UNUSED})


@dataclass(frozen=True)
class Use:
    """The cost of a commitment in `days` days, and its unused part."""

    commitment: str
    type: str
    currency: str
    cost: Decimal
    unused: Decimal
    days: int

    @property
    def share(self) -> Decimal:
        return self.unused / self.cost


@dataclass(frozen=True)
class End:
    """The end of a commitment."""

    commitment: str
    ends: date


def unused(uses: Iterable[Use]) -> list[Observation]:
    """Return commitments with a large unused part."""
    return [
        Observation(
            FindingKind.COMMITMENT_UNUSED,
            use.commitment,
            Severity.WARNING,
            reason=f"Of the {use.type or 'commitment'} {use.commitment} "
            f"{money(use.unused.quantize(CENT))} {use.currency} went unused in {use.days} days, "
            f"{use.share:.0%} of what it cost.",
            remedy="Move usage under it, share it within the organization, or offer a standard "
            "reservation on the Reserved Instance Marketplace.",
            amount=use.unused.quantize(CENT),
            currency=use.currency,
        )
        for use in uses
        if use.unused >= UNUSED_MONEY and use.share >= UNUSED_SHARE
    ]


def expiring(ends: Iterable[End], today: date) -> list[Observation]:
    """Return commitments that end soon or have just ended: their usage returns to list prices."""
    found = []
    for end in ends:
        left = end.ends - today
        if -ENDED <= left <= SOON:
            when = f"ends on {end.ends}" if left >= timedelta() else f"ended on {end.ends}"
            found.append(
                Observation(
                    FindingKind.COMMITMENT_EXPIRING,
                    end.commitment,
                    Severity.WARNING if left <= VERY_SOON else Severity.INFO,
                    reason=f"The commitment {end.commitment} {when}; what it covers then costs "
                    "on-demand prices.",
                    remedy="Decide now whether it is bought again: Cost Explorer's recommendations "
                    "say how much of it, and a savings plan can be queued.",
                    since=end.ends - SOON,
                    mark=end.ends.isoformat(),
                )
            )
    return found
