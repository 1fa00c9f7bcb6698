"""Ingest: from a manifest to a published, reconciled billing period (see `cloudspend.payloads`)."""

from dataclasses import dataclass

from aws_cdk import Aws
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cloudspend import errors, payloads
from cloudspend import settings as names
from cloudspend.ingest.plan import MAPS, RUNS
from stacks.constructs.functions import PythonTask
from stacks.constructs.machine import ReportedFailure, Steps
from stacks.stage import Stage


@dataclass(frozen=True)
class IngestTasks:
    """The functions of Ingest, one for each step."""

    plan: PythonTask
    convert: PythonTask
    check: PythonTask
    publish: PythonTask
    reconcile: PythonTask
    unavailable: PythonTask
    report: PythonTask

    @property
    def all(self) -> list[PythonTask]:
        return [
            self.plan,
            self.convert,
            self.check,
            self.publish,
            self.reconcile,
            self.unavailable,
            self.report,
        ]


def ingest_flow(
    scope: Construct, stage: Stage, tasks: IngestTasks, lake: s3.IBucket
) -> sfn.IChainable:
    """The states of Ingest, in order."""
    failure = ReportedFailure(scope, stage, tasks.report).start
    steps = Steps(scope, stage, failure)
    reconcile = _reconcile(scope, steps, tasks, failure)
    published = (
        sfn.Choice(scope, "Published?")
        .when(sfn.Condition.boolean_equals(_at(payloads.PUBLISHED), True), reconcile)
        .otherwise(sfn.Succeed(scope, "Superseded", comment="A newer delivery is published"))
    )
    ingest = (
        _convert(scope, steps, stage, tasks.convert, lake)
        .next(steps.call("Check", tasks.check))
        .next(steps.direct("SumInAthena", _SUM))
        .next(steps.direct("ReadSums", _READ_SUMS))
        .next(steps.call("Publish", tasks.publish))
        .next(published)
    )
    wanted = (
        sfn.Choice(scope, "Ingest?")
        .when(sfn.Condition.string_equals(_at(payloads.DECISION), payloads.INGEST), ingest)
        .otherwise(sfn.Succeed(scope, "Skipped", comment="The plan's reason says why"))
    )
    return steps.call("Plan", tasks.plan).next(wanted)


def _convert(
    scope: Construct, steps: Steps, stage: Stage, task: PythonTask, lake: s3.IBucket
) -> sfn.Chain:
    """One child a task of the plan. The first child that fails stops all."""
    folder = f"{RUNS}/account_id={{}}/billing_period={{}}/generation={{}}/{MAPS}"
    parts = (payloads.ACCOUNT_ID, payloads.PERIOD, payloads.GENERATION)
    convert = sfn.DistributedMap(
        scope,
        "Convert",
        label="Convert",
        item_reader=sfn.S3JsonItemReader(
            bucket=lake, key=sfn.JsonPath.string_at(_at(payloads.PLAN_KEY))
        ),
        result_writer_v2=sfn.ResultWriterV2(
            bucket=lake, prefix=sfn.JsonPath.format(folder, *map(_value, parts))
        ),
        result_path=_at(payloads.MAP_RUN),
        max_concurrency=stage.map_concurrency,
        tolerated_failure_percentage=0,
    )
    convert.item_processor(steps.call("ConvertFile", task, caught=False))
    steps.catch(convert)
    return sfn.Chain.start(convert)


def _reconcile(
    scope: Construct, steps: Steps, tasks: IngestTasks, failure: sfn.IChainable
) -> sfn.Chain:
    """A period that cannot be compared stays published and provisional; only a defect of ours
    fails the execution."""
    reconcile = steps.call("Reconcile", tasks.reconcile, caught=False)
    unavailable = steps.call("ReconciliationUnavailable", tasks.unavailable)
    done = sfn.Succeed(scope, "Done")
    caught_at = _at(payloads.FAILURE)
    reconcile.add_catch(failure, errors=errors.names(errors.Defect), result_path=caught_at)
    reconcile.add_catch(unavailable, errors=["States.ALL"], result_path=caught_at)
    unavailable.next(done)
    return reconcile.next(done)


def _at(key: str) -> str:
    return f"$.{key}"


def _value(key: str) -> str:
    return sfn.JsonPath.string_at(_at(key))


_SUM = {
    "Type": "Task",
    "Resource": f"arn:{Aws.PARTITION}:states:::athena:startQueryExecution.sync",
    "Parameters": {
        "QueryString.$": _at(payloads.QUERY),
        "QueryExecutionContext": {"Database": names.DATABASE},
        "WorkGroup": names.WORKGROUP,
    },
    "ResultSelector": {"query_execution_id.$": "$.QueryExecution.QueryExecutionId"},
    "ResultPath": _at(payloads.ATHENA),
}


def _columns(*names: str, first: int = 0) -> dict[str, str]:
    """Names for the columns of the query's only row, from the column `first` on."""
    return {
        f"{name}.$": f"$.ResultSet.Rows[1].Data[{column}].VarCharValue"
        for column, name in enumerate(names, first)
    }


# The first row of a result holds the columns' names (Athena API reference, GetQueryResults).
_READ_SUMS = {
    "Type": "Task",
    "Resource": f"arn:{Aws.PARTITION}:states:::athena:getQueryResults",
    "Parameters": {"QueryExecutionId.$": f"{_at(payloads.ATHENA)}.query_execution_id"},
    "ResultSelector": {
        **_columns(
            payloads.ROWS, payloads.BILLED_COST, payloads.EFFECTIVE_COST, payloads.LIST_COST
        ),
        payloads.DETAIL: _columns(payloads.ROWS, payloads.UNBLENDED_COST, first=4),
    },
    "ResultPath": _at(payloads.SUMS),
}
