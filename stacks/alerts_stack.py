"""What happened, and who hears of it: the bus, a rule and a topic for each severity."""

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct

from cloudspend import settings as names
from cloudspend.alerts.event import Severity
from cloudspend.settings import Settings
from stacks.constructs.review import allow
from stacks.constructs.task import PythonTask, Workshop
from stacks.lake_stack import LakeStack
from stacks.stage import Stage


class AlertsStack(Stack):
    """`topics` by severity; whoever wants alerts subscribes to them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        settings: Settings,
        lake: LakeStack,
    ) -> None:
        super().__init__(scope, construct_id, description="CloudSpend: events and alerts")
        self.bus = events.EventBus(
            self,
            "Bus",
            event_bus_name=names.EVENT_BUS,
            description="Every outcome of CloudSpend's pipeline",
        )
        self.topics = {severity: self._topic(severity, lake) for severity in Severity}
        self._notify(stage, settings, lake)

    def _topic(self, severity: Severity, lake: LakeStack) -> sns.Topic:
        return sns.Topic(
            self,
            f"{severity.capitalize()}Alerts",
            topic_name=f"{names.ALERT_TOPIC}-{severity}",
            display_name=f"CloudSpend {severity}",
            master_key=lake.key,
            enforce_ssl=True,
        )

    def _notify(self, stage: Stage, settings: Settings, lake: LakeStack) -> None:
        workshop = Workshop(self, stage=stage, settings=settings)
        notify = PythonTask(
            workshop,
            "notify",
            description="turns events into messages for people",
            dead_letters=True,
        )
        topics = [topic.topic_arn for topic in self.topics.values()]
        allow(notify.task_role, ["sns:Publish"], topics)
        lake.access.key(notify.task_role)
        for severity in Severity:
            events.Rule(
                self,
                f"{severity.capitalize()}Events",
                event_bus=self.bus,
                description=f"Events of severity {severity} become messages",
                event_pattern=events.EventPattern(
                    source=[names.EVENT_SOURCE], detail={"severity": [str(severity)]}
                ),
                targets=[targets.LambdaFunction(notify, dead_letter_queue=workshop.failed)],
            )
