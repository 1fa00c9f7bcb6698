"""A state machine that is started by the clock."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from stacks.constructs.dead_letters import DeadLetters
from stacks.constructs.machine import Machine
from stacks.constructs.review import accept, allow

# A late round is as good as a punctual one, and spreads over other accounts' whole hours.
SPREAD_MINUTES = 15


class Schedule(Construct):
    """Starts `machine`, named `name`, by `expression` (UTC), up to `spread_minutes` late.

    A start that fails for an hour lies in `dead_letters`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        expression: str,
        machine: Machine,
        dead_letters: DeadLetters,
        spread_minutes: int = SPREAD_MINUTES,
    ) -> None:
        super().__init__(scope, construct_id)
        accept(
            dead_letters,
            "It is the dead-letter queue of the schedule, and the rule does not know schedules.",
            "SQS3",
        )
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            ),
        )
        allow(role, ["states:StartExecution"], [machine.machine.state_machine_arn])
        allow(role, ["sqs:SendMessage"], [dead_letters.queue_arn])
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            name=name,
            description=description,
            schedule_expression=expression,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(
                mode="FLEXIBLE", maximum_window_in_minutes=spread_minutes
            ),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=machine.machine.state_machine_arn,
                input="{}",
                role_arn=role.role_arn,
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=dead_letters.queue_arn
                ),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
                ),
            ),
        )
        schedule.node.add_dependency(role)
