"""Compare: a published period with Cost Explorer again, outside of an ingestion."""

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cloudspend import payloads
from stacks.constructs.functions import PythonTask
from stacks.constructs.machine import Steps
from stacks.stage import Stage


def compare_flow(
    scope: Construct, stage: Stage, reconcile: PythonTask, unavailable: PythonTask
) -> sfn.IChainable:
    """The states of Compare. What cannot be compared is reported as Ingest shows it, and fails the
    execution where that is our fault."""
    steps = Steps(scope, stage, None)
    compare = steps.call("ComparePeriod", reconcile)
    not_compared = steps.call("PeriodNotCompared", unavailable)
    compare.add_catch(not_compared, errors=["States.ALL"], result_path=f"$.{payloads.FAILURE}")
    return compare
