"""State machines: one construct with logs, traces and an alarm, and the steps that fill them."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from cloudspend import errors, payloads
from stacks.constructs.access import arn
from stacks.constructs.functions import PythonTask, retention
from stacks.constructs.review import TRACING, allow
from stacks.stage import Stage

# Step Functions developer guide, "Handling Lambda service exceptions".
LAMBDA_FAULTS = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)
CHILDREN = "The children of its own Distributed Map are executions with random names."
_LOG_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
_TRACE = (
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)


class Steps:
    """Makes the steps of one state machine: each retries what passes by itself, and leads every
    other error to `on_failure`."""

    def __init__(self, scope: Construct, stage: Stage, on_failure: sfn.IChainable | None) -> None:
        self._scope = scope
        self._stage = stage
        self._on_failure = on_failure

    def call(
        self,
        name: str,
        task: PythonTask,
        *,
        result_path: str | None = None,
        caught: bool = True,
    ) -> tasks.LambdaInvoke:
        """Call a function with the state as its input, and with the execution that calls, which the
        function's sessions and log bear; its answer replaces the state."""
        step = tasks.LambdaInvoke(
            self._scope,
            name,
            lambda_function=task,
            payload=sfn.TaskInput.from_object(
                {
                    payloads.EXECUTION: sfn.JsonPath.string_at("$$.Execution.Id"),
                    payloads.STATE: sfn.JsonPath.object_at("$"),
                }
            ),
            payload_response_only=True,
            retry_on_service_exceptions=False,
            result_path=result_path,
        )
        self.retry(step, errors.names(errors.TransientError), LAMBDA_FAULTS)
        if caught:
            self.catch(step)
        return step

    def direct(self, name: str, state: Mapping[str, Any]) -> sfn.CustomState:
        """A step that Step Functions takes by itself, without a function."""
        step = sfn.CustomState(self._scope, name, state_json=state)
        self.retry(step, ["States.TaskFailed"])
        self.catch(step)
        return step

    def retry(self, step: Any, *names: Sequence[str]) -> None:
        """Try `step` again for errors of `names`, ever slower and never in step with others."""
        step.add_retry(
            errors=[name for group in names for name in group],
            interval=Duration.seconds(self._stage.retry_seconds),
            max_delay=Duration.seconds(self._stage.retry_max_seconds),
            max_attempts=self._stage.retry_attempts,
            backoff_rate=2,
            jitter_strategy=sfn.JitterType.FULL,
        )

    def catch(self, step: Any) -> None:
        """Lead every error of `step` that is not retried (any more) to the failure's report."""
        if self._on_failure:
            step.add_catch(
                self._on_failure, errors=["States.ALL"], result_path=f"$.{payloads.FAILURE}"
            )


class ReportedFailure:
    """Where a failed execution ends: `report` notifies people, then the execution fails.

    If even the report fails, the execution still does, and its alarm rings.
    """

    def __init__(self, scope: Construct, stage: Stage, report: PythonTask) -> None:
        failed = sfn.Fail(
            scope,
            "Failed",
            error_path=f"$.{payloads.FAILURE}.Error",
            cause_path=f"$.{payloads.FAILURE}.Cause",
        )
        self.start = Steps(scope, stage, failed).call("ReportFailure", report)
        self.start.next(failed)


class Machine(Construct):
    """A state machine with exactly the permissions it is given, which logs everything, traces, and
    raises an alarm when an execution fails."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        definition: sfn.IChainable,
        timeout: Duration,
        calls: Sequence[PythonTask],
        stage: Stage,
        alarms: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        allow(
            self.role,
            ["lambda:InvokeFunction"],
            [task.function_arn for task in calls],
        )
        allow(self.role, _TRACE, ["*"], because=TRACING)
        allow(
            self.role,
            _LOG_DELIVERY,
            ["*"],
            because="The delivery of logs is set up for the account, not for a log group (Step "
            "Functions developer guide, IAM policies for logging).",
        )
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=name,
            definition_body=sfn.DefinitionBody.from_chainable(definition),
            role=self.role.without_policy_updates(),
            timeout=timeout,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=self._log_group(name, stage),
                level=sfn.LogLevel.ALL,
                include_execution_data=True,
            ),
        )
        self.machine.node.add_dependency(self.role)
        self._alarm(name, alarms)

    def allow_maps(self, name: str) -> None:
        """Allow the machine called `name` to run its own Distributed Maps."""
        # CDK's own policy for this is attached to no one, since the role takes no updates.
        self.machine.node.try_remove_child("DistributedMapPolicy")
        allow(self.role, ["states:StartExecution"], [arn("states", f"stateMachine:{name}")])
        allow(
            self.role,
            ["states:DescribeExecution", "states:StopExecution"],
            [arn("states", f"execution:{name}:*"), arn("states", f"execution:{name}/*")],
            because=CHILDREN,
        )

    def _log_group(self, name: str, stage: Stage) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            "Logs",
            # This prefix keeps the policy that lets Step Functions write below its size limit.
            log_group_name=f"/aws/vendedlogs/states/{name}",
            retention=retention(stage),
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _alarm(self, name: str, topic: sns.ITopic) -> None:
        """One alarm for executions that fail and one for those that run out of time; an execution
        that a person stopped is that person's business."""
        period = Duration.minutes(5)
        for outcome, metric in (
            ("failed", self.machine.metric_failed(statistic="Sum", period=period)),
            ("timed-out", self.machine.metric_timed_out(statistic="Sum", period=period)),
        ):
            alarm = cloudwatch.Alarm(
                self,
                f"Executions-{outcome}",
                alarm_name=f"{name}-{outcome}",
                alarm_description=f"Executions of {name} {outcome.replace('-', ' ')}: look why.",
                metric=metric,
                threshold=1,
                evaluation_periods=1,
                comparison_operator=(
                    cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
                ),
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
            alarm.add_alarm_action(actions.SnsAction(topic))
