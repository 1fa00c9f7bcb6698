"""Executions of a state machine in Step Functions (moto); the fake passes the same tests."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from cloudspend.aws.executions import StepFunctionsExecutions, start_execution
from cloudspend.lake.ports import Executions
from tests.fakes.lake import FakeExecutions


@pytest.fixture(params=["fake", "states"])
def executions(request: pytest.FixtureRequest) -> Iterator[Executions]:
    if request.param == "fake":
        yield FakeExecutions()
        return
    with mock_aws():
        states = boto3.client("stepfunctions")
        machine = states.create_state_machine(
            name="cloudspend-ingest",
            definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
            roleArn="arn:aws:iam::000000000000:role/states",
        )
        yield StepFunctionsExecutions(states, machine["stateMachineArn"])


def test_a_name_is_started_once(executions: Executions) -> None:
    assert executions.status("one") is None
    assert executions.start("one", {"account_id": "111111111111"})
    assert not executions.start("one", {"account_id": "111111111111"})
    assert not executions.start("one", {"account_id": "222222222222"})
    assert executions.status("one") == "RUNNING"
    assert executions.start("two", {})


@mock_aws
def test_the_output_of_an_execution_is_read() -> None:
    states = boto3.client("stepfunctions")
    machine = states.create_state_machine(
        name="cloudspend-sweep",
        definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
        roleArn="arn:aws:iam::000000000000:role/states",
    )
    stub = Stubber(states)
    arn = machine["stateMachineArn"].replace(":stateMachine:", ":execution:")
    stub.add_response(
        "describe_execution",
        {
            "executionArn": f"{arn}:one",
            "stateMachineArn": machine["stateMachineArn"],
            "status": "SUCCEEDED",
            "startDate": datetime(2026, 11, 23, tzinfo=UTC),
            "output": '{"counts": {"accounts": 3}}',
        },
        {"executionArn": f"{arn}:one"},
    )
    with stub:
        output = StepFunctionsExecutions(states, machine["stateMachineArn"]).output("one")
    assert output == {"counts": {"accounts": 3}}


def test_an_execution_without_a_name_is_always_started() -> None:
    with mock_aws():
        states = boto3.client("stepfunctions")
        machine = states.create_state_machine(
            name="cloudspend-sweep",
            definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
            roleArn="arn:aws:iam::000000000000:role/states",
        )["stateMachineArn"]
        assert [start_execution(states, machine, "{}") for _ in range(2)] == [True, True]
        assert len(states.list_executions(stateMachineArn=machine)["executions"]) == 2
