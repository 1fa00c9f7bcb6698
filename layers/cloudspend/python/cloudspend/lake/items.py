"""Registry items of generations and published periods. Money is decimal text."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import (
    AccountInventory,
    Generation,
    GenerationState,
    PublishedPeriod,
    SweepState,
    Verdict,
)
from cloudspend.lake.totals import from_payload, to_payload

Item = dict[str, Any]

PERIOD = "PERIOD#"
GENERATION = "GENERATION#"
# Sorts between generations and periods, so one query returns all three.
WATCH = "LAST_SWEEP"


def period_key(account_id: str, period: BillingPeriod) -> Item:
    return {"pk": f"ACCOUNT#{account_id}", "sk": f"{PERIOD}{period}"}


def generation_key(account_id: str, period: BillingPeriod, generation: str) -> Item:
    return {"pk": f"ACCOUNT#{account_id}", "sk": f"{GENERATION}{period}#{generation}"}


def period_item(published: PublishedPeriod) -> Item:
    return {
        **period_key(published.account_id, published.period),
        "account_id": published.account_id,
        "period": str(published.period),
        "generation": published.generation,
        "published_at": published.published_at.isoformat(),
        "totals": to_payload(published.totals),
        "verdict": str(published.verdict),
        "verdict_reason": published.verdict_reason,
        "residual": _text(published.residual),
        "reconciled_at": _iso(published.reconciled_at),
        "previous_generation": published.previous_generation,
        "rolled_back_from": published.rolled_back_from,
    }


def to_period(item: Mapping[str, Any]) -> PublishedPeriod:
    residual, reconciled = item["residual"], item["reconciled_at"]
    return PublishedPeriod(
        account_id=item["account_id"],
        period=BillingPeriod.parse(item["period"]),
        generation=item["generation"],
        published_at=datetime.fromisoformat(item["published_at"]),
        totals=from_payload(item["totals"]),
        verdict=Verdict(item["verdict"]),
        verdict_reason=item["verdict_reason"],
        residual=None if residual is None else Decimal(residual),
        reconciled_at=None if reconciled is None else datetime.fromisoformat(reconciled),
        previous_generation=item["previous_generation"],
        # Items from before rollbacks existed do not have it.
        rolled_back_from=item.get("rolled_back_from"),
    )


def generation_item(generation: Generation) -> Item:
    return {
        **generation_key(generation.account_id, generation.period, generation.generation),
        "account_id": generation.account_id,
        "period": str(generation.period),
        "generation": generation.generation,
        "delivery_id": generation.delivery_id,
        "delivered_at": generation.delivered_at.isoformat(),
        "manifest_bucket": generation.manifest_bucket,
        "manifest_key": generation.manifest_key,
        "state": str(generation.state),
    }


def to_generation(item: Mapping[str, Any]) -> Generation:
    totals: Mapping[str, Any] | None = item.get("totals")
    state = GenerationState(item["state"])
    # A generation that is ingested again keeps the attribute of its earlier life.
    expired = item["expired_at"] if state is GenerationState.EXPIRED else None
    return Generation(
        account_id=item["account_id"],
        period=BillingPeriod.parse(item["period"]),
        generation=item["generation"],
        delivery_id=item["delivery_id"],
        delivered_at=datetime.fromisoformat(item["delivered_at"]),
        manifest_bucket=item["manifest_bucket"],
        manifest_key=item["manifest_key"],
        state=state,
        totals=None if totals is None else from_payload(totals),
        failure=item.get("failure"),
        expired_at=None if expired is None else datetime.fromisoformat(expired),
    )


def watch_item(account_id: str, watch: SweepState) -> Item:
    return {
        "pk": f"ACCOUNT#{account_id}",
        "sk": WATCH,
        "since": watch.since.isoformat(),
        "seen": dict(watch.seen),
        "last_announced": dict(watch.last_announced),
    }


def to_holdings(found: Iterable[Mapping[str, Any]]) -> AccountInventory:
    """Convert an account's items, which are in order of their sort keys."""
    published, generations, watch = [], [], None
    for item in found:
        if item["sk"].startswith(PERIOD):
            published.append(to_period(item))
        elif item["sk"].startswith(GENERATION):
            generations.append(to_generation(item))
        elif item["sk"] == WATCH:
            watch = SweepState(
                datetime.fromisoformat(item["since"]), item["seen"], item["last_announced"]
            )
    return AccountInventory(tuple(published), tuple(generations), watch)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
