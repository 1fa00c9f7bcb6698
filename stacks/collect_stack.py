"""Collection of figures beyond the bill: the functions of Collect, its machine and its schedule."""

from aws_cdk import Duration, Stack
from constructs import Construct

from cloudspend import settings as names
from cloudspend.collect.collect_run import COLLECTS
from cloudspend.collect.sources import TABLES
from stacks.collect_flow import CollectTasks, collect_flow
from stacks.constructs.access import DELETE, READ, WRITE
from stacks.constructs.functions import PythonTask
from stacks.constructs.schedule import Schedule
from stacks.stack_context import StackContext

COLLECTED = tuple(table.data_folder for table in TABLES)
# Cost Explorer is refreshed during the day in the United States; by then the day before is whole.
EVERY_DAY = "cron(30 9 * * ? *)"
SPREAD_MINUTES = 60


class CollectStack(Stack):
    """Collects from every account once a day, and from some when an operator asks."""

    def __init__(self, scope: Construct, construct_id: str, *, ground: StackContext) -> None:
        super().__init__(
            scope,
            construct_id,
            description="CloudSpend: AWS's own figures beyond the bill",
        )
        self._access = ground.access
        self._functions = ground.tasks(self)
        tasks = CollectTasks(
            accounts=self._list(),
            source=self._source(),
            failed=self._failed(),
            report=self._report(),
        )
        self.collect = ground.machine(
            self,
            "Collect",
            name=names.COLLECT_MACHINE,
            definition=collect_flow(self, ground.stage, tasks, ground.lake_bucket(self)),
            # The next round begins then, and goes on where this one stopped.
            timeout=Duration.hours(24),
            calls=tasks.all,
        )
        self.collect.allow_maps(names.COLLECT_MACHINE)
        self._access.objects(
            self.collect.role, (*READ, *WRITE, "s3:ListMultipartUploadParts"), COLLECTS
        )
        Schedule(
            self,
            "Clock",
            name=names.COLLECT_MACHINE,
            description="Collects from every account",
            expression=EVERY_DAY,
            machine=self.collect,
            dead_letters=ground.dead_letters(self, "collect"),
            spread_minutes=SPREAD_MINUTES,
        )

    def _list(self) -> PythonTask:
        task = self._functions.task("collect_list", "Writes down what is collected")
        self._access.registry(task.task_role, "GetItem")
        self._access.account_list(task.task_role)
        self._access.objects(task.task_role, WRITE, COLLECTS)
        return task

    def _source(self) -> PythonTask:
        task = self._functions.task(
            "collect_source",
            "Brings one source of one account up to date",
            timeout=Duration.minutes(15),
            memory_mb=1024,
        )
        self._access.registry(
            task.task_role, "BatchWriteItem", "GetItem", "PutItem", "Query", "UpdateItem"
        )
        self._access.customers(task.task_role)
        self._access.objects(task.task_role, (*WRITE, *DELETE), *COLLECTED)
        self._access.listing(task.task_role, *COLLECTED)
        self._access.catalog_upkeep(task.task_role, *TABLES)
        self._access.bus(task.task_role)
        return task

    def _failed(self) -> PythonTask:
        task = self._functions.task("collect_failed", "Says that a source could not be collected")
        self._access.registry(task.task_role, "GetItem", "PutItem")
        self._access.bus(task.task_role)
        return task

    def _report(self) -> PythonTask:
        task = self._functions.task("collect_report", "Says what came of a round of Collect")
        self._access.objects(task.task_role, (*READ, *WRITE), COLLECTS)
        self._access.bus(task.task_role)
        return task
