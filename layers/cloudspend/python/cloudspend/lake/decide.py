"""What to do with a delivery, totals, a pointer: values in, a decision and its reason out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import (
    DetailTotals,
    Generation,
    GenerationState,
    PublishedPeriod,
    Totals,
)

# A cost is decimal text in the source, a double in Parquet, decimal(38, 12) in Athena. What these
# may differ by: a half unit of the twelfth place a row, and a double's 15 digits of the amount.
ABSOLUTE = Decimal("1e-9")
PER_ROW = Decimal("1e-12")
PER_UNIT = Decimal("1e-15")


@dataclass(frozen=True)
class Ingest:
    """Convert the delivery."""

    reason: str


@dataclass(frozen=True)
class Skip:
    """Leave the delivery alone. `superseded` when it is because a newer one is published."""

    reason: str
    superseded: bool = False


def decide(
    generation: str, pointer: PublishedPeriod | None, existing: Generation | None
) -> Ingest | Skip:
    """Whether `generation` is to be converted, given what is published and what was begun.

    A published generation that was never compared with Cost Explorer is done again: its execution
    ended between the two, or Cost Explorer could not be asked then.
    """
    if pointer is None:
        return Ingest("An earlier attempt did not finish." if existing else "The period is new.")
    if generation > pointer.floor:
        return Ingest(f"It is newer than the published delivery {pointer.generation}.")
    if generation != pointer.generation:
        return Skip(_why_superseded(generation, pointer), superseded=True)
    if _finished(pointer, existing):
        return Skip("This delivery is published.")
    return Ingest("It is published but was not compared with Cost Explorer yet.")


def _why_superseded(generation: str, pointer: PublishedPeriod) -> str:
    if generation < pointer.generation:
        return f"The newer delivery {pointer.generation} is published."
    return (
        f"An operator has rolled the period back from {pointer.rolled_back_from} to "
        f"{pointer.generation}; only a delivery newer than both is published."
    )


def _finished(pointer: PublishedPeriod, existing: Generation | None) -> bool:
    published = existing is not None and existing.state is GenerationState.PUBLISHED
    return published and pointer.residual is not None


@dataclass(frozen=True)
class Advance:
    """Make the generation current in place of `over` (None: the period has no pointer yet)."""

    over: str | None


@dataclass(frozen=True)
class Repeat:
    """The generation is current already."""


@dataclass(frozen=True)
class Superseded:
    """A newer delivery is current, or was until an operator rolled the period back."""

    reason: str


def move(generation: str, pointer: PublishedPeriod | None) -> Advance | Repeat | Superseded:
    """What publishing `generation` means while `pointer` is current."""
    if pointer is None:
        return Advance(None)
    if pointer.generation == generation:
        return Repeat()
    if generation <= pointer.floor:
        return Superseded(_why_superseded(generation, pointer))
    return Advance(pointer.generation)


def restates(previous_generation: str, period: BillingPeriod) -> bool:
    """Whether a generation that follows `previous_generation` changes figures which readers could
    take for complete: that one was delivered after the month's end. Growth of the running month is
    no restatement.
    """
    return delivered_at(previous_generation) >= period.end


def delivered_at(generation: str) -> datetime:
    """When AWS delivered what `generation` was made of, to the second."""
    return datetime.strptime(generation.partition("-")[0], "%Y%m%dT%H%M%S%z")


def tolerance(rows: int, cost: Decimal) -> Decimal:
    """How far two sums of the same costs may lie apart through rounding alone."""
    return ABSOLUTE + rows * PER_ROW + abs(cost) * PER_UNIT


def differences(expected: Totals, found: Totals) -> tuple[str, ...]:
    """What of `found` is not what was `expected`, each as a clause of a sentence; none is well.

    What `found` says of `billing_detail` counts only where something is expected of it.
    """
    wrong = _differences(expected, found, ("billed_cost", "effective_cost", "list_cost"))
    if expected.detail:
        detail = found.detail or DetailTotals(0, Decimal(0))
        in_detail = _differences(expected.detail, detail, ("unblended_cost",))
        wrong += [f"in billing_detail {clause}" for clause in in_detail]
    return tuple(wrong)


def _differences(
    expected: Totals | DetailTotals, found: Totals | DetailTotals, costs: Sequence[str]
) -> list[str]:
    wrong = []
    if found.rows != expected.rows:
        wrong.append(f"{found.rows} rows instead of {expected.rows}")
    for name in costs:
        want, have = getattr(expected, name), getattr(found, name)
        if abs(have - want) > tolerance(expected.rows, want):
            wrong.append(f"{name.replace('_', ' ')} {have} instead of {want}")
    return wrong
