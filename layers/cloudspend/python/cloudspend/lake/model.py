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
    """Exact totals of a generation in `billing_detail`."""

    rows: int
    unblended_cost: Decimal


@dataclass(frozen=True)
class Totals:
    """Exact totals of a generation; costs in units of `currency` (ISO 4217).

    `detail` is None for a generation without the table `billing_detail`.
    """

    rows: int
    billed_cost: Decimal
    effective_cost: Decimal
    currency: str
    list_cost: Decimal
    detail: DetailTotals | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        """Return the tables that contain the generation."""
        return (COST_AND_USAGE,) if self.detail is None else (COST_AND_USAGE, BILLING_DETAIL)


class GenerationState(StrEnum):
    """State of a generation.

    PLANNED -> CHECKED -> PUBLISHED; FAILED from the first two. SUPERSEDED: never published, because
    a newer delivery was. EXPIRED: being removed, nothing may refer to it.
    """

    PLANNED = "planned"
    CHECKED = "checked"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    EXPIRED = "expired"


KEPT = frozenset({GenerationState.CHECKED, GenerationState.PUBLISHED, GenerationState.SUPERSEDED})


@dataclass(frozen=True)
class Generation:
    """The platform's converted copy of one delivery; immutable once it is checked.

    `generation` sorts by time of delivery. `failure` has the fields of `errors.Failure`.
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
        """Return whether the generation was checked and its data still exists."""
        return self.state in KEPT and self.totals is not None


class Verdict(StrEnum):
    """Result of a reconciliation."""

    PROVISIONAL = "provisional"
    CERTIFIED = "certified"
    DISPUTED = "disputed"


@dataclass(frozen=True)
class PublishedPeriod:
    """The generation of a billing period that readers see, and its verification.

    `residual` is the sum of the absolute residuals of all cells, unblended, in currency units.
    `previous_generation` is the one that readers saw before, None for the first. `rolled_back_from`
    is set while an operator holds the period at an earlier generation: the newest one that was
    current before. Deliveries up to it are not published.
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
        """Return the newest generation that was ever current; only newer deliveries are
        published.
        """
        return max(self.generation, self.rolled_back_from or "")


@dataclass(frozen=True)
class SweepState:
    """Sweep's state of an account between runs.

    `since` is the first run. `seen` maps each period (`yyyy-mm`) to the fingerprint of its newest
    known manifest, so an unchanged one is not read again. `last_announced` maps each condition
    event to what was last announced, so it is announced once.
    """

    since: datetime
    seen: Mapping[str, str] = field(default_factory=dict)
    last_announced: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AccountInventory:
    """Everything that the registry contains of an account's bills. `watch` is None before the first
    sweep.

    `published` and `generations` are in order of their periods, generations of a period in order of
    delivery.
    """

    published: tuple[PublishedPeriod, ...]
    generations: tuple[Generation, ...]
    watch: SweepState | None = None
