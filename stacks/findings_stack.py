"""What looks at every account once a day and finds what a person should know."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cloudspend import payloads
from cloudspend import settings as names
from cloudspend.collect.sources import budget_notifications, budgets, reservation_recommendations
from cloudspend.findings.tables import FINDINGS
from cloudspend.lake.tables import BILLING_DETAIL, COST_AND_USAGE
from cloudspend.reconcile.tables import RECONCILIATION_CELLS
from cloudspend.sweep.sweep_run import SWEEPS
from stacks.constructs.access import READ, WRITE
from stacks.constructs.functions import PythonTask
from stacks.constructs.machine import Steps
from stacks.constructs.schedule import Schedule
from stacks.stack_context import StackContext
from stacks.stage import Stage
from stacks.sweep_stack import SweepStack

# After the night's deliveries and what is collected daily, before people in Europe begin to work.
EVERY_DAY = "cron(15 5 * * ? *)"
# Athena runs about 20 statements of an account at a time (Athena quotas, DML queries).
BATCHES_AT_ONCE = 10
BATCH = 20
COLLECTED = tuple(
    module.SOURCE.table for module in (budgets, budget_notifications, reservation_recommendations)
)


class FindingsStack(Stack):
    """Evaluates every active account once a day: which ones, Sweep's own function says."""

    def __init__(
        self, scope: Construct, construct_id: str, *, ground: StackContext, sweep: SweepStack
    ) -> None:
        super().__init__(scope, construct_id, description="CloudSpend: findings of all accounts")
        self._access = ground.access
        self._functions = ground.tasks(self)
        find, report = self._find(), self._report()
        accounts = sweep.tasks.accounts
        self.find = ground.machine(
            self,
            "Find",
            name=names.FINDINGS_MACHINE,
            definition=self._flow(ground.stage, accounts, find, report, ground.lake_bucket(self)),
            timeout=Duration.hours(12),
            calls=[accounts, find, report],
        )
        self.find.allow_maps(names.FINDINGS_MACHINE)
        self._access.objects(self.find.role, READ, SWEEPS)
        Schedule(
            self,
            "Clock",
            name=names.FINDINGS_MACHINE,
            description="Evaluates every account",
            expression=EVERY_DAY,
            machine=self.find,
            dead_letters=ground.dead_letters(self, "findings"),
        )

    def _flow(
        self,
        stage: Stage,
        accounts: PythonTask,
        find: PythonTask,
        report: PythonTask,
        lake: s3.IBucket,
    ) -> sfn.IChainable:
        """A batch that fails keeps no other back; then the report fails the execution."""
        steps = Steps(self, stage, None)
        named = sfn.Pass(
            self, "Begin", parameters={payloads.SWEEP: sfn.JsonPath.string_at("$$.Execution.Name")}
        )
        each = sfn.DistributedMap(
            self,
            "EvaluateAccounts",
            label="EvaluateAccounts",
            item_reader=sfn.S3JsonItemReader(
                bucket=lake, key=sfn.JsonPath.string_at(f"$.{payloads.ACCOUNTS_KEY}")
            ),
            item_batcher=sfn.ItemBatcher(max_items_per_batch=BATCH),
            result_path=f"$.{payloads.BATCHES}",
            max_concurrency=BATCHES_AT_ONCE,
            tolerated_failure_percentage=0,
        )
        batch = steps.call("EvaluateBatch", find)
        batch.add_catch(
            sfn.Pass(
                self,
                "BatchFailed",
                parameters={
                    payloads.EVALUATED: 0,
                    payloads.NOT_EVALUATED: sfn.JsonPath.list_at("$.Items"),
                },
            ),
            errors=["States.ALL"],
            result_path=f"$.{payloads.FAILURE}",
        )
        each.item_processor(batch)
        return (
            named.next(steps.call("ListAccounts", accounts))
            .next(each)
            .next(steps.call("ReportRound", report))
        )

    def _find(self) -> PythonTask:
        task = self._functions.task(
            "findings_evaluate",
            "Evaluates the accounts of a batch and reports what is new and what is over",
            timeout=Duration.minutes(15),
            memory_mb=1024,
        )
        self._access.registry(task.task_role, "GetItem", "PutItem", "Query")
        read = (COST_AND_USAGE, BILLING_DETAIL, RECONCILIATION_CELLS, *COLLECTED)
        self._access.queries(task.task_role, *(table.data_folder for table in read))
        self._access.objects(task.task_role, WRITE, FINDINGS.data_folder)
        self._access.partitions(task.task_role, FINDINGS)
        self._access.bus(task.task_role)
        return task

    def _report(self) -> PythonTask:
        return self._functions.task("findings_report", "Says whether every account was evaluated")
