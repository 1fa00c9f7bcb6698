"""Generations, published periods and their totals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from cloudspend.convert.focus.schema import BILLING_DETAIL, COST_AND_USAGE
from cloudspend.exports.model import BillingPeriod


@dataclass(frozen=True)
class DetailTotals:
    """What a generation adds up to in `billing_detail`, exactly."""

    rows: int
    unblended_cost: Decimal


@dataclass(frozen=True)
class Totals:
    """What a generation adds up to, exactly; costs in `currency` units (ISO 4217).

    `detail` is None for a generation that has no rows for `billing_detail`, not even none.
    """

    rows: int
    billed_cost: Decimal
    effective_cost: Decimal
    currency: str
    list_cost: Decimal
    detail: DetailTotals | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that hold the generation."""
        return (COST_AND_USAGE,) if self.detail is None else (COST_AND_USAGE, BILLING_DETAIL)


class GenerationState(StrEnum):
    """PLANNED -> CHECKED -> PUBLISHED; FAILED from the first two. A superseded one was never
    published because a newer delivery had been. An expired one is being removed: nothing may point
    at it any more."""

    PLANNED = "planned"
    CHECKED = "checked"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    EXPIRED = "expired"


KEPT = frozenset({GenerationState.CHECKED, GenerationState.PUBLISHED, GenerationState.SUPERSEDED})


@dataclass(frozen=True)
class Generation:
    """The platform's converted copy of one delivery: immutable once checked.

    `generation` sorts by time of delivery. `failure` is what `errors.Failure` holds, as a mapping.
    `expired_at` is when it became EXPIRED.
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
    expired_at: datetime | None = None

    @property
    def is_kept(self) -> bool:
        """Whether its data were checked once and are still there."""
        return self.state in KEPT and self.totals is not None


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
    `rolled_back_from` is set while an operator holds the period at an earlier generation: the
    newest one that was current before. Deliveries up to it are not published any more.
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
    rolled_back_from: str | None = None

    @property
    def floor(self) -> str:
        """The newest generation that was ever current; only a newer delivery is published."""
        return max(self.generation, self.rolled_back_from or "")


@dataclass(frozen=True)
class SweepState:
    """What Sweep remembers of an account from one run to the next.

    `since` is when it first looked. `seen` holds for each period (`yyyy-mm`) the mark of the newest
    manifest whose delivery is known, so that an unchanged one need not be read again. `told` holds
    for each event about the account's condition what was said of it, so that it is said once.
    """

    since: datetime
    seen: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AccountInventory:
    """All that the registry holds of an account's bills. `watch` is None before the first sweep.

    `published` and `generations` are in order of their periods, generations of one period in order
    of their delivery.
    """

    published: tuple[PublishedPeriod, ...]
    generations: tuple[Generation, ...]
    watch: SweepState | None = None
