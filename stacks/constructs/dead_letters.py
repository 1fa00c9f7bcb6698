"""Where an event goes that no one could handle."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct


class DeadLetters(sqs.Queue):
    """A queue that keeps what failed for 14 days, with an alarm as soon as something lies there."""

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, alarms: sns.ITopic
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            queue_name=name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        alarm = cloudwatch.Alarm(
            self,
            "Waiting",
            alarm_name=f"{name}-waiting",
            alarm_description=f"An event could not be handled and waits in {name}: look at it.",
            metric=self.metric_approximate_number_of_messages_visible(statistic="Maximum"),
            threshold=1,
            evaluation_periods=1,
            comparison_operator=(cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD),
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(alarms))
