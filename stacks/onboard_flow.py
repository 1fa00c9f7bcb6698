"""Onboard: from a stack that phoned home to an active account whose history is being taken in."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cloudspend import errors, payloads
from cloudspend.ingest.backfill import DONE
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
    backfill = steps.call("Backfill", tasks.backfill)
    return (
        verify.next(check)
        .next(backfill)
        .next(_until_done(scope, stage, backfill, steps.call("Activate", tasks.activate)))
    )


def _until_done(
    scope: Construct, stage: Stage, backfill: sfn.TaskStateBase, activate: sfn.TaskStateBase
) -> sfn.Choice:
    """Months of bills take hours: each turn starts a few and the machine waits in between. In a day
    that is far from the 25,000 events that an execution may have."""
    pause = sfn.Wait(
        scope,
        "LetSomeEnd",
        time=sfn.WaitTime.duration(Duration.seconds(stage.backfill_look_seconds)),
    )
    done = sfn.Condition.boolean_equals(f"$.{payloads.BACKFILL}.{DONE}", True)
    return (
        sfn.Choice(scope, "AllEnded?")
        .when(done, activate.next(sfn.Succeed(scope, "Onboarded")))
        .otherwise(pause.next(backfill))
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
