"""Executions of Step Functions state machines."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloudspend.aws.errors import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

SERVICE = "Step Functions"


def start_execution(states: "SFNClient", machine_arn: str, text: str, name: str = "") -> bool:
    """Start an execution with the input `text` (JSON).

    Return False when the machine has, or had in the last 90 days, an execution of this name with
    another input or that has ended. A running one with the same input is left alone, and the
    answer is True (AWS Step Functions API reference, StartExecution). AWS chooses the name when it
    is empty.
    """
    named = {"name": name} if name else {}
    try:
        with aws_errors(SERVICE):
            states.start_execution(stateMachineArn=machine_arn, input=text, **named)
    except states.exceptions.ExecutionAlreadyExists:
        return False
    return True


class StepFunctionsExecutions:
    """`Executions` of one state machine on a boto3 Step Functions client."""

    def __init__(self, states: "SFNClient", machine_arn: str) -> None:
        self._states = states
        self._machine_arn = machine_arn

    def start(self, name: str, payload: Mapping[str, Any]) -> bool:
        # Starting a running execution again succeeds, so check first.
        if self.status(name) is not None:
            return False
        return start_execution(self._states, self._machine_arn, json.dumps(payload), name)

    def status(self, name: str) -> str | None:
        try:
            return str(self._describe(name)["status"])
        except self._states.exceptions.ExecutionDoesNotExist:
            return None

    def output(self, name: str) -> dict[str, Any]:
        """Return the output of the succeeded execution `name`."""
        output: dict[str, Any] = json.loads(self._describe(name)["output"])
        return output

    def _describe(self, name: str) -> Mapping[str, Any]:
        machine = self._machine_arn.replace(":stateMachine:", ":execution:", 1)
        with aws_errors(SERVICE):
            answer: Mapping[str, Any] = self._states.describe_execution(
                executionArn=f"{machine}:{name}"
            )
        return answer
