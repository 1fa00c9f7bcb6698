"""Sweep: over all accounts, in batches, then the months that were never compared."""

from dataclasses import dataclass

from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cloudspend import payloads
from cloudspend.sweep.sweep_run import SWEEPS
from stacks.constructs.functions import PythonTask
from stacks.constructs.machine import Steps
from stacks.stage import Stage

# Each comparison asks a customer's Cost Explorer, which throttles by account and not by platform.
COMPARISONS_AT_ONCE = 5


@dataclass(frozen=True)
class SweepTasks:
    """The functions of Sweep. The last two are Ingest's."""

    accounts: PythonTask
    sweep: PythonTask
    report: PythonTask
    compared: PythonTask
    reconcile: PythonTask
    unavailable: PythonTask

    @property
    def all(self) -> list[PythonTask]:
        return [
            self.accounts,
            self.sweep,
            self.report,
            self.compared,
            self.reconcile,
            self.unavailable,
        ]


def sweep_flow(
    scope: Construct, stage: Stage, tasks: SweepTasks, lake: s3.IBucket
) -> sfn.IChainable:
    """The states of Sweep, in order. A step that fails fails the execution, whose alarm rings."""
    steps = Steps(scope, stage, None)
    whole = (
        sfn.Choice(scope, "Whole?")
        .when(
            sfn.Condition.boolean_equals(_at(payloads.WHOLE), True),
            sfn.Succeed(scope, "Swept"),
        )
        .otherwise(
            sfn.Fail(
                scope,
                "Incomplete",
                error="SweepIncomplete",
                cause="Accounts could not be swept: the event SweepCompleted names them, the log "
                "of cloudspend-sweep-accounts says why.",
            )
        )
    )
    compare = (
        sfn.Choice(scope, "Compare?")
        .when(
            sfn.Condition.number_greater_than(_at(payloads.COMPARISONS), 0),
            _compare(scope, steps, tasks, lake)
            .next(steps.call("ReportComparisons", tasks.compared))
            .next(whole),
        )
        .otherwise(whole)
    )
    named = sfn.Pass(
        scope, "Begin", parameters={payloads.SWEEP: sfn.JsonPath.string_at("$$.Execution.Name")}
    )
    return (
        named.next(steps.call("ListAccounts", tasks.accounts))
        .next(_sweep(scope, steps, stage, tasks.sweep, lake))
        .next(steps.call("Report", tasks.report))
        .next(compare)
    )


def _sweep(
    scope: Construct, steps: Steps, stage: Stage, task: PythonTask, lake: s3.IBucket
) -> sfn.DistributedMap:
    """One child a batch of accounts. A batch that fails keeps no other back: the report says so."""
    sweep = sfn.DistributedMap(
        scope,
        "SweepAccounts",
        label="SweepAccounts",
        item_reader=sfn.S3JsonItemReader(
            bucket=lake, key=sfn.JsonPath.string_at(_at(payloads.ACCOUNTS_KEY))
        ),
        item_batcher=sfn.ItemBatcher(max_items_per_batch=stage.sweep_batch),
        result_writer_v2=sfn.ResultWriterV2(
            bucket=lake,
            prefix=sfn.JsonPath.format(
                f"{SWEEPS}/{{}}/map", sfn.JsonPath.string_at(_at(payloads.SWEEP))
            ),
        ),
        result_path=_at(payloads.MAP_RUN),
        max_concurrency=stage.sweep_concurrency,
        tolerated_failure_percentage=100,
    )
    sweep.item_processor(steps.call("SweepBatch", task))
    return sweep


def _compare(
    scope: Construct, steps: Steps, tasks: SweepTasks, lake: s3.IBucket
) -> sfn.DistributedMap:
    """One child a closed month that was never compared. One that cannot be compared is reported as
    Ingest shows it, and keeps no other back; where that is our fault, the child fails."""
    compare = sfn.DistributedMap(
        scope,
        "CompareMonths",
        label="CompareMonths",
        item_reader=sfn.S3JsonItemReader(
            bucket=lake, key=sfn.JsonPath.string_at(_at(payloads.COMPARE_KEY))
        ),
        result_writer_v2=sfn.ResultWriterV2(
            bucket=lake,
            prefix=sfn.JsonPath.format(
                f"{SWEEPS}/{{}}/compared", sfn.JsonPath.string_at(_at(payloads.SWEEP))
            ),
        ),
        result_path=_at(payloads.MAP_RUN),
        max_concurrency=COMPARISONS_AT_ONCE,
        tolerated_failure_percentage=100,
    )
    reconcile = steps.call("CompareMonth", tasks.reconcile)
    unavailable = steps.call("MonthNotCompared", tasks.unavailable)
    reconcile.add_catch(unavailable, errors=["States.ALL"], result_path=_at(payloads.FAILURE))
    compare.item_processor(reconcile)
    return compare


def _at(key: str) -> str:
    return f"$.{key}"
