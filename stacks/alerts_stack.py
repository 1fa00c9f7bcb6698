"""From outcomes to people: the bus, the rules by severity, the topics."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from cloudspend import settings as names
from cloudspend.alerts.event import Severity
from cloudspend.alerts.subscription import SUBSCRIPTIONS
from cloudspend.findings.tables import FINDINGS
from cloudspend.settings import Settings
from stacks.constructs.access import WRITE, arn
from stacks.constructs.dead_letters import DeadLetters
from stacks.constructs.functions import PythonTasks
from stacks.constructs.review import accept, allow
from stacks.lake_stack import LakeStack
from stacks.stage import Stage


class AlertsStack(Stack):
    """`topics` by severity; `alarms` is where what went wrong with CloudSpend itself is
    reported.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        settings: Settings,
        lake: LakeStack,
    ) -> None:
        super().__init__(scope, construct_id, description="CloudSpend: event bus, rules, topics")
        self.topics = {severity: self._topic(severity, lake) for severity in Severity}
        # Every alert as JSON, for filter policies on its body.
        self.machines = self._bodies(
            "EventsAsJson", names.EVENT_TOPIC, "CloudSpend events as JSON", lake
        )
        # What Amazon Q Developer in chat applications shows; it subscribes by itself.
        self._bodies("Chat", names.CHAT_TOPIC, "CloudSpend in Slack and Teams", lake)
        self.alarms = self.topics[Severity.CRITICAL]
        self.dead_letters = DeadLetters(
            self, "DeadLetters", name=names.dead_letters("alerts"), alarms=self.alarms
        )
        self._subscribers()
        tasks = PythonTasks(self, "Tasks", stage=stage, settings=settings)
        self.notify = tasks.task(
            "alerts_notify",
            "Turns an event of CloudSpend into an alert that a person can act on",
            dead_letters=self.dead_letters,
        )
        allow(
            self.notify.task_role,
            ["sns:Publish"],
            [arn("sns", f"{names.ALERT_TOPIC}-{severity}") for severity in Severity]
            + [arn("sns", topic) for topic in (names.EVENT_TOPIC, names.CHAT_TOPIC)],
        )
        # It hears of findings, and shows analysts what it received.
        lake.access.registry(self.notify.task_role, "GetItem", "PutItem", "Query")
        lake.access.objects(self.notify.task_role, WRITE, FINDINGS.data_folder)
        lake.access.partitions(self.notify.task_role, FINDINGS)
        self.bus = events.EventBus(self, "Bus", event_bus_name=names.EVENT_BUS)
        for severity in Severity:
            self._rule(severity)

    def _topic(self, severity: Severity, lake: LakeStack) -> sns.Topic:
        topic = sns.Topic(
            self,
            f"{severity.capitalize()}Alerts",
            topic_name=f"{names.ALERT_TOPIC}-{severity}",
            display_name=f"CloudSpend {severity}",
            master_key=lake.key,
            enforce_ssl=True,
        )
        if severity is Severity.CRITICAL:
            # Alarms publish as the service, which needs the topic's own consent.
            topic.add_to_resource_policy(_alarms_of(self.account, topic))
        return topic

    def _bodies(self, construct_id: str, name: str, display: str, lake: LakeStack) -> sns.Topic:
        """A topic of messages that machines read."""
        return sns.Topic(
            self,
            construct_id,
            topic_name=name,
            display_name=display,
            master_key=lake.key,
            enforce_ssl=True,
        )

    def _subscribers(self) -> None:
        """Where SNS puts what a subscriber did not take; subscriptions are made by command."""
        queue = DeadLetters(
            self,
            "SubscriptionDeadLetters",
            name=names.dead_letters(SUBSCRIPTIONS),
            alarms=self.alarms,
        )
        accept(queue, "A dead letter queue: subscriptions, made by command, send to it.", "SQS3")
        queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlertTopics",
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={
                    "ArnEquals": {
                        "aws:SourceArn": [
                            topic.topic_arn for topic in (*self.topics.values(), self.machines)
                        ]
                    }
                },
            )
        )

    def _rule(self, severity: Severity) -> None:
        events.Rule(
            self,
            f"{severity.capitalize()}Events",
            rule_name=f"{names.PREFIX}-{severity}",
            description=f"Events of severity {severity} go to the topic of that name",
            event_bus=self.bus,
            event_pattern=events.EventPattern(
                source=[names.EVENT_SOURCE], detail={"severity": [str(severity)]}
            ),
            targets=[
                targets.LambdaFunction(
                    self.notify,
                    dead_letter_queue=self.dead_letters,
                    max_event_age=Duration.hours(24),
                    retry_attempts=185,
                )
            ],
        )


def _alarms_of(account: str, topic: sns.Topic) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid="AlarmsOfThisAccount",
        principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
        actions=["sns:Publish"],
        resources=[topic.topic_arn],
        conditions={"StringEquals": {"aws:SourceAccount": account}},
    )
