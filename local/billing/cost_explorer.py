"""Cost Explorer (`ce`), computed from the ledger's line items.

It answers as the AWS Cost Explorer API reference says: `End` is exclusive, at most two groupings,
groups without line items are left out, and `Estimated` stays until the bill has its invoice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from local.billing import organizations
from local.billing.expressions import compile_filter, known_dimension
from local.billing.intervals import Interval, asked_for, split
from local.billing.ledger import LEDGER, LineItem
from local.billing.pages import page
from local.services import Members, ServiceError

METRICS = (
    "AmortizedCost",
    "BlendedCost",
    "NetAmortizedCost",
    "NetUnblendedCost",
    "UnblendedCost",
    "UsageQuantity",
)
MOST_GROUPINGS = 2
# Cost Explorer writes ten places after the point.
_PLACES = Decimal("1e-10")

Keys = tuple[str, ...]


def get_cost_and_usage(account: str, request: Members) -> Members:
    """Metrics by time and group; groups come in pages, ungrouped totals in one piece."""
    today = datetime.now(UTC).date()
    intervals = split(asked_for(request["TimePeriod"], today), request["Granularity"])
    metrics = _known_metrics(request["Metrics"])
    keys = _group_keys(request.get("GroupBy", []))
    items = _matching(account, request)
    if not keys:
        return {"ResultsByTime": [_total(each, items, metrics, today) for each in intervals]}
    groups = [
        (interval, group)
        for interval in intervals
        for group in sorted(_grouped(interval, items, keys).items())
    ]
    shown, token = page(request, groups)
    return {
        "GroupDefinitions": request["GroupBy"],
        "ResultsByTime": _by_time(intervals, shown, items, metrics, today),
        "DimensionValueAttributes": _attributes(keys, [group for _, (group, _) in shown]),
        **token,
    }


def get_dimension_values(account: str, request: Members) -> Members:
    """The values that a dimension has among the line items of the time."""
    today = datetime.now(UTC).date()
    interval = asked_for(request["TimePeriod"], today)
    dimension = known_dimension(request["Dimension"])
    wanted = request.get("SearchString", "").lower()
    values = sorted(
        {
            item.dimensions[dimension]
            for item in _matching(account, request)
            if item.day in interval and wanted in item.dimensions[dimension].lower()
        }
    )
    shown, token = page(request, values)
    return {
        "DimensionValues": [_described(dimension, value) for value in shown],
        "ReturnSize": len(shown),
        "TotalSize": len(values),
        **token,
    }


HANDLERS = {
    "GetCostAndUsage": get_cost_and_usage,
    "GetDimensionValues": get_dimension_values,
}


def _matching(account: str, request: Members) -> list[LineItem]:
    """The caller's line items that pass the filter. An account that AWS has no bill for gets
    DataUnavailableException, as one does whose Cost Explorer was enabled only now."""
    test = compile_filter(request.get("Filter"))
    visible = LEDGER.visible_to(account)
    if not visible:
        raise ServiceError("DataUnavailableException", "The requested data is unavailable.")
    return [item for item in visible if test(item.dimensions)]


def _known_metrics(metrics: Sequence[str]) -> Sequence[str]:
    unknown = sorted(set(metrics) - set(METRICS))
    if unknown or not metrics:
        raise ServiceError(
            "ValidationException", f"{unknown} are no metrics; there are {', '.join(METRICS)}."
        )
    return metrics


def _group_keys(group_by: Sequence[Mapping[str, str]]) -> Keys:
    if len(group_by) > MOST_GROUPINGS:
        raise ServiceError("ValidationException", "You can group by at most two groupings.")
    others = [group.get("Type", "") for group in group_by if group.get("Type") != "DIMENSION"]
    if others:
        raise ServiceError(
            "ValidationException", f"The local Cost Explorer groups by DIMENSION, not by {others}."
        )
    return tuple(known_dimension(group.get("Key", "")) for group in group_by)


def _grouped(
    interval: Interval, items: Iterable[LineItem], keys: Keys
) -> dict[Keys, list[LineItem]]:
    groups: dict[Keys, list[LineItem]] = defaultdict(list)
    for item in items:
        if item.day in interval:
            groups[tuple(item.dimensions[key] for key in keys)].append(item)
    return groups


def _by_time(
    intervals: Iterable[Interval],
    shown: Iterable[tuple[Interval, tuple[Keys, list[LineItem]]]],
    items: list[LineItem],
    metrics: Sequence[str],
    today: date,
) -> list[Members]:
    """One result for every interval on every page, with the groups that are on this one."""
    groups: dict[Interval, list[Members]] = {interval: [] for interval in intervals}
    for interval, (values, members) in shown:
        groups[interval].append({"Keys": list(values), "Metrics": _sums(members, metrics)})
    return [
        {
            "TimePeriod": interval.as_aws,
            "Total": {},
            "Groups": found,
            "Estimated": _estimated(interval, items, today),
        }
        for interval, found in groups.items()
    ]


def _total(
    interval: Interval, items: list[LineItem], metrics: Sequence[str], today: date
) -> Members:
    within = [item for item in items if item.day in interval]
    return {
        "TimePeriod": interval.as_aws,
        "Total": _sums(within, metrics),
        "Groups": [],
        "Estimated": _estimated(interval, items, today),
    }


def _sums(items: Sequence[LineItem], metrics: Sequence[str]) -> dict[str, dict[str, str]]:
    currency = items[0].currency if items else "USD"
    return {
        metric: {
            "Amount": _amount(item.metrics[metric] for item in items),
            "Unit": "N/A" if metric == "UsageQuantity" else currency,
        }
        for metric in metrics
    }


def _amount(figures: Iterable[Decimal]) -> str:
    total = sum(figures, Decimal()).quantize(_PLACES)
    return f"{total.normalize():f}" if total else "0"


def _estimated(interval: Interval, items: Iterable[LineItem], today: date) -> bool:
    """Whether the figures may still move: the time is not over, or a charge has no invoice yet."""
    return interval.end > today or any(not item.invoiced for item in items if item.day in interval)


def _attributes(keys: Keys, groups: Iterable[Keys]) -> list[Members]:
    found = {(key, value) for group in groups for key, value in zip(keys, group, strict=True)}
    described = (_described(key, value) for key, value in sorted(found))
    return [each for each in described if each["Attributes"]]


def _described(dimension: str, value: str) -> Members:
    """Cost Explorer adds the account's name, as `description`, to linked accounts only."""
    name = organizations.name_of(value) if dimension == "LINKED_ACCOUNT" else ""
    return {"Value": value, "Attributes": {"description": name} if name else {}}
