"""Decisions about deliveries and generations: values in, a decision and its reason out."""

from dataclasses import dataclass
from datetime import datetime

from cloudspend.exports.model import BillingPeriod
from cloudspend.lake.model import (
    Generation,
    GenerationState,
    PublishedPeriod,
)


@dataclass(frozen=True)
class Ingest:
    """Convert the delivery."""

    reason: str


@dataclass(frozen=True)
class Skip:
    """Skip the delivery; `superseded` if a newer one is published."""

    reason: str
    superseded: bool = False


def decide_ingest(
    generation: str, pointer: PublishedPeriod | None, existing: Generation | None
) -> Ingest | Skip:
    """Decide whether to convert `generation`, given the published and the existing generation.

    A published generation that was never compared with Cost Explorer is converted again: its
    execution ended in between, or Cost Explorer did not answer.
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
    """Make the generation current in place of `over` (None: the period has no current
    generation).
    """

    over: str | None


@dataclass(frozen=True)
class Repeat:
    """The generation is already current."""


@dataclass(frozen=True)
class Superseded:
    """A newer delivery is current, or was until an operator rolled the period back."""

    reason: str


def decide_publish(
    generation: str, pointer: PublishedPeriod | None
) -> Advance | Repeat | Superseded:
    """Decide whether `generation` may become current. Return Advance, Repeat or Superseded."""
    if pointer is None:
        return Advance(None)
    if pointer.generation == generation:
        return Repeat()
    if generation <= pointer.floor:
        return Superseded(_why_superseded(generation, pointer))
    return Advance(pointer.generation)


def restates(previous_generation: str, period: BillingPeriod) -> bool:
    """Return whether a generation after `previous_generation` changes figures that were complete.

    Figures are complete if they were delivered after the month's end. Growth of the running month
    is not a restatement.
    """
    return delivered_at(previous_generation) >= period.end


def delivered_at(generation: str) -> datetime:
    """Return when AWS delivered the generation's source, to the second."""
    return datetime.strptime(generation.partition("-")[0], "%Y%m%dT%H%M%S%z")
