"""Onboard: from a stack that phoned home to an active account whose history is being taken in."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cloudspend import errors
from stacks.constructs.functions import PythonTask
from stacks.constructs.machine import ReportedFailure, Steps
from stacks.stage import Stage

SETTLE_ATTEMPTS = 2


@dataclass(frozen=True)
class OnboardTasks:
    """The functions of Onboard, one for each step."""

    verify: PythonTask
    check_permissions: PythonTask
    activate: PythonTask
    backfill: PythonTask
    report: PythonTask

    @property
    def all(self) -> list[PythonTask]:
        return [self.verify, self.check_permissions, self.activate, self.backfill, self.report]


def onboard_flow(scope: Construct, stage: Stage, tasks: OnboardTasks) -> sfn.IChainable:
    """The states of Onboard, in order."""
    steps = Steps(scope, stage, ReportedFailure(scope, stage, tasks.report).start)
    verify = steps.call("Verify", tasks.verify)
    check = steps.call("CheckPermissions", tasks.check_permissions)
    _settle(verify, stage, errors.ConnectionRefused)
    _settle(check, stage, errors.PermissionDenied)
    return (
        verify.next(check)
        .next(steps.call("Activate", tasks.activate))
        .next(steps.call("Backfill", tasks.backfill))
        .next(sfn.Succeed(scope, "Onboarded"))
    )


def _settle(step: sfn.TaskStateBase, stage: Stage, kind: type[errors.CloudSpendError]) -> None:
    """IAM shows a new role, and then its permissions, with a delay: what is refused at once may be
    granted a moment later."""
    step.add_retry(
        errors=errors.names(kind),
        interval=Duration.seconds(stage.role_settle_seconds),
        max_attempts=SETTLE_ATTEMPTS,
        backoff_rate=1,
    )
