"""Linked accounts and services that only the export or only Cost Explorer has."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cloudspend.alerts.catalog.findings import FindingKind
from cloudspend.alerts.event import Severity
from cloudspend.alerts.money import money
from cloudspend.exports.model import BillingPeriod
from cloudspend.findings.model import Observation

KINDS = frozenset({FindingKind.COVERAGE_GAP})
CENT = Decimal("0.01")
ACCOUNT, SERVICE = "account", "service"
EXPORT, COST_EXPLORER = "the export", "Cost Explorer"


@dataclass(frozen=True)
class Gap:
    """An account or service that only one side has in `period`, and its cost there.

    `known` is set where AWS documents that it is not exported.
    """

    what: str
    name: str
    period: BillingPeriod
    currency: str
    cost_explorer: Decimal
    lake: Decimal
    known: bool = False

    @property
    def amount(self) -> Decimal:
        return abs(self.lake - self.cost_explorer).quantize(CENT)

    @property
    def lacks(self) -> str:
        """Return the side that lacks it."""
        return EXPORT if self.cost_explorer else COST_EXPLORER


def gaps(found: Iterable[Gap]) -> list[Observation]:
    """Return one observation per account or service, over all months."""
    by_name: dict[tuple[str, str, str], list[Gap]] = {}
    for gap in sorted(found, key=lambda gap: gap.period):
        if gap.amount >= CENT:
            by_name.setdefault((gap.what, gap.name, gap.lacks), []).append(gap)
    return [_missing(months) for _, months in sorted(by_name.items())]


def _missing(months: list[Gap]) -> Observation:
    first, last = months[0], months[-1]
    has = COST_EXPLORER if last.lacks == EXPORT else EXPORT
    in_months = ", ".join(str(gap.period) for gap in months)
    lacking = last.lacks[0].upper() + last.lacks[1:]
    return Observation(
        FindingKind.COVERAGE_GAP,
        f"{last.what} {last.name}" + ("" if last.lacks == EXPORT else f" in {COST_EXPLORER}"),
        Severity.INFO if last.known else Severity.WARNING,
        reason=f"{lacking} has nothing of the {last.what} {last.name} in {in_months}; {has} has "
        f"{money(last.amount)} {last.currency} in {last.period}.",
        remedy=_remedy(last),
        since=_first_day(first.period),
        amount=last.amount,
        currency=last.currency,
    )


def _remedy(gap: Gap) -> str:
    if gap.known:
        return "AWS does not write it into exports: add it by hand where a report needs it."
    if gap.lacks == COST_EXPLORER:
        return (
            "See in the billing console whether Cost Explorer has it by now; if not, look which "
            "bill the export's rows are of."
        )
    if gap.what == ACCOUNT:
        return (
            "See whether the account pays by this bill and the export is of the account that "
            "pays; else a part of the delivery is lost: take it in again."
        )
    return "Take the newest delivery in again; if it is not there either, ask AWS Support."


def _first_day(period: BillingPeriod) -> date:
    return period.start.date()
