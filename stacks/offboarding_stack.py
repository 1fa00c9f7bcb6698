"""The way out: what takes an account's data away, and proves it."""

from aws_cdk import Aws, Duration, Stack
from constructs import Construct

from cloudspend import settings as names
from cloudspend.lake.tables import ACCOUNT_KEY
from stacks.constructs.access import READ, WRITE, arn
from stacks.constructs.functions import PythonTask
from stacks.constructs.review import allow
from stacks.offboard_flow import OffboardTasks, offboard_flow
from stacks.stack_context import StackContext

ANY_TABLE = (
    "Every table that has partitions by account is emptied of the account's, those of later rooms "
    "as well; all of them are in CloudSpend's own database."
)
ANY_FOLDER = (
    "Every folder of the lake that has one of the account's is emptied of it, those of later rooms "
    "as well."
)
WORKING = (names.INGEST_MACHINE, names.ONBOARD_MACHINE)


class OffboardingStack(Stack):
    """Offboard is begun by an operator alone: no role of the platform may start it."""

    def __init__(self, scope: Construct, construct_id: str, *, ground: StackContext) -> None:
        super().__init__(scope, construct_id, description="CloudSpend: offboarding of accounts")
        self._access = ground.access
        self._settings = ground.settings
        self._functions = ground.tasks(self)
        tasks = OffboardTasks(stop=self._stop(), clear=self._clear(), prove=self._prove())
        self.offboard = ground.machine(
            self,
            "Offboard",
            name=names.OFFBOARD_MACHINE,
            definition=offboard_flow(self, ground.stage, tasks),
            timeout=Duration.hours(24),
            calls=tasks.all,
        )

    def _stop(self) -> PythonTask:
        task = self._functions.task("offboard_stop", "Ends what is at work for the account")
        role = task.task_role
        self._access.registry(role, "GetItem", "Query")
        self._access.objects(role, WRITE, names.OFFBOARDED)
        allow(
            role,
            ["states:ListExecutions"],
            [arn("states", f"stateMachine:{machine}") for machine in WORKING],
        )
        allow(
            role,
            ["states:StopExecution"],
            [arn("states", f"execution:{machine}:*") for machine in WORKING],
            because="An execution is named after its delivery, which is not known before.",
        )
        return task

    def _clear(self) -> PythonTask:
        task = self._functions.task(
            "offboard_clear",
            "Takes away the account's secret, its partitions and its objects",
            timeout=Duration.minutes(15),
        )
        self._listing(task)
        role = task.task_role
        self._access.forgetting_keys(role)
        allow(role, ["glue:BatchDeletePartition"], _catalog(), because=ANY_TABLE)
        allow(
            role,
            ["s3:DeleteObject", "s3:DeleteObjectVersion"],
            [f"{self._lake}/*/{ACCOUNT_KEY.name}=*/*"],
            because=ANY_FOLDER,
        )
        return task

    def _prove(self) -> PythonTask:
        task = self._functions.task(
            "offboard_prove",
            "Lists what is left of the account, and closes its entries when nothing is",
            timeout=Duration.minutes(15),
        )
        self._listing(task)
        self._access.registry(
            task.task_role, "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query"
        )
        self._access.bus(task.task_role)
        return task

    def _listing(self, task: PythonTask) -> None:
        """Allow to see what there is of an account, and to read and write the report."""
        role = task.task_role
        self._access.objects(role, (*READ, *WRITE), names.OFFBOARDED)
        allow(role, ["s3:ListBucketVersions"], [self._lake])
        allow(role, ["glue:GetPartitions", "glue:GetTables"], _catalog(), because=ANY_TABLE)
        self._access.finding_keys(role)

    @property
    def _lake(self) -> str:
        return f"arn:{Aws.PARTITION}:s3:::{self._settings.lake_bucket}"


def _catalog() -> list[str]:
    tables = arn("glue", f"table/{names.DATABASE}/*")
    return [arn("glue", "catalog"), arn("glue", f"database/{names.DATABASE}"), tables]
