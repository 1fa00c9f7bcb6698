"""Generations, published periods and their totals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from cloudspend.exports.model import BillingPeriod


@dataclass(frozen=True)
class Totals:
    """What a generation adds up to, exactly; costs in `currency` units (ISO 4217)."""

    rows: int
    billed_cost: Decimal
    effective_cost: Decimal
    currency: str


class GenerationState(StrEnum):
    """PLANNED -> CHECKED -> PUBLISHED; FAILED from the first two. A superseded one was never
    published because a newer delivery had been."""

    PLANNED = "planned"
    CHECKED = "checked"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    FAILED = "failed"


@dataclass(frozen=True)
class Generation:
    """The platform's converted copy of one delivery: immutable once checked.

    `generation` sorts by time of delivery. `failure` is what `errors.Failure` holds, as a mapping.
    """

    account_id: str
    period: BillingPeriod
    generation: str
    delivery_id: str
    delivered_at: datetime
    manifest_bucket: str
    manifest_key: str
    state: GenerationState
    totals: Totals | None = None
    failure: Mapping[str, Any] | None = None


class Verdict(StrEnum):
    """What a reconciliation says of a period."""

    PROVISIONAL = "provisional"
    CERTIFIED = "certified"
    DISPUTED = "disputed"


@dataclass(frozen=True)
class PublishedPeriod:
    """Which generation of a billing period readers see, and what was proved of it.

    `residual` is the sum of the absolute residuals of all cells, unblended, in currency units.
    `previous_generation` is the one that readers saw before, None for the first.
    """

    account_id: str
    period: BillingPeriod
    generation: str
    published_at: datetime
    totals: Totals
    verdict: Verdict = Verdict.PROVISIONAL
    verdict_reason: str = "Not compared with Cost Explorer yet."
    residual: Decimal | None = None
    reconciled_at: datetime | None = None
    previous_generation: str | None = None
