"""What keeps the lake in order: the functions of Sweep, the machine, and its schedule."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from cloudspend import settings as names
from cloudspend.ingest.plan import RUNS
from cloudspend.lake.tables import COST_AND_USAGE, COST_AND_USAGE_GENERATIONS, TABLES
from cloudspend.reconcile.tables import TABLES as PROOF_TABLES
from cloudspend.sweep.missed import SWEEPS_A_DAY
from cloudspend.sweep.sweep_run import SWEEPS
from stacks.constructs.access import DELETE, READ, WRITE, arn
from stacks.constructs.dead_letters import DeadLetters
from stacks.constructs.functions import PythonTask
from stacks.constructs.review import allow
from stacks.constructs.schedule import Schedule
from stacks.ingest_stack import IngestStack
from stacks.lake_stack import LakeStack
from stacks.stack_context import StackContext
from stacks.sweep_flow import SweepTasks, sweep_flow

BILLS = tuple(dict.fromkeys(table.data_folder for table in TABLES))
PROOFS = tuple(dict.fromkeys(table.data_folder for table in PROOF_TABLES))


class SweepStack(Stack):
    """Sweeps every account four times a day."""

    def __init__(
        self, scope: Construct, construct_id: str, *, ground: StackContext, ingest: IngestStack
    ) -> None:
        super().__init__(scope, construct_id, description="CloudSpend: sweep of all accounts")
        self._access = ground.access
        self._functions = ground.tasks(self)
        self.tasks = tasks = SweepTasks(
            accounts=self._list(),
            sweep=self._sweep(),
            report=self._report(),
            compared=self._compared(),
            reconcile=ingest.tasks.reconcile,
            unavailable=ingest.tasks.unavailable,
        )
        self.sweep = ground.machine(
            self,
            "Sweep",
            name=names.SWEEP_MACHINE,
            definition=sweep_flow(self, ground.stage, tasks, ground.lake_bucket(self)),
            # The next round begins then, and finds what this one left.
            timeout=Duration.hours(24 // SWEEPS_A_DAY),
            calls=tasks.all,
        )
        self.sweep.allow_maps(names.SWEEP_MACHINE)
        self._access.objects(
            self.sweep.role, (*READ, *WRITE, "s3:ListMultipartUploadParts"), SWEEPS
        )
        dead_letters = ground.dead_letters(self, "sweep")
        Schedule(
            self,
            "Clock",
            name=names.SWEEP_MACHINE,
            description="Sweeps every account",
            expression=f"rate({24 // SWEEPS_A_DAY} hours)",
            machine=self.sweep,
            dead_letters=dead_letters,
        )
        self._after_deployments(ground.lake, dead_letters)

    def _list(self) -> PythonTask:
        task = self._functions.task("sweep_list", "Writes down which accounts are swept")
        self._access.account_list(task.task_role)
        self._access.objects(task.task_role, WRITE, SWEEPS)
        return task

    def _sweep(self) -> PythonTask:
        task = self._functions.task(
            "sweep_accounts",
            "Finds and repairs what is wrong with the accounts of a batch",
            timeout=Duration.minutes(15),
            memory_mb=1024,
        )
        role = task.task_role
        self._access.registry(
            role, "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"
        )
        self._access.account_list(role)
        self._access.customers(role)
        self._access.executions(role, names.INGEST_MACHINE)
        self._access.catalog_upkeep(role, *TABLES, *PROOF_TABLES)
        self._access.columns(role, COST_AND_USAGE, COST_AND_USAGE_GENERATIONS)
        self._access.listing(role, *BILLS, *PROOFS, RUNS)
        self._access.objects(role, DELETE, *BILLS, *PROOFS, RUNS)
        self._access.bus(role)
        return task

    def _report(self) -> PythonTask:
        task = self._functions.task("sweep_report", "Says what came of a round of Sweep")
        self._access.objects(task.task_role, (*READ, *WRITE), SWEEPS)
        self._access.bus(task.task_role)
        return task

    def _compared(self) -> PythonTask:
        task = self._functions.task("sweep_compared", "Says whether every month could be compared")
        self._access.objects(task.task_role, READ, SWEEPS)
        return task

    def _after_deployments(self, lake: LakeStack, dead_letters: DeadLetters) -> None:
        """A deployment sets the tables back to their declared columns: a round follows it at once,
        which gives the columns of accounts' tags back."""
        role = iam.Role(
            self, "DeployedRole", assumed_by=iam.ServicePrincipal("events.amazonaws.com")
        )
        allow(role, ["states:StartExecution"], [self.sweep.machine.state_machine_arn])
        stack = arn("cloudformation", f"stack/{lake.stack_name}/")
        events.Rule(
            self,
            "Deployed",
            rule_name=f"{names.PREFIX}-deployed",
            description="Sweeps after the tables were deployed",
            event_pattern=events.EventPattern(
                source=["aws.cloudformation"],
                detail_type=["CloudFormation Stack Status Change"],
                detail={
                    "stack-id": [{"prefix": stack}],
                    "status-details": {"status": ["UPDATE_COMPLETE"]},
                },
            ),
            targets=[
                targets.SfnStateMachine(
                    self.sweep.machine,
                    role=role.without_policy_updates(),
                    input=events.RuleTargetInput.from_object({}),
                    dead_letter_queue=dead_letters,
                )
            ],
        )
