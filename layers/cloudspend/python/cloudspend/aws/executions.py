"""Executions of a Step Functions state machine."""

import json
from collections.abc import Mapping
from typing import Any

from cloudspend.aws.errors import aws_errors


class StepFunctionsExecutions:
    """`Executions` of one state machine on a boto3 Step Functions client."""

    def __init__(self, states: Any, machine_arn: str) -> None:
        self._states = states
        self._machine_arn = machine_arn

    def start(self, name: str, payload: Mapping[str, Any]) -> bool:
        # Starting a running execution again succeeds (AWS Step Functions API reference,
        # StartExecution), so check first.
        if self.status(name) is not None:
            return False
        try:
            with aws_errors("Step Functions"):
                self._states.start_execution(
                    stateMachineArn=self._machine_arn, name=name, input=json.dumps(payload)
                )
        except self._states.exceptions.ExecutionAlreadyExists:
            return False
        return True

    def status(self, name: str) -> str | None:
        arn = self._arn(name)
        try:
            with aws_errors("Step Functions"):
                return str(self._states.describe_execution(executionArn=arn)["status"])
        except self._states.exceptions.ExecutionDoesNotExist:
            return None

    def output(self, name: str) -> dict[str, Any]:
        """Return the output of the succeeded execution `name`."""
        with aws_errors("Step Functions"):
            answer = self._states.describe_execution(executionArn=self._arn(name))
        found: dict[str, Any] = json.loads(answer["output"])
        return found

    def _arn(self, name: str) -> str:
        return self._machine_arn.replace(":stateMachine:", ":execution:", 1) + f":{name}"
