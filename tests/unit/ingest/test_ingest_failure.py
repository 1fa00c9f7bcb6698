"""Failures of an ingest: the best known one is kept, reported and marked."""

import json
from datetime import timedelta
from typing import Any

import pytest

from cloudspend import payloads as p
from cloudspend.accounts.model import AccountState
from cloudspend.errors import CloudSpendError, Defect, DeliveryError, TotalsDiffer, TransientError
from cloudspend.ingest.failure import OUR_FAULT, note_failure, report_failure
from cloudspend.ingest.plan import maps_folder
from cloudspend.lake.model import Generation, GenerationState
from tests.fakes.accounts import FakeAccounts, an_account
from tests.fakes.alerts import FakeBus
from tests.fakes.lake import (
    ACCOUNT,
    NEW,
    NOW,
    OLD,
    PERIOD,
    TOTALS,
    FakeGenerations,
    FakeLake,
    a_generation,
    a_published,
)

TASK = {p.ACCOUNT_ID: ACCOUNT, p.PERIOD: str(PERIOD), p.GENERATION: OLD, p.TASK: 1}
BAD_COST = DeliveryError(
    "A cost is not a number.",
    remedy="Have AWS deliver the report again.",
    file="s3://cost-bucket/report-1.csv.gz",
    line=7,
    column="lineItem/UnblendedCost",
    value="1,2",
)
MAP_FAILED = {"Error": "States.ExceedToleratedFailureThreshold", "Cause": "1 of 4 items failed."}


def caught(error: CloudSpendError) -> dict[str, str]:
    """As Step Functions writes what a Lambda function raised."""
    name = type(error).__name__
    return {"Error": name, "Cause": json.dumps({"errorType": name, "errorMessage": str(error)})}


class World:
    def __init__(self) -> None:
        self.generations = FakeGenerations()
        self.generations.plan(a_generation(OLD))
        self.bus = FakeBus()
        self.lake = FakeLake()

    def report(self, failure: dict[str, str], **changes: Any) -> dict[str, Any]:
        state = {**TASK, p.FAILURE: failure} | changes
        registry = FakeAccounts(an_account(state=AccountState.ACTIVE))
        return report_failure(state, registry, self.generations, self.lake, self.bus)

    @property
    def generation(self) -> Generation:
        held = self.generations.get(ACCOUNT, PERIOD, OLD)
        assert held is not None
        return held


@pytest.fixture
def world() -> World:
    return World()


def test_what_the_child_noted_is_told_for_the_maps_general_error(world: World) -> None:
    note_failure(TASK, BAD_COST, world.generations)
    state = world.report(MAP_FAILED)
    assert dict(world.bus.events[0].details) == {
        "period": "2026-10",
        "generation": OLD,
        "error": "DeliveryError",
        "reason": "A cost is not a number.",
        "file": "s3://cost-bucket/report-1.csv.gz",
        "line": 7,
        "column": "lineItem/UnblendedCost",
        "value": "1,2",
        "remedy": "Have AWS deliver the report again.",
    }
    assert world.generation.state is GenerationState.FAILED
    said = "A cost is not a number. Have AWS deliver the report again."
    assert state[p.FAILURE] == {"Error": "DeliveryError", "Cause": said}


def test_a_later_steps_own_error_is_told_before_an_earlier_note(world: World) -> None:
    note_failure(TASK, TransientError("S3 asks to try later."), world.generations)
    world.report(caught(TotalsDiffer("The sums differ.")))
    assert world.bus.events[0].details["reason"] == "The sums differ."
    assert world.generation.failure is not None
    assert world.generation.failure["error"] == "TotalsDiffer"


def test_an_error_of_the_services_is_told_as_it_is(world: World) -> None:
    world.report({"Error": "States.Timeout", "Cause": ""})
    assert world.bus.events[0].details["error"] == "States.Timeout"
    assert world.bus.events[0].details["remedy"]


def test_an_exception_of_python_is_noted_too(world: World) -> None:
    note_failure(TASK, MemoryError(), world.generations)
    world.report(MAP_FAILED)
    assert world.bus.events[0].details["error"] == "MemoryError"


def children(*errors: tuple[str, str]) -> list[dict[str, Any]]:
    """Failed children as ResultWriter lists them; a killed one has no text of ours."""
    return [
        {
            "Name": f"child-{number}",
            "Input": json.dumps(TASK | {p.TASK: number}),
            "Status": "FAILED",
            "Error": error,
            "Cause": json.dumps({"errorType": error, "errorMessage": message}),
        }
        for number, (error, message) in enumerate(errors, 4)
    ]


def write_results(lake: FakeLake, run: str, failed: list[dict[str, Any]]) -> None:
    """The result files of a map run, of which one child succeeded."""
    folder = f"{maps_folder(ACCOUNT, PERIOD, OLD)}/{run}"
    written = {"FAILED": failed, "SUCCEEDED": [{"Name": "child-1"}]}
    for outcome, listed in written.items():
        lake.write_json(f"{folder}/{outcome}_0.json", listed)
    files = {outcome: [{"Key": f"{folder}/{outcome}_0.json"}] for outcome in written}
    lake.write_json(f"{folder}/manifest.json", {"ResultFiles": files})


def test_a_child_that_was_killed_is_told_from_the_result_files_of_the_newest_map(
    world: World,
) -> None:
    folder = maps_folder(ACCOUNT, PERIOD, OLD)
    killed = ("Runtime.ExitError", "Runtime exited with error: signal: killed")
    late = ("Sandbox.Timedout", "Task timed out after 900.00 seconds")
    write_results(world.lake, "bbbb", children(late))
    write_results(world.lake, "aaaa", children(killed, late))
    world.lake.modified[f"{folder}/aaaa/manifest.json"] = NOW + timedelta(seconds=1)
    state = world.report(MAP_FAILED)
    details = world.bus.events[0].details
    assert details["error"] == "Runtime.ExitError"
    assert details["reason"] == (
        "Conversion task 4 was ended before it could say why "
        "(Runtime.ExitError: Runtime exited with error: signal: killed)."
    )
    assert details["remedy"] == OUR_FAULT
    assert state[p.FAILURE]["Error"] == "Runtime.ExitError"
    assert world.generation.failure is not None
    assert world.generation.failure["summary"] == details["reason"]


def test_a_child_that_could_not_note_its_own_error_is_told_with_it(world: World) -> None:
    said = (type(BAD_COST).__name__, str(BAD_COST))
    write_results(world.lake, "aaaa", children(said))
    world.report(MAP_FAILED)
    details = world.bus.events[0].details
    assert (details["reason"], details["line"]) == ("A cost is not a number.", 7)


def test_what_a_child_noted_is_told_before_what_step_functions_wrote_of_it(world: World) -> None:
    write_results(world.lake, "aaaa", children(("Lambda.Unknown", "")))
    note_failure(TASK, BAD_COST, world.generations)
    world.report(MAP_FAILED)
    assert world.bus.events[0].details["error"] == "DeliveryError"


def test_a_map_without_result_files_is_told_as_step_functions_does(world: World) -> None:
    world.report(MAP_FAILED)
    assert world.bus.events[0].details["reason"] == "1 of 4 items failed."


def test_before_plan_has_answered_the_manifest_names_the_generation(world: World) -> None:
    planned = a_generation(OLD)
    request = {
        p.ACCOUNT_ID: ACCOUNT,
        p.MANIFEST_BUCKET: planned.manifest_bucket,
        p.MANIFEST_KEY: planned.manifest_key,
        p.FAILURE: caught(DeliveryError("report-2.csv.gz is missing.", file="report-2.csv.gz")),
    }
    registry = FakeAccounts(an_account(state=AccountState.ACTIVE))
    report_failure(request, registry, world.generations, world.lake, world.bus)
    assert world.bus.events[0].details["generation"] == OLD
    assert world.generation.state is GenerationState.FAILED


def test_a_failure_before_any_generation_is_still_told(world: World) -> None:
    request = {
        p.ACCOUNT_ID: ACCOUNT,
        p.MANIFEST_BUCKET: "a-bucket",
        p.MANIFEST_KEY: "unknown",
        p.FAILURE: caught(DeliveryError("The manifest is not there.")),
    }
    registry = FakeAccounts(an_account(state=AccountState.ACTIVE))
    report_failure(request, registry, world.generations, world.lake, world.bus)
    assert world.bus.events[0].details["period"] is None


def test_a_published_generation_stays_published_when_a_later_step_fails(world: World) -> None:
    world.generations.record_checked(ACCOUNT, PERIOD, OLD, TOTALS)
    world.generations.record_outcome(ACCOUNT, PERIOD, OLD, GenerationState.PUBLISHED)
    world.generations.advance(a_published(OLD), None)
    world.report(caught(Defect("Reconciling failed.")))
    assert world.generation.state is GenerationState.PUBLISHED
    [event] = world.bus.events
    assert event.detail_type == "IngestUnfinished"
    assert "is published as 2026-10" in event.summary
    assert "Reconciling failed." in event.summary


def test_a_failed_delivery_beside_a_published_one_was_not_taken_in(world: World) -> None:
    world.generations.advance(a_published(NEW), None)
    world.report(caught(Defect("Checking failed.")))
    assert world.bus.kinds == ["IngestFailed"]


def test_a_repeat_is_the_same_event_and_another_failure_another(world: World) -> None:
    for error in (BAD_COST, BAD_COST, DeliveryError("A file is missing.")):
        world.report(caught(error))
    first, repeat, other = (event.event_id for event in world.bus.events)
    assert first == repeat
    assert first != other


def test_a_value_that_is_a_whole_line_is_cut(world: World) -> None:
    world.report(caught(DeliveryError("A row is ragged.", value="x" * 5000)))
    assert len(world.bus.events[0].details["value"]) == 200
