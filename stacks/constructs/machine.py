"""A state machine as this platform wants it: logged, traced, with an alarm on failure."""

from collections.abc import Sequence

from aws_cdk import CfnElement, Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from cloudspend import payload as p
from cloudspend.errors import TransientError, names
from stacks.constructs.review import TRACING, accept
from stacks.stage import Stage

LONGEST = Duration.hours(24)

VERSIONS = "A state machine may invoke every version of its own functions; `:*` are the versions."
DELIVERY = "CloudWatch Logs' delivery actions have no resource: they can only be granted on *."


class StateMachine(sfn.StateMachine):
    """Runs `definition` under the fixed name `name`; a failed execution raises `alarm_topic`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        definition: sfn.IChainable,
        alarm_topic: sns.ITopic,
    ) -> None:
        log_group = logs.LogGroup(
            scope,
            f"{construct_id}Log",
            log_group_name=f"/aws/vendedlogs/states/{name}",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.task_role = iam.Role(
            scope,
            f"{construct_id}Role",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description=f"CloudSpend: runs {name}",
        )
        super().__init__(
            scope,
            construct_id,
            state_machine_name=name,
            role=self.task_role,
            definition_body=sfn.DefinitionBody.from_chainable(definition),
            timeout=LONGEST,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=False
            ),
        )
        accept(self.task_role, f"{TRACING} {DELIVERY}", "IAM5[Resource::*]")
        alarm = cloudwatch.Alarm(
            scope,
            f"{construct_id}Failed",
            metric=self.metric_failed(period=Duration.minutes(5)),
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"An execution of {name} failed; the alert IngestFailed or "
            "OnboardingFailed says why.",
        )
        alarm.add_alarm_action(actions.SnsAction(alarm_topic))


def step(
    scope: Construct, title: str, function: lambda_.IFunction, stage: Stage
) -> sfn.TaskStateBase:
    """Call `function` with the whole state; its answer is the new state. What passes by itself is
    tried again, with growing pauses and full jitter."""
    state = tasks.LambdaInvoke(scope, title, lambda_function=function, payload_response_only=True)
    retry_transient(state, stage)
    return state


def retry_transient(state: sfn.TaskStateBase | sfn.CustomState, stage: Stage) -> None:
    """Retry errors that pass by themselves, as the stage says."""
    state.add_retry(
        errors=names(TransientError),
        interval=Duration.seconds(stage.retry_seconds),
        max_delay=Duration.seconds(stage.retry_max_seconds),
        max_attempts=stage.retry_attempts,
        backoff_rate=2,
        jitter_strategy=sfn.JitterType.FULL,
    )


def catch_all(
    states: Sequence[sfn.TaskStateBase | sfn.CustomState | sfn.DistributedMap],
    report: sfn.IChainable,
) -> None:
    """Send every failure of `states` to `report`, with the error beside the state's input."""
    for state in states:
        state.add_catch(report, errors=["States.ALL"], result_path=f"$.{p.FAILURE}")


def accept_versions(role: iam.Role, *functions: lambda_.Function) -> None:
    """Accept that a state machine's role may invoke any version of `functions`."""
    for function in functions:
        resource = function.node.default_child
        if not isinstance(resource, CfnElement):
            raise TypeError(f"{function.node.path} is no function of this application.")
        logical_id = function.stack.get_logical_id(resource)
        accept(role, VERSIONS, f"IAM5[Resource::<{logical_id}.Arn>:*]")
