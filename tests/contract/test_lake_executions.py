"""Executions of Ingest in Step Functions (moto) and the fake, held to the same promises."""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from cloudspend.lake.aws import StepFunctionsExecutions
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
