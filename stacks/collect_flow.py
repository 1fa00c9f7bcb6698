"""Collect: over all accounts, and within each over its sources, one after the other."""

from dataclasses import dataclass

from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cloudspend import payloads
from cloudspend.collect.collect_run import COLLECTS
from stacks.constructs.functions import PythonTask
from stacks.constructs.machine import Steps
from stacks.stage import Stage

# Cost Explorer throttles by account, so that an account's sources do not compete with each other.
SOURCES_AT_ONCE = 1


@dataclass(frozen=True)
class CollectTasks:
    """The functions of Collect, one for each step."""

    accounts: PythonTask
    source: PythonTask
    failed: PythonTask
    report: PythonTask

    @property
    def all(self) -> list[PythonTask]:
        return [self.accounts, self.source, self.failed, self.report]


def collect_flow(
    scope: Construct, stage: Stage, tasks: CollectTasks, lake: s3.IBucket
) -> sfn.IChainable:
    """The states of Collect, in order. The input may name `accounts` and `sources`; without them
    every source of every active account is collected."""
    steps = Steps(scope, stage, None)
    whole = (
        sfn.Choice(scope, "Whole?")
        .when(
            sfn.Condition.boolean_equals(_at(payloads.WHOLE), True),
            sfn.Succeed(scope, "Collected"),
        )
        .otherwise(
            sfn.Fail(
                scope,
                "Incomplete",
                error="CollectIncomplete",
                cause="Sources could not be collected: the events SourceFailed name them, the log "
                "of cloudspend-collect-source says why.",
            )
        )
    )
    named = sfn.Pass(
        scope,
        "Begin",
        parameters={payloads.COLLECT: sfn.JsonPath.string_at("$$.Execution.Name")},
        result_path=_at(payloads.ROUND),
    )
    return (
        named.next(steps.call("ListAccounts", tasks.accounts))
        .next(_accounts(scope, steps, stage, tasks, lake))
        .next(steps.call("Report", tasks.report))
        .next(whole)
    )


def _accounts(
    scope: Construct, steps: Steps, stage: Stage, tasks: CollectTasks, lake: s3.IBucket
) -> sfn.DistributedMap:
    """One child an account. One that fails keeps no other back: the report says so."""
    accounts = sfn.DistributedMap(
        scope,
        "CollectAccounts",
        label="CollectAccounts",
        item_reader=sfn.S3JsonItemReader(
            bucket=lake, key=sfn.JsonPath.string_at(_at(payloads.ACCOUNTS_KEY))
        ),
        result_writer_v2=sfn.ResultWriterV2(
            bucket=lake,
            prefix=sfn.JsonPath.format(
                f"{COLLECTS}/{{}}/map", sfn.JsonPath.string_at(_at(payloads.COLLECT))
            ),
        ),
        result_path=_at(payloads.MAP_RUN),
        max_concurrency=stage.collect_concurrency,
        tolerated_failure_percentage=100,
    )
    accounts.item_processor(_sources(scope, steps, tasks))
    return accounts


def _sources(scope: Construct, steps: Steps, tasks: CollectTasks) -> sfn.Map:
    """One step a source. One that fails for good is reported, and keeps no other back."""
    sources = sfn.Map(
        scope,
        "CollectSources",
        items_path=_at(payloads.SOURCES),
        max_concurrency=SOURCES_AT_ONCE,
    )
    collect = steps.call("CollectSource", tasks.source)
    failed = steps.call("SourceFailed", tasks.failed)
    collect.add_catch(failed, errors=["States.ALL"], result_path=_at(payloads.FAILURE))
    sources.item_processor(collect)
    return sources


def _at(key: str) -> str:
    return f"$.{key}"
