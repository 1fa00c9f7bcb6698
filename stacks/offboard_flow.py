"""Offboard: from a confirmed wish to the proof that nothing is left."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cloudspend import payloads
from stacks.constructs.functions import PythonTask
from stacks.constructs.machine import Steps
from stacks.stage import Stage


@dataclass(frozen=True)
class OffboardTasks:
    """The functions of Offboard, one for each step."""

    stop: PythonTask
    clear: PythonTask
    prove: PythonTask

    @property
    def all(self) -> list[PythonTask]:
        return [self.stop, self.clear, self.prove]


def offboard_flow(scope: Construct, stage: Stage, tasks: OffboardTasks) -> sfn.IChainable:
    """The states of Offboard, in order. A step that fails fails the execution, whose alarm rings;
    the same command begins it again."""
    steps = Steps(scope, stage, None)
    # A function that was at work when its execution was stopped works on until its time is up.
    settle = sfn.Wait(
        scope,
        "LetTheLastEnd",
        time=sfn.WaitTime.duration(Duration.seconds(stage.offboard_settle_seconds)),
    )
    clear = steps.call("Clear", tasks.clear)
    prove = steps.call("Prove", tasks.prove)
    done = sfn.Condition.boolean_equals(f"$.{payloads.DONE}", True)
    proved = (
        sfn.Choice(scope, "NothingLeft?")
        .when(done, sfn.Succeed(scope, "Offboarded"))
        .otherwise(settle)
    )
    cleared = sfn.Choice(scope, "Cleared?").when(done, prove.next(proved)).otherwise(clear)
    return steps.call("Stop", tasks.stop).next(settle).next(clear).next(cleared)
