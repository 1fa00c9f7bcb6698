"""From a delivery to a published period: the door for delivery events, and the Ingest machine."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from cloudspend import payloads
from cloudspend import settings as names
from cloudspend.ingest.plan import RUNS
from cloudspend.lake.tables import (
    BILLING_DETAIL,
    COST_AND_USAGE,
    COST_AND_USAGE_GENERATIONS,
    GENERATION_TABLES,
    PERIOD_TABLES,
)
from cloudspend.reconcile.tables import PROOF_TABLES as COMPARISON_TABLES
from cloudspend.reconcile.tables import TABLES as PROOF_TABLES
from stacks.constructs.access import READ, WRITE, Access
from stacks.constructs.functions import PythonTask
from stacks.constructs.machine import Machine
from stacks.constructs.review import allow
from stacks.ingest_flow import IngestTasks, ingest_flow
from stacks.reconcile_flow import compare_flow
from stacks.stack_context import StackContext

# The folders of the bills' tables.
BILLS = (COST_AND_USAGE.data_folder, BILLING_DETAIL.data_folder)
PROOF = tuple(table.data_folder for table in PROOF_TABLES)
# What an earlier comparison wrote down is evidence for the next.
COMPARED = tuple(table.data_folder for table in COMPARISON_TABLES)
S3_EVENTS = "aws.s3"
OBJECT_CREATED = "Object Created"
EVENT_KEPT = Duration.hours(24)


class IngestStack(Stack):
    """The functions of Ingest with their permissions, the machine, and what starts it."""

    def __init__(self, scope: Construct, construct_id: str, *, ground: StackContext) -> None:
        super().__init__(scope, construct_id, description="CloudSpend: ingest of deliveries")
        self._access = ground.access
        self._functions = ground.tasks(self)
        self.dead_letters = ground.dead_letters(self, "ingest")
        self.tasks = tasks = IngestTasks(
            plan=self._plan(),
            convert=self._convert(),
            check=self._check(),
            publish=self._publish(),
            reconcile=self._reconcile(),
            unavailable=self._unavailable(),
            report=self._report(),
        )
        self.ingest = ground.machine(
            self,
            "Ingest",
            name=names.INGEST_MACHINE,
            definition=ingest_flow(self, ground.stage, tasks, ground.lake_bucket(self)),
            timeout=Duration.hours(12),
            calls=tasks.all,
        )
        _allow_map(self.ingest, self._access)
        self.compare = ground.machine(
            self,
            "Compare",
            name=names.RECONCILE_MACHINE,
            definition=compare_flow(self, ground.stage, tasks.reconcile, tasks.unavailable),
            timeout=Duration.hours(2),
            calls=[tasks.reconcile, tasks.unavailable],
        )
        self._deliveries(self._announce())
        self._moved(ground)

    def _announce(self) -> PythonTask:
        task = self._functions.task(
            "ingest_start",
            "Starts Ingest for a manifest that a customer's bucket received",
            dead_letters=self.dead_letters,
        )
        self._access.registry(task.task_role, "GetItem")
        self._access.customers(task.task_role)
        self._access.executions(task.task_role, names.INGEST_MACHINE)
        self._access.bus(task.task_role)
        return task

    def _plan(self) -> PythonTask:
        task = self._functions.task(
            "ingest_plan",
            "Reads a manifest and writes the conversion tasks of a new generation",
            timeout=Duration.minutes(5),
        )
        self._access.registry(task.task_role, "GetItem", "UpdateItem")
        self._access.customers(task.task_role)
        self._access.objects(task.task_role, WRITE, RUNS)
        return task

    def _convert(self) -> PythonTask:
        task = self._functions.task(
            "ingest_convert",
            "Converts delivered files to Parquet, as a task of the plan names them",
            timeout=Duration.minutes(15),
            memory_mb=3008,
            storage_mb=4096,
        )
        self._access.registry(task.task_role, "GetItem", "UpdateItem")
        self._access.customers(task.task_role)
        self._access.objects(task.task_role, WRITE, *BILLS)
        return task

    def _check(self) -> PythonTask:
        task = self._functions.task(
            "ingest_check",
            "Compares what was delivered with what was written",
            timeout=Duration.minutes(15),
            memory_mb=2048,
        )
        self._access.registry(task.task_role, "GetItem", "UpdateItem")
        self._access.objects(task.task_role, READ, RUNS, *BILLS)
        self._access.listing(task.task_role, RUNS, *BILLS)
        self._access.partitions(task.task_role, *GENERATION_TABLES)
        self._access.columns(task.task_role, COST_AND_USAGE, COST_AND_USAGE_GENERATIONS)
        self._access.bus(task.task_role)
        return task

    def _publish(self) -> PythonTask:
        task = self._functions.task(
            "ingest_publish",
            "Makes a checked generation the one that readers see",
            timeout=Duration.minutes(10),
        )
        self._access.registry(task.task_role, "GetItem", "PutItem", "UpdateItem")
        self._access.partitions(task.task_role, *PERIOD_TABLES)
        self._access.removal(task.task_role, BILLING_DETAIL)
        self._access.queries(task.task_role, COST_AND_USAGE.data_folder)
        self._access.bus(task.task_role)
        return task

    def _reconcile(self) -> PythonTask:
        task = self._functions.task(
            "reconcile_period",
            "Compares a published period with Cost Explorer",
            timeout=Duration.minutes(15),
            memory_mb=1024,
        )
        self._write_proof(task, "Query")
        self._access.customers(task.task_role)
        self._access.queries(task.task_role, COST_AND_USAGE.data_folder, *COMPARED)
        return task

    def _unavailable(self) -> PythonTask:
        task = self._functions.task(
            "reconcile_unavailable",
            "Says that a period could not be compared with Cost Explorer, and why",
        )
        self._write_proof(task)
        return task

    def _write_proof(self, task: PythonTask, *actions: str) -> None:
        self._access.registry(task.task_role, "GetItem", *actions, "UpdateItem")
        self._access.objects(task.task_role, WRITE, *PROOF)
        self._access.partitions(task.task_role, *PROOF_TABLES)
        self._access.bus(task.task_role)

    def _report(self) -> PythonTask:
        task = self._functions.task(
            "ingest_report_failure", "Records and announces why a delivery was not published"
        )
        self._access.registry(task.task_role, "GetItem", "Query", "UpdateItem")
        self._access.objects(task.task_role, READ, RUNS)
        self._access.listing(task.task_role, RUNS)
        self._access.bus(task.task_role)
        return task

    def _deliveries(self, announce: PythonTask) -> None:
        bus = events.EventBus(self, "Deliveries", event_bus_name=names.DELIVERIES_BUS)
        # Customers are not known when this is deployed, so any account may put S3's events here
        # and no others. What an event claims is believed only after the registry was asked.
        events.CfnEventBusPolicy(
            self,
            "DeliveriesPolicy",
            event_bus_name=bus.event_bus_name,
            statement_id="ObjectCreatedFromAnyAccount",
            statement={
                "Effect": "Allow",
                "Principal": "*",
                "Action": "events:PutEvents",
                "Resource": bus.event_bus_arn,
                "Condition": {
                    "StringEquals": {
                        "events:source": S3_EVENTS,
                        "events:detail-type": OBJECT_CREATED,
                    }
                },
            },
        )
        events.Rule(
            self,
            "Manifests",
            rule_name=f"{names.PREFIX}-manifests",
            description="A manifest arrived in a customer's bucket",
            event_bus=bus,
            event_pattern=events.EventPattern(
                source=[S3_EVENTS],
                detail_type=[OBJECT_CREATED],
                detail={"object": {"key": [{"suffix": names.MANIFEST_SUFFIX}]}},
            ),
            targets=[
                targets.LambdaFunction(
                    announce,
                    dead_letter_queue=self.dead_letters,
                    max_event_age=EVENT_KEPT,
                    retry_attempts=185,
                )
            ],
        )

    def _moved(self, ground: StackContext) -> None:
        """Each way to show readers another generation, other than publishing, has the
        period compared again: what was proved of it does not hold for other figures."""
        role = iam.Role(self, "MovedRole", assumed_by=iam.ServicePrincipal("events.amazonaws.com"))
        allow(role, ["states:StartExecution"], [self.compare.machine.state_machine_arn])
        details = "$.detail.details"
        target = targets.SfnStateMachine(
            self.compare.machine,
            role=role.without_policy_updates(),
            input=events.RuleTargetInput.from_object(
                {
                    payloads.ACCOUNT_ID: events.EventField.from_path("$.detail.account.id"),
                    payloads.PERIOD: events.EventField.from_path(f"{details}.period"),
                    payloads.GENERATION: events.EventField.from_path(f"{details}.generation"),
                }
            ),
            dead_letter_queue=self.dead_letters,
            max_event_age=EVENT_KEPT,
            retry_attempts=185,
        )
        # Readers' figures are those of `cost_and_usage`; a removed partition has no generation.
        repaired = {"details": {"table": [COST_AND_USAGE.name], "generation": [{"prefix": "2"}]}}
        for detail_type, detail in (("PeriodRolledBack", None), ("PartitionRepaired", repaired)):
            events.Rule(
                self,
                detail_type,
                rule_name=f"{names.PREFIX}-compare-{detail_type}",
                description=f"Has a period compared with Cost Explorer again after {detail_type}",
                event_bus=ground.alerts.bus,
                event_pattern=events.EventPattern(
                    source=[names.EVENT_SOURCE], detail_type=[detail_type], detail=detail
                ),
                targets=[target],
            )


def _allow_map(ingest: Machine, access: Access) -> None:
    """What the machine does itself: run its map over the plan, and sum in Athena."""
    ingest.allow_maps(names.INGEST_MACHINE)
    access.objects(ingest.role, (*READ, *WRITE, "s3:ListMultipartUploadParts"), RUNS)
    access.queries(ingest.role, *BILLS)
