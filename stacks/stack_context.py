"""What every stack with functions is on, passed along as one thing."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cloudspend import settings as names
from cloudspend.settings import Settings
from stacks.alerts_stack import AlertsStack
from stacks.constructs.access import Access
from stacks.constructs.dead_letters import DeadLetters
from stacks.constructs.functions import PythonTask, PythonTasks
from stacks.constructs.machine import Machine
from stacks.lake_stack import LakeStack
from stacks.stage import Stage


@dataclass(frozen=True)
class StackContext:
    """The stage, the platform's settings, where its data are, and where its failures are
    reported.
    """

    stage: Stage
    settings: Settings
    lake: LakeStack
    alerts: AlertsStack

    @property
    def access(self) -> Access:
        return self.lake.access

    def tasks(self, scope: Construct) -> PythonTasks:
        """The functions of the stack `scope`."""
        return PythonTasks(scope, "Tasks", stage=self.stage, settings=self.settings)

    def dead_letters(self, scope: Construct, room: str) -> DeadLetters:
        """Where the stack `scope` puts what it could not handle."""
        name = names.dead_letters(room)
        return DeadLetters(scope, "DeadLetters", name=name, alarms=self.alerts.alarms)

    def lake_bucket(self, scope: Construct) -> s3.IBucket:
        """The lake by its name: what a machine reads there makes no stack wait for another."""
        return s3.Bucket.from_bucket_name(scope, "LakeBucket", self.settings.lake_bucket)

    def machine(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        definition: sfn.IChainable,
        timeout: Duration,
        calls: Sequence[PythonTask],
    ) -> Machine:
        """A state machine of the stack `scope`, with its logs and its alarm."""
        return Machine(
            scope,
            construct_id,
            name=name,
            definition=definition,
            timeout=timeout,
            calls=calls,
            stage=self.stage,
            alarms=self.alerts.alarms,
        )
