"""Failures of generations: recorded where the cause is known, and reported once."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cloudspend import payloads as p
from cloudspend.accounts.model import Account
from cloudspend.accounts.ports import AccountReader
from cloudspend.alerts.catalog import event
from cloudspend.alerts.catalog.ingest import IngestFailed, IngestUnfinished
from cloudspend.alerts.event import Bus, Event
from cloudspend.errors import CloudSpendError, Failure, names, parse
from cloudspend.exports.model import BillingPeriod
from cloudspend.ingest.map_results import failed_in_newest
from cloudspend.ingest.plan import maps_folder
from cloudspend.lake.model import Generation, PublishedPeriod
from cloudspend.lake.ports import Generations, Lake

# Longest text of a file in an event: a value can be a whole damaged line.
MAX_VALUE = 200
OUR_FAULT = (
    "The platform team looks at the failed execution of the state machine cloudspend-ingest; the "
    "customer need not do anything."
)
OUR_ERRORS = frozenset(names(CloudSpendError))
# Amazon States Language, "Errors": more children of a Distributed Map failed than allowed.
MAP_FAILED = "States.ExceedToleratedFailureThreshold"


def note_failure(task: Mapping[str, Any], error: Exception, generations: Generations) -> None:
    """Record on the generation why a conversion task failed.

    The error of a Distributed Map does not contain its child's text, so the child leaves it for
    `report_failure`. A child that runs out of time or memory cannot; the map's result files show
    it.
    """
    generations.record_failure(
        task[p.ACCOUNT_ID],
        BillingPeriod.parse(task[p.PERIOD]),
        task[p.GENERATION],
        asdict(failure_of(error)),
    )


def failure_of(error: Exception) -> Failure:
    """Return `error` in the form in which Step Functions passes it on."""
    if isinstance(error, CloudSpendError):
        return Failure(type(error).__name__, error.summary, error.remedy, error.details)
    return Failure(type(error).__name__, str(error) or type(error).__name__, "", {})


def report_failure(
    state: Mapping[str, Any],
    registry: AccountReader,
    generations: Generations,
    lake: Lake,
    bus: Bus,
) -> dict[str, Any]:
    """Set the generation of a failed Ingest to FAILED and publish an event.

    IngestFailed if readers do not get the delivery, IngestUnfinished if it was published and a
    later step failed. Return the state with `failure` for a person: class name and sentence.
    """
    account = registry.get(state[p.ACCOUNT_ID])
    generation = _generation(state, generations)
    failure = _known_best(parse(**_caught(state)), generation, lake)
    if generation:
        generations.record_failure(
            generation.account_id,
            generation.period,
            generation.generation,
            asdict(failure),
            final=True,
        )
    bus.put(_outcome(account, generation, failure, generations))
    said = f"{failure.summary} {failure.remedy}".strip()
    return {**state, p.FAILURE: {"Error": failure.error, "Cause": said}}


def _outcome(
    account: Account, generation: Generation | None, failure: Failure, generations: Generations
) -> Event:
    if generation is None:
        return failed_event(account, None, None, failure)
    pointer = generations.pointer(generation.account_id, generation.period)
    if pointer and pointer.generation == generation.generation:
        return _unfinished_event(account, pointer, failure)
    return failed_event(account, generation.period, generation.generation, failure)


def failed_event(
    account: Account, period: BillingPeriod | None, generation: str | None, failure: Failure
) -> Event:
    """Return the event IngestFailed; a second failure of another kind is another event."""
    details = failure.details
    line = details.get("line")
    return event(
        IngestFailed(
            period=str(period) if period else None,
            generation=generation,
            error=failure.error,
            reason=failure.summary,
            file=_text(details.get("file")),
            line=int(line) if line is not None else None,
            column=_text(details.get("column")),
            value=_text(details.get("value")),
            remedy=failure.remedy or OUR_FAULT,
        ),
        account.for_events,
        f"{period} {generation} {failure.error} {failure.summary}",
    )


def _unfinished_event(account: Account, published: PublishedPeriod, failure: Failure) -> Event:
    return event(
        IngestUnfinished(
            period=str(published.period),
            generation=published.generation,
            verdict=published.verdict,
            error=failure.error,
            reason=failure.summary,
            remedy=failure.remedy or OUR_FAULT,
        ),
        account.for_events,
        f"{published.period} {published.generation} {failure.error} {failure.summary}",
    )


def _caught(state: Mapping[str, Any]) -> dict[str, str]:
    caught = state.get(p.FAILURE) or {}
    return {"error": str(caught.get("Error", "")), "cause": str(caught.get("Cause", ""))}


def _generation(state: Mapping[str, Any], generations: Generations) -> Generation | None:
    """Return the generation of the state; before Plan has answered, the one of its manifest."""
    if p.GENERATION in state:
        period = BillingPeriod.parse(state[p.PERIOD])
        return generations.get(state[p.ACCOUNT_ID], period, state[p.GENERATION])
    return generations.of_manifest(
        state[p.ACCOUNT_ID], state[p.MANIFEST_BUCKET], state[p.MANIFEST_KEY]
    )


def _known_best(caught: Failure, generation: Generation | None, lake: Lake) -> Failure:
    """Return the recorded failure of a child, if the state machine only caught an error of a
    service.
    """
    if caught.error in OUR_ERRORS or generation is None:
        return caught
    if generation.failure is not None:
        noted = generation.failure
        return Failure(noted["error"], noted["summary"], noted["remedy"], noted["details"])
    if caught.error != MAP_FAILED:
        return caught
    return _of_a_child(generation, lake) or caught


def _of_a_child(generation: Generation, lake: Lake) -> Failure | None:
    """Return why the first failed child of the generation's newest map run failed."""
    folder = maps_folder(generation.account_id, generation.period, generation.generation)
    child = next(failed_in_newest(folder, lake), None)
    if child is None:
        return None
    why = parse(child.get("Error", ""), child.get("Cause", ""))
    if why.error in OUR_ERRORS:
        # The child raised an error but could not record it.
        return why
    task = json.loads(child["Input"])[p.TASK]
    said = why.error if why.summary == why.error else f"{why.error}: {why.summary}"
    summary = f"Conversion task {task} was ended before it could say why ({said})."
    return Failure(why.error, summary, why.remedy, why.details)


def _text(value: object) -> str | None:
    return None if value is None else str(value)[:MAX_VALUE]
