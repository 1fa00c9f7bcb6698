"""Unusual spending: more than expected, or outside the account's regions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cloudspend.alerts.catalog.findings import FindingKind
from cloudspend.alerts.event import Severity
from cloudspend.alerts.money import money
from cloudspend.findings.anomaly import Anomaly, Sensitivity, anomaly, days_of
from cloudspend.findings.model import CostDriver, Observation

# From ten times the smallest anomaly on, an anomaly is critical.
CRITICAL = 10
CENT = Decimal("0.01")
# Smallest cost of seven days in one region that is a finding, in currency units.
REGION_MONEY = Decimal(1)


@dataclass(frozen=True)
class SeriesKey:
    """A series of costs: a linked account's service in one currency."""

    sub_account_id: str
    service: str
    currency: str

    @property
    def subject(self) -> str:
        return f"{self.service} in {self.sub_account_id}"


@dataclass(frozen=True)
class RegionCost:
    """The recent cost of a linked account's service in a region."""

    region: str
    currency: str
    service: str
    sub_account_id: str
    since: date
    cost: Decimal


Histories = Mapping[SeriesKey, Mapping[date, float]]
Movers = Mapping[tuple[str, str], Sequence[CostDriver]]


def anomalies(
    histories: Histories, first: date, last: date, at: Sensitivity
) -> dict[SeriesKey, Anomaly]:
    """Return the unusual series; `first` to `last` are the days of the account's history."""
    found = {
        key: anomaly(days, at)
        for key, costs in histories.items()
        if (days := days_of(costs, first, last))
    }
    return {key: each for key, each in found.items() if each}


def cost_anomalies(
    found: Mapping[SeriesKey, Anomaly], movers: Movers, at: Sensitivity
) -> list[Observation]:
    """Return one observation per unusual series with its cost drivers, largest first."""
    ordered = sorted(found.items(), key=lambda item: item[1].excess, reverse=True)
    return [
        _anomaly(key, each, tuple(movers.get((key.sub_account_id, key.service), ())), at)
        for key, each in ordered
    ]


def _anomaly(
    key: SeriesKey, found: Anomaly, moved: tuple[CostDriver, ...], at: Sensitivity
) -> Observation:
    excess, cost, expected = (_cents(each) for each in (found.excess, found.cost, found.expected))
    days = "on" if found.since == found.until else f"from {found.since} to"
    most = f" Most of it: {moved[0].what}." if moved else ""
    return Observation(
        FindingKind.COST_ANOMALY,
        key.subject,
        Severity.CRITICAL if found.excess >= CRITICAL * at.money else Severity.WARNING,
        reason=f"{key.subject} cost {money(cost)} {key.currency} {days} {found.until}, "
        f"{money(excess)} more than the {money(expected)} that were to be expected.{most}",
        remedy="Ask the owner of what moved whether it is meant, and stop what is not.",
        since=found.since,
        amount=excess,
        currency=key.currency,
        moved=moved,
    )


def foreign_regions(costs: Iterable[RegionCost], home: Iterable[str]) -> list[Observation]:
    """Return spending outside the account's primary regions; nothing if it has none."""
    regions = frozenset(home)
    if not regions:
        return []
    abroad: dict[tuple[str, str], list[RegionCost]] = defaultdict(list)
    for each in costs:
        if each.region not in regions:
            abroad[each.region, each.currency].append(each)
    found = [_abroad(*where, parts, regions) for where, parts in sorted(abroad.items())]
    return [each for each in found if each.amount is not None and each.amount >= REGION_MONEY]


def _abroad(
    region: str, currency: str, parts: Sequence[RegionCost], home: frozenset[str]
) -> Observation:
    total = sum((part.cost for part in parts), Decimal())
    largest = sorted(parts, key=lambda part: part.cost, reverse=True)
    accounts = sorted({part.sub_account_id for part in parts})
    return Observation(
        FindingKind.FOREIGN_REGION,
        region,
        Severity.WARNING,
        reason=f"{money(total.quantize(CENT))} {currency} were spent in {region} in the last seven "
        f"days, by {', '.join(accounts[:5])}; at home are {', '.join(sorted(home))}.",
        remedy="Ask whether it is meant: if so, mute it; if not, somebody may be using stolen "
        "credentials, so look at CloudTrail in that region first.",
        since=min(part.since for part in parts),
        amount=total.quantize(CENT),
        currency=currency,
        moved=tuple(
            CostDriver(
                f"{part.service} in {part.sub_account_id}", Decimal(), part.cost.quantize(CENT)
            )
            for part in largest[:5]
        ),
    )


def _cents(amount: float) -> Decimal:
    return Decimal(amount).quantize(CENT)
