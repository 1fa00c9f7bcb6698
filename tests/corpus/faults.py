"""Faults that a delivery or the platform may have, and what a reconciliation must find of each: the
cells with their amounts. Worked out by hand for the month of `local.world.charges`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from local.world.charges import TAG, Item, Members, Month, in_files

Cell = tuple[str, str, str]
Cells = Mapping[Cell, Decimal]
Files = list[list[Item]]

COMPUTE, OTHER = "Amazon Elastic Compute Cloud - Compute", "EC2 - Other"
S3 = "Amazon Simple Storage Service"
PLANS = "Savings Plans for AWS Compute usage"
SHIFTED = "0% of the usage rows bear a tag; before it were 100%."
D = Decimal


@dataclass(frozen=True)
class Fault:
    """`delivered` makes what is delivered of a month that AWS charged as `Month.items` says; with
    `is_old` the true bill is published after it, and then this one again. `residuals` are billed
    cost, too little below zero; `says` is a part of the verdict's reason.
    """

    delivered: Callable[[Month], Files]
    residuals: Callable[[Members], Cells] = field(default=lambda _: {})
    says: str = ""
    is_old: bool = False


def _usual(month: Month) -> Files:
    return in_files(month.items())


def _lost(month: Month) -> Files:
    files = _usual(month)
    return [files[0], *files[2:]]


def _doubled(month: Month) -> Files:
    files = _usual(month)
    return [*files[:2], *files[1:]]


def _second_file(sign: int) -> Callable[[Members], Cells]:
    """The later fourteen days of the three daily charges."""
    return lambda of: {
        (of.production, S3, "Usage"): sign * D("28"),
        (of.staging, COMPUTE, "Usage"): sign * D("15.4"),
        (of.staging, OTHER, "Usage"): sign * D("3.5"),
    }


def _without(month: Month, *kinds: str) -> Files:
    return in_files([each for each in month.items() if each["lineItem/LineItemType"] not in kinds])


def _without_member(month: Month) -> Files:
    gone = month.members.staging
    return in_files([each for each in month.items() if each["lineItem/UsageAccountId"] != gone])


def _without_day(month: Month) -> Files:
    day = f"{month.period}-17"
    kept = [each for each in month.items() if not each["lineItem/UsageStartDate"].startswith(day)]
    return in_files(kept)


def _in_euros(month: Month) -> Files:
    return in_files([each | {"lineItem/CurrencyCode": "EUR"} for each in month.items()])


def shifted(month: Month) -> Files:
    """The tag's values are gone, and a column next to it is there instead."""
    return in_files([each | {TAG: "", "resourceTags/user:zone": ""} for each in month.items()])


FAULTS: Mapping[str, Fault] = {
    "a file lost": Fault(_lost, _second_file(-1), f"{S3} of account"),
    "a file doubled": Fault(_doubled, _second_file(1), f"{S3} of account"),
    "an old generation published": Fault(
        lambda month: _without(month, "Refund", "Credit"),
        lambda of: {
            (of.payer, PLANS, "Refund"): D("20"),
            (of.staging, COMPUTE, "Credit"): D("12.5"),
            (of.production, S3, "Refund"): D("3.25"),
        },
        "Refund",
        is_old=True,
    ),
    "a linked account missing": Fault(
        _without_member,
        lambda of: {
            (of.staging, COMPUTE, "Usage"): D("-30.8"),
            (of.staging, COMPUTE, "Credit"): D("12.5"),
            (of.staging, OTHER, "Usage"): D("-7"),
        },
        "of account",
    ),
    "a currency mistaken": Fault(_in_euros, says="EUR in the lake, USD in Cost Explorer"),
    "a day missing": Fault(
        _without_day,
        lambda of: {
            (of.production, S3, "Usage"): D("-2"),
            (of.staging, COMPUTE, "Usage"): D("-1.1"),
            (of.staging, OTHER, "Usage"): D("-0.25"),
        },
        f"{S3} of account",
    ),
}


def amortization_broken(of: Members) -> Mapping[str, Cells]:
    """Covered hours of a reservation cost what they are billed: by figure of a cell."""
    cell = (of.data, COMPUTE, "DiscountedUsage")
    return {
        "effective_residual": {cell: D("-15")},
        "net_effective_residual": {cell: D("-13.75")},
    }
