"""The part of Cost Explorer (`ce`) about reservations and Savings Plans, from the ledger's line
items.

Hours are those of instances and nodes: covered ones are on the bill as DiscountedUsage, others as
Usage, and what a reservation did not use as its fee (RIFee). What AWS would recommend is not known;
here it is to reserve what ran in every hour, at a discount of this module's own.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from local.billing.expressions import compile_filter
from local.billing.intervals import Interval, asked_for, split
from local.billing.ledger import LEDGER, LineItem
from local.billing.pages import page
from local.billing.vocabulary import COMPUTE
from local.services import Members, ServiceError

# Hours of instances and nodes of the services that can be reserved, by usage type.
_RESERVABLE = re.compile(
    r"(^|-)(BoxUsage|DedicatedUsage|HeavyUsage|InstanceUsage|Multi-AZUsage|NodeUsage|Node|ESInstance"
    r"|MemoryDB)(:|$)"
)
_DETAILS = {
    COMPUTE: "EC2InstanceDetails",
    "Amazon Relational Database Service": "RDSInstanceDetails",
    "Amazon Redshift": "RedshiftInstanceDetails",
    "Amazon ElastiCache": "ElastiCacheInstanceDetails",
    "Amazon OpenSearch Service": "ESInstanceDetails",
    "Amazon MemoryDB": "MemoryDBInstanceDetails",
}
_TYPE_NAMES = {
    "RedshiftInstanceDetails": "NodeType",
    "ElastiCacheInstanceDetails": "NodeType",
    "MemoryDBInstanceDetails": "NodeType",
    "ESInstanceDetails": "InstanceClass",
}
_LOOKBACK = {"SEVEN_DAYS": 7, "THIRTY_DAYS": 30, "SIXTY_DAYS": 60}
_TERMS = {"ONE_YEAR": (12, Decimal("0.30")), "THREE_YEARS": (36, Decimal("0.50"))}
_HOURS_A_MONTH = 730
_UNAVAILABLE = "DataUnavailableException"
# Taken for the share that is paid at once, by payment option.
_UPFRONT = {"ALL_UPFRONT": Decimal(1), "PARTIAL_UPFRONT": Decimal("0.5")}

Items = Sequence[LineItem]


def get_reservation_coverage(account: str, request: Members) -> Members:
    """Hours that a reservation covered and hours that none did, by time."""
    items = [item for item in _asked(account, request) if _RESERVABLE.search(_usage(item))]
    if not items:
        raise ServiceError(_UNAVAILABLE, "The requested data is unavailable.")
    intervals = _intervals(request)
    shown, token = page(request, intervals)
    return {
        "CoveragesByTime": [
            {"TimePeriod": each.as_aws, "Groups": [], "Total": _coverage(_within(items, each))}
            for each in shown
        ],
        "Total": _coverage([item for each in intervals for item in _within(items, each)]),
        **token,
    }


def get_reservation_utilization(account: str, request: Members) -> Members:
    """What of each reservation was used; groups are reservations (SUBSCRIPTION_ID)."""
    items = [item for item in _asked(account, request) if _reservation(item)]
    if not items:
        raise ServiceError(_UNAVAILABLE, "The requested data is unavailable.")
    if not request.get("GroupBy"):
        intervals = _intervals(request)
        shown, token = page(request, intervals)
        totals: list[Members] = [
            {"TimePeriod": each.as_aws, "Groups": [], "Total": _use(_within(items, each))}
            for each in shown
        ]
        return {"UtilizationsByTime": totals, "Total": _use(items), **token}
    _refuse_granularity(request)
    (group,) = request["GroupBy"]
    if group != {"Type": "DIMENSION", "Key": "SUBSCRIPTION_ID"}:
        raise ServiceError("ValidationException", "Reservations are grouped by SUBSCRIPTION_ID.")
    asked = asked_for(request["TimePeriod"], _today())
    by_reservation = _grouped(_within(items, asked), _reservation)
    if not by_reservation:
        raise ServiceError(_UNAVAILABLE, "The requested data is unavailable.")
    shown_groups, token = page(request, sorted(by_reservation.items()))
    groups = [_subscription(arn, members) for arn, members in shown_groups]
    times = [{"TimePeriod": asked.as_aws, "Groups": groups, "Total": _use(items)}]
    return {"UtilizationsByTime": times, "Total": _use(items), **token}


def get_reservation_recommendation(account: str, request: Members) -> Members:
    """Usage of a service that is worth reserving, by account, region and instance type."""
    if request["Service"] not in _DETAILS:
        raise ServiceError("ValidationException", f"{request['Service']} has no reservations.")
    days = _LOOKBACK[request.get("LookbackPeriodInDays", "SEVEN_DAYS")]
    term = request.get("TermInYears", "ONE_YEAR")
    payment = request.get("PaymentOption", "NO_UPFRONT")
    recent = Interval(_today() - timedelta(days=days), _today())
    running = [
        item
        for item in _within(LEDGER.visible_to(account), recent)
        if item.dimensions["SERVICE"] == request["Service"]
        and item.dimensions["RECORD_TYPE"] == "Usage"
        and _RESERVABLE.search(_usage(item))
    ]
    offers = [
        found
        for key, items in sorted(_grouped(running, _machine).items())
        if (found := _offer(request["Service"], key, items, days, term, payment))
    ]
    shown, token = page(request, offers)
    details = [offer.details for offer in shown]
    saved = sum((offer.saved for offer in offers), Decimal())
    recommendation = {
        "AccountScope": request.get("AccountScope", "PAYER"),
        "LookbackPeriodInDays": request.get("LookbackPeriodInDays", "SEVEN_DAYS"),
        "TermInYears": term,
        "PaymentOption": payment,
        "RecommendationDetails": details,
        "RecommendationSummary": {
            "TotalEstimatedMonthlySavingsAmount": _text(saved),
            "CurrencyCode": "USD",
        },
    }
    stamp = {"GenerationTimestamp": f"{_today()}T00:00:00Z"}
    return {"Metadata": stamp, "Recommendations": [recommendation] if details else [], **token}


def get_savings_plans_utilization(account: str, request: Members) -> Members:
    """What of the commitment was used, by time; all of it in one answer."""
    items = [
        item
        for item in _asked(account, request)
        if item.dimensions["RECORD_TYPE"]
        in ("SavingsPlanRecurringFee", "SavingsPlanUpfrontFee", "SavingsPlanCoveredUsage")
    ]
    if not items:
        raise ServiceError(_UNAVAILABLE, "The requested data is unavailable.")
    intervals = _intervals(request)
    return {
        "SavingsPlansUtilizationsByTime": [
            {"TimePeriod": each.as_aws, **_commitment(_within(items, each))} for each in intervals
        ],
        "Total": _commitment([item for each in intervals for item in _within(items, each)]),
    }


def get_savings_plans_coverage(account: str, request: Members) -> Members:
    """What plans paid for, and what was paid on demand though a plan could have paid, by time."""
    items = [item for item in _asked(account, request) if _coverable(item)]
    if not items:
        raise ServiceError(_UNAVAILABLE, "The requested data is unavailable.")
    times = [
        {"Attributes": {}, "Coverage": _spend(_within(items, each)), "TimePeriod": each.as_aws}
        for each in _intervals(request)
    ]
    asked = {name: value for name, value in request.items() if name != "NextToken"}
    shown, token = page({**asked, "NextPageToken": request.get("NextToken")}, times)
    following = token.get("NextPageToken")
    return {"SavingsPlansCoverages": list(shown)} | ({"NextToken": following} if following else {})


HANDLERS = {
    "GetReservationCoverage": get_reservation_coverage,
    "GetReservationUtilization": get_reservation_utilization,
    "GetReservationPurchaseRecommendation": get_reservation_recommendation,
    "GetSavingsPlansUtilization": get_savings_plans_utilization,
    "GetSavingsPlansCoverage": get_savings_plans_coverage,
}


@dataclass(frozen=True)
class Offer:
    """A recommendation as AWS words it, and what it would save in a month."""

    saved: Decimal
    details: Members


def _asked(account: str, request: Members) -> list[LineItem]:
    test = compile_filter(request.get("Filter"))
    return [item for item in LEDGER.visible_to(account) if test(item.dimensions)]


def _intervals(request: Members) -> list[Interval]:
    if request.get("GroupBy"):
        raise ServiceError("ValidationException", "The local Cost Explorer has no such groups.")
    asked = asked_for(request["TimePeriod"], _today())
    granularity = request.get("Granularity")
    return split(asked, granularity) if granularity else [asked]


def _refuse_granularity(request: Members) -> None:
    if request.get("Granularity"):
        raise ServiceError("ValidationException", "Granularity cannot be set if GroupBy is set.")


def _within(items: Iterable[LineItem], interval: Interval) -> list[LineItem]:
    return [item for item in items if item.day in interval]


def _grouped(items: Iterable[LineItem], key: Callable[[LineItem], Any]) -> dict[Any, Items]:
    found: dict[Any, list[LineItem]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return dict(found)


def _coverage(items: Items) -> Members:
    reserved = _hours(item for item in items if item.dimensions["RECORD_TYPE"] == "DiscountedUsage")
    others = [item for item in items if item.dimensions["RECORD_TYPE"] == "Usage"]
    on_demand = _hours(others)
    running = reserved + on_demand
    cost = sum((item.metrics["UnblendedCost"] for item in others), Decimal())
    return {
        "CoverageHours": {
            "OnDemandHours": _text(on_demand),
            "ReservedHours": _text(reserved),
            "TotalRunningHours": _text(running),
            "CoverageHoursPercentage": _share(reserved, running),
        },
        "CoverageCost": {"OnDemandCost": _text(cost)},
    }


def _use(items: Items) -> Members:
    used = [item for item in items if item.dimensions["RECORD_TYPE"] == "DiscountedUsage"]
    fees = [item for item in items if item.dimensions["RECORD_TYPE"] == "RIFee"]
    hours = _hours(used)
    unused = _sum(fees, "reservation/UnusedQuantity")
    wasted = _sum(fees, "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod") + _sum(
        fees, "reservation/UnusedRecurringFee"
    )
    effective = _sum(used, "reservation/EffectiveCost")
    upfront = _sum(used, "reservation/AmortizedUpfrontCostForUsage")
    on_demand = _sum(used, "pricing/publicOnDemandCost")
    return {
        "UtilizationPercentage": _share(hours, hours + unused),
        "PurchasedHours": _text(hours + unused),
        "TotalActualHours": _text(hours),
        "UnusedHours": _text(unused),
        "OnDemandCostOfRIHoursUsed": _text(on_demand),
        "NetRISavings": _text(on_demand - effective - wasted),
        "AmortizedUpfrontFee": _text(upfront),
        "AmortizedRecurringFee": _text(effective + wasted - upfront),
        "TotalAmortizedFee": _text(effective + wasted),
        "RICostForUnusedHours": _text(wasted),
        "RealizedSavings": _text(on_demand - effective),
        "UnrealizedSavings": _text(wasted),
    }


def _subscription(arn: str, items: Items) -> Members:
    used = next((item for item in items if item.facts.get("product/instanceType")), items[0])
    facts = {name: value for item in items for name, value in item.facts.items()}
    attributes = {
        "accountId": arn.split(":")[4] or used.dimensions["LINKED_ACCOUNT"],
        "service": used.dimensions["SERVICE"],
        "region": used.dimensions["REGION"],
        "instanceType": used.facts.get("product/instanceType", ""),
        "platform": used.facts.get("product/operatingSystem", ""),
        "offeringType": facts.get("pricing/PurchaseOption", ""),
        "numberOfInstances": facts.get("reservation/NumberOfReservations", ""),
        "startDateTime": facts.get("reservation/StartTime", ""),
        "endDateTime": facts.get("reservation/EndTime", ""),
        "leaseId": arn,
    }
    return {
        "Key": "SUBSCRIPTION_ID",
        "Value": facts.get("reservation/SubscriptionId", arn.rpartition("/")[2]),
        "Attributes": {name: value for name, value in attributes.items() if value},
        "Utilization": _use(items),
    }


def _offer(
    service: str, key: tuple[str, str, str], items: Items, days: int, term: str, payment: str
) -> Offer | None:
    """Nothing where not one instance ran in all hours."""
    account, region, machine = key
    hours = _hours(items)
    count = int(hours / (days * 24))
    if not count:
        return None
    months, discount = _TERMS[term]
    hourly = sum((item.metrics["UnblendedCost"] for item in items), Decimal()) / hours
    on_demand = hourly * count * _HOURS_A_MONTH
    saved = on_demand * discount
    fee = on_demand - saved
    upfront = fee * months * _UPFRONT.get(payment, Decimal())
    kind = _DETAILS[service]
    shape = {_TYPE_NAMES.get(kind, "InstanceType"): machine, "Region": region}
    details = {
        "AccountId": account,
        "InstanceDetails": {kind: shape},
        "RecommendedNumberOfInstancesToPurchase": str(count),
        "AverageNumberOfInstancesUsedPerHour": _text(hours / (days * 24)),
        "AverageUtilization": "100",
        "EstimatedBreakEvenInMonths": _text(upfront / on_demand),
        "CurrencyCode": items[0].currency,
        "EstimatedMonthlySavingsAmount": _text(saved),
        "EstimatedMonthlySavingsPercentage": _text(discount * 100),
        "EstimatedMonthlyOnDemandCost": _text(on_demand),
        "UpfrontCost": _text(upfront),
        "RecurringStandardMonthlyCost": _text(fee - upfront / months),
    }
    return Offer(saved, details)


def _commitment(items: Items) -> Members:
    total = _sum(items, "savingsPlan/TotalCommitmentToDate")
    used = _sum(items, "savingsPlan/UsedCommitment")
    upfront = _sum(items, "savingsPlan/AmortizedUpfrontCommitmentForBillingPeriod")
    on_demand = sum(
        (
            item.metrics["UnblendedCost"]
            for item in items
            if item.dimensions["RECORD_TYPE"] == "SavingsPlanCoveredUsage"
        ),
        Decimal(),
    )
    return {
        "Utilization": {
            "TotalCommitment": _text(total),
            "UsedCommitment": _text(used),
            "UnusedCommitment": _text(total - used),
            "UtilizationPercentage": _share(used, total),
        },
        "Savings": {
            "NetSavings": _text(on_demand - total),
            "OnDemandCostEquivalent": _text(on_demand),
        },
        "AmortizedCommitment": {
            "AmortizedRecurringCommitment": _text(total - upfront),
            "AmortizedUpfrontCommitment": _text(upfront),
            "TotalAmortizedCommitment": _text(total),
        },
    }


def _coverable(item: LineItem) -> bool:
    kind = item.dimensions["RECORD_TYPE"]
    if kind == "SavingsPlanCoveredUsage":
        return True
    return kind == "Usage" and item.dimensions["SERVICE"] in (COMPUTE, "AWS Lambda")


def _spend(items: Items) -> Members:
    covered = _sum(items, "savingsPlan/SavingsPlanEffectiveCost")
    on_demand = sum(
        (
            item.metrics["UnblendedCost"]
            for item in items
            if item.dimensions["RECORD_TYPE"] == "Usage"
        ),
        Decimal(),
    )
    return {
        "SpendCoveredBySavingsPlans": _text(covered),
        "OnDemandCost": _text(on_demand),
        "TotalCost": _text(covered + on_demand),
        "CoveragePercentage": _share(covered, covered + on_demand),
    }


def _machine(item: LineItem) -> tuple[str, str, str]:
    kind = item.facts.get("product/instanceType") or _usage(item).partition(":")[2]
    return item.dimensions["LINKED_ACCOUNT"], item.dimensions["REGION"], kind


def _reservation(item: LineItem) -> str:
    return item.facts.get("reservation/ReservationARN", "")


def _usage(item: LineItem) -> str:
    return item.dimensions["USAGE_TYPE"]


def _hours(items: Iterable[LineItem]) -> Decimal:
    return _sum(items, "lineItem/UsageAmount")


def _sum(items: Iterable[LineItem], column: str) -> Decimal:
    return sum((item.figure(column) for item in items), Decimal())


def _share(part: Decimal, whole: Decimal) -> str:
    return _text(part / whole * 100 if whole else Decimal())


def _text(figure: Decimal) -> str:
    rounded = figure.quantize(Decimal("1e-10"))
    return f"{rounded.normalize():f}" if rounded else "0"


def _today() -> date:
    return datetime.now(UTC).date()
