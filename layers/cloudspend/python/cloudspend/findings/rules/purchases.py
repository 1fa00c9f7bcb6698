"""AWS's purchase recommendations with a relevant saving."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from cloudspend.alerts.catalog.findings import FindingKind
from cloudspend.alerts.event import Severity
from cloudspend.alerts.money import money
from cloudspend.findings.model import CostDriver, Observation

KINDS = frozenset({FindingKind.PURCHASE_RECOMMENDATION})
CENT = Decimal("0.01")
MOST_NAMED = 5
TERMS = {"ONE_YEAR": "one year", "THREE_YEARS": "three years"}
PAYMENTS = {
    "NO_UPFRONT": "with nothing paid upfront",
    "PARTIAL_UPFRONT": "partly paid upfront",
    "ALL_UPFRONT": "all paid upfront",
}


@dataclass(frozen=True)
class Recommendation:
    """A recommended purchase. Costs and savings are per month, in `currency`; `upfront` is due at
    once.
    """

    service: str
    term: str
    payment: str
    what: str
    currency: str
    savings: Decimal
    on_demand: Decimal
    upfront: Decimal


def worthwhile(found: Iterable[Recommendation], least: Decimal) -> list[Observation]:
    """Return one observation per service whose best term saves at least `least` per month.

    Terms of one service exclude each other.
    """
    best: dict[str, list[Recommendation]] = {}
    for (service, *_), each in sorted(_by_choice(found).items()):
        if _saved(each) > _saved(best.get(service, [])):
            best[service] = each
    return [_worth(each) for each in best.values() if _saved(each) >= least]


def _by_choice(found: Iterable[Recommendation]) -> dict[tuple[str, ...], list[Recommendation]]:
    choices: dict[tuple[str, ...], list[Recommendation]] = {}
    for each in found:
        key = (each.service, each.term, each.payment, each.currency)
        choices.setdefault(key, []).append(each)
    return choices


def _saved(parts: Iterable[Recommendation]) -> Decimal:
    return sum((each.savings for each in parts), Decimal())


def _worth(parts: list[Recommendation]) -> Observation:
    first, saved = parts[0], _saved(parts).quantize(CENT)
    upfront = sum((each.upfront for each in parts), Decimal()).quantize(CENT)
    largest = sorted(parts, key=lambda each: each.savings, reverse=True)[:MOST_NAMED]
    return Observation(
        FindingKind.PURCHASE_RECOMMENDATION,
        first.service,
        Severity.INFO,
        reason=f"By the usage of the last 30 days, AWS estimates that reserving {first.service} "
        f"for {TERMS.get(first.term, first.term)}, {PAYMENTS.get(first.payment, first.payment)}, "
        f"saves {money(saved)} {first.currency} a month. At once "
        f"{money(upfront)} {first.currency} are to be paid.",
        remedy="See in the billing console, under Recommendations, what exactly is to be bought, "
        "and ask the owners whether the usage will last.",
        amount=saved,
        currency=first.currency,
        moved=tuple(
            CostDriver(
                f"{each.what}, a month",
                each.on_demand.quantize(CENT),
                (each.on_demand - each.savings).quantize(CENT),
            )
            for each in largest
        ),
    )
