"""From a delivered manifest to a reconciled period: the deliveries bus and the Ingest machine."""

from typing import Any

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cloudspend import payload as p
from cloudspend import settings as names
from cloudspend.alerts.event import Severity
from cloudspend.lake.plan import RUNS
from cloudspend.lake.tables import COST_AND_USAGE, COST_AND_USAGE_GENERATIONS
from cloudspend.reconcile.tables import TABLES as PROOF_TABLES
from cloudspend.settings import Settings
from stacks.alerts_stack import AlertsStack
from stacks.constructs.access import READ, WRITE
from stacks.constructs.machine import (
    StateMachine,
    accept_versions,
    catch_all,
    retry_transient,
    step,
)
from stacks.constructs.review import accept
from stacks.constructs.task import PythonTask, Size, Workshop
from stacks.lake_stack import LakeStack
from stacks.stage import Stage

READ_REGISTRY = ("GetItem", "Query")
WRITE_REGISTRY = (*READ_REGISTRY, "PutItem", "UpdateItem")
DATA = COST_AND_USAGE.data_folder
PROOFS = tuple(table.data_folder for table in PROOF_TABLES)

SMALL = Size(seconds=300)
LARGE = Size(memory=1769, seconds=900)  # 1,769 MB are one whole vCPU

MAP_RUNS = (
    "A Distributed Map starts its own child executions and writes their results; AWS names both "
    "after the run (AWS Step Functions developer guide, 'IAM policies for Distributed Map')."
)


class IngestStack(Stack):
    """A manifest arrives, readers see a new generation, and it is compared with Cost Explorer."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        settings: Settings,
        lake: LakeStack,
        alerts: AlertsStack,
    ) -> None:
        super().__init__(scope, construct_id, description="CloudSpend: ingestion of bills")
        self._stage = stage
        self._lake = lake
        self._workshop = Workshop(self, stage=stage, settings=settings)
        self._deliveries()
        self._machine(alerts)

    def _deliveries(self) -> None:
        """The bus on which customers' buckets announce new objects, and nothing else."""
        bus = events.EventBus(self, "Deliveries", event_bus_name=names.DELIVERIES_BUS)
        events.CfnEventBusPolicy(
            self,
            "CustomersAnnounceDeliveries",
            event_bus_name=bus.event_bus_name,
            statement_id="CustomersAnnounceDeliveries",
            statement={
                "Effect": "Allow",
                "Principal": "*",
                "Action": "events:PutEvents",
                "Resource": bus.event_bus_arn,
                "Condition": {
                    "StringEquals": {
                        "events:source": "aws.s3",
                        "events:detail-type": "Object Created",
                    }
                },
            },
        )
        announce = PythonTask(
            self._workshop,
            "announce",
            description="starts Ingest for a new manifest",
            size=SMALL,
            dead_letters=True,
        )
        access = self._lake.access
        access.registry(announce.task_role, *READ_REGISTRY)
        access.customers(announce.task_role)
        access.bus(announce.task_role)
        access.executions(announce.task_role, names.INGEST_MACHINE)
        events.Rule(
            self,
            "NewManifests",
            event_bus=bus,
            description="A new manifest in a customer's export bucket",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={"object": {"key": [{"suffix": names.MANIFEST_SUFFIX}]}},
            ),
            targets=[targets.LambdaFunction(announce, dead_letter_queue=self._workshop.failed)],
        )

    def _machine(self, alerts: AlertsStack) -> None:
        functions = self._functions()
        steps = {name: self._step(name, functions[name]) for name in functions if name != "convert"}
        convert = self._convert(functions["convert"])
        total, read = self._athena()
        report = steps["report_ingest_failure"].next(
            sfn.Fail(self, "Not published", error="IngestFailed", cause="See the alert.")
        )
        published = sfn.Succeed(self, "Published")
        caught = [steps[name] for name in ("plan", "check", "publish")]
        catch_all([*caught, convert, total, read, steps["reconciliation_unavailable"]], report)
        steps["reconciliation_unavailable"].next(published)
        catch_all([steps["reconcile"]], steps["reconciliation_unavailable"])

        after_publish = (
            sfn.Choice(self, "Newest?")
            .when(
                sfn.Condition.boolean_equals(f"$.{p.PUBLISHED}", True),
                steps["reconcile"].next(published),
            )
            .otherwise(sfn.Succeed(self, "Superseded"))
        )
        work = (
            sfn.Chain.start(convert)
            .next(steps["check"])
            .next(total)
            .next(read)
            .next(steps["publish"])
            .next(after_publish)
        )
        definition = steps["plan"].next(
            sfn.Choice(self, "New?")
            .when(sfn.Condition.string_equals(f"$.{p.DECISION}", p.INGEST), work)
            .otherwise(sfn.Succeed(self, "Skipped"))
        )
        machine = StateMachine(
            self,
            "Ingest",
            name=names.INGEST_MACHINE,
            definition=definition,
            alarm_topic=alerts.topics[Severity.CRITICAL],
        )
        self._permit(machine, functions)

    def _functions(self) -> dict[str, PythonTask]:
        access = self._lake.access
        plan = self._function("plan", "decides what a delivery means", SMALL)
        access.customers(plan.task_role)
        access.objects(plan.task_role, WRITE, RUNS)
        convert = self._function("convert", "turns delivered files into Parquet", LARGE)
        access.customers(convert.task_role)
        access.objects(convert.task_role, WRITE, DATA)
        check = self._function("check", "adds up what was written", LARGE)
        access.objects(check.task_role, READ, RUNS, DATA)
        access.listing(check.task_role, DATA)
        access.partitions(check.task_role, COST_AND_USAGE_GENERATIONS)
        access.bus(check.task_role)
        publish = self._function("publish", "moves readers to the new generation", SMALL)
        access.partitions(publish.task_role, COST_AND_USAGE)
        access.queries(publish.task_role, DATA)
        access.bus(publish.task_role)
        reconcile = self._function("reconcile", "compares with Cost Explorer", SMALL)
        access.customers(reconcile.task_role)
        unavailable = self._function(
            "reconciliation_unavailable", "says that nothing could be compared", SMALL
        )
        for function in (reconcile, unavailable):
            access.partitions(function.task_role, *PROOF_TABLES)
            access.queries(function.task_role, DATA)
            access.objects(function.task_role, WRITE, *PROOFS)
            access.bus(function.task_role)
        report = self._function("report_ingest_failure", "says what stopped a delivery", SMALL)
        access.bus(report.task_role)
        made = (plan, convert, check, publish, reconcile, unavailable, report)
        modules = (
            "plan",
            "convert",
            "check",
            "publish",
            "reconcile",
            "reconciliation_unavailable",
            "report_ingest_failure",
        )
        return dict(zip(modules, made, strict=True))

    def _function(self, module: str, description: str, size: Size) -> PythonTask:
        function = PythonTask(self._workshop, module, description=description, size=size)
        self._lake.access.registry(function.task_role, *WRITE_REGISTRY)
        return function

    def _step(self, module: str, function: PythonTask) -> sfn.TaskStateBase:
        return step(self, module.replace("_", " ").capitalize(), function, self._stage)

    def _convert(self, function: PythonTask) -> sfn.DistributedMap:
        """One call of `function` for each task of the plan file; one failure ends them all."""
        each = sfn.DistributedMap(
            self,
            "Convert",
            item_reader=sfn.S3JsonItemReader(
                bucket=self._lake.lake, key=sfn.JsonPath.string_at(f"$.{p.PLAN_KEY}")
            ),
            result_writer_v2=sfn.ResultWriterV2(bucket=self._lake.lake, prefix=f"{RUNS}/map"),
            max_concurrency=self._stage.map_concurrency,
            tolerated_failure_count=0,
            result_path=f"$.{p.CONVERSION}",
        )
        each.item_processor(step(self, "Convert a file", function, self._stage))
        return each

    def _athena(self) -> tuple[sfn.CustomState, sfn.CustomState]:
        """The third path by which a generation is summed: Athena, asked by the machine itself."""
        integration = f"arn:{Aws.PARTITION}:states:::athena"
        total = self._custom(
            "Sum in Athena",
            {
                "Resource": f"{integration}:startQueryExecution.sync",
                "Parameters": {
                    "QueryString.$": f"$.{p.QUERY}",
                    "WorkGroup": names.WORKGROUP,
                    "QueryExecutionContext": {"Database": names.DATABASE},
                },
                "ResultPath": f"$.{p.ATHENA}",
            },
        )
        value = "$.ResultSet.Rows[1].Data[{}].VarCharValue"
        read = self._custom(
            "Read the sums",
            {
                "Resource": f"{integration}:getQueryResults",
                "Parameters": {
                    "QueryExecutionId.$": f"$.{p.ATHENA}.QueryExecution.QueryExecutionId"
                },
                "ResultSelector": {
                    f"{name}.$": value.format(column)
                    for column, name in enumerate((p.ROWS, p.BILLED_COST, p.EFFECTIVE_COST))
                },
                "ResultPath": f"$.{p.SUMS}",
            },
        )
        return total, read

    def _custom(self, title: str, definition: dict[str, Any]) -> sfn.CustomState:
        state = sfn.CustomState(self, title, state_json={"Type": "Task", **definition})
        state.add_retry(
            errors=["Athena.TooManyRequestsException", "Athena.AmazonAthenaException"],
            interval=Duration.seconds(self._stage.retry_seconds),
            max_delay=Duration.seconds(self._stage.retry_max_seconds),
            max_attempts=self._stage.retry_attempts,
            backoff_rate=2,
            jitter_strategy=sfn.JitterType.FULL,
        )
        retry_transient(state, self._stage)
        return state

    def _permit(self, machine: StateMachine, functions: dict[str, PythonTask]) -> None:
        role = machine.task_role
        self._lake.access.queries(role, DATA)
        self._lake.access.objects(role, READ, RUNS)
        self._lake.access.objects(role, WRITE, RUNS)
        accept_versions(role, *functions.values())
        accept(machine.task_role, MAP_RUNS, "IAM5")
