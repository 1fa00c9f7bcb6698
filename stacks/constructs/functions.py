"""Lambda functions: one small construct for all of them."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cloudspend.errors import UsageError
from cloudspend.settings import LIGHT_START, PREFIX, Settings
from stacks.constructs.review import TRACING, accept, allow
from stacks.stage import Stage

ROOT = Path(__file__).parents[2]
HANDLERS = ROOT / "lambdas"
LIBRARY = ROOT / "layers" / "cloudspend"
DEPENDENCIES = ROOT / "layers" / "dependencies" / "build"
NOT_DEPLOYED = ["**/__pycache__", "**/*.pyc", "**/*.egg-info"]

# Graviton; the layer of third-party packages is built for it.
ARCHITECTURE = lambda_.Architecture.ARM_64


class PythonTask(lambda_.Function):
    """A function of `lambdas/<module>.py` with a role that starts with no permission but to log
    and trace. Name, code, layers and environment are the same for all."""

    task_role: iam.Role


class PythonTasks(Construct):
    """The functions of one stack; they share their code and layers."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, settings: Settings
    ) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage
        self._environment = {
            **settings.to_env(),
            **LIGHT_START,
            "POWERTOOLS_SERVICE_NAME": PREFIX,
            # Sessions of the global endpoint are of one region, and not good in opt-in regions.
            "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        }
        self._runtime = lambda_.Runtime(f"python{stage.python}", lambda_.RuntimeFamily.PYTHON)
        self._layers = [self._layer("Library", LIBRARY)]
        if stage.dependencies_layer:
            self._layers.append(self._layer("Dependencies", _built_dependencies()))

    def task(
        self,
        module: str,
        description: str,
        *,
        timeout: Duration | None = None,
        memory_mb: int = 512,
        storage_mb: int = 512,
        environment: Mapping[str, str] | None = None,
        dead_letters: sqs.IQueue | None = None,
    ) -> PythonTask:
        """The function of `lambdas/<module>.py`. With `dead_letters` (for functions that events
        call) that is where an event goes whose every attempt failed."""
        construct_id = "".join(word.capitalize() for word in module.split("_"))
        name = f"{PREFIX}-{module.replace('_', '-')}"
        log_group = logs.LogGroup(
            self,
            f"{construct_id}Logs",
            log_group_name=f"/aws/lambda/{name}",
            retention=retention(self._stage),
            removal_policy=RemovalPolicy.DESTROY,
        )
        role = self._role(f"{construct_id}Role", log_group)
        task = PythonTask(
            self,
            construct_id,
            function_name=name,
            description=description,
            code=lambda_.Code.from_asset(str(HANDLERS), exclude=NOT_DEPLOYED),
            handler=f"{module}.handler",
            runtime=self._runtime,
            architecture=ARCHITECTURE,
            layers=self._layers,
            role=role.without_policy_updates(),
            environment={**self._environment, **(environment or {})},
            timeout=timeout or Duration.minutes(1),
            memory_size=memory_mb,
            ephemeral_storage_size=Size.mebibytes(storage_mb),
            tracing=lambda_.Tracing.ACTIVE,
            log_group=log_group,
            dead_letter_queue=dead_letters,
        )
        task.node.add_dependency(role)
        task.task_role = role
        if dead_letters:
            allow(role, ["sqs:SendMessage"], [dead_letters.queue_arn])
        accept(
            task,
            "The version is the stage's: the newest for which every pinned dependency has wheels.",
            "L1",
        )
        return task

    def _role(self, construct_id: str, log_group: logs.LogGroup) -> iam.Role:
        role = iam.Role(self, construct_id, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        streams = log_group.log_group_arn
        allow(
            role,
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [streams],
        )
        allow(role, ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], ["*"], because=TRACING)
        return role

    def _layer(self, construct_id: str, folder: Path) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            construct_id,
            layer_version_name=f"{PREFIX}-{construct_id.lower()}",
            code=lambda_.Code.from_asset(str(folder), exclude=NOT_DEPLOYED),
            compatible_runtimes=[self._runtime],
        )


def retention(stage: Stage) -> logs.RetentionDays:
    """How long logs are kept. Raises UsageError for days that CloudWatch does not know."""
    name = {
        1: "ONE_DAY",
        7: "ONE_WEEK",
        14: "TWO_WEEKS",
        30: "ONE_MONTH",
        90: "THREE_MONTHS",
        180: "SIX_MONTHS",
        365: "ONE_YEAR",
        731: "TWO_YEARS",
        1827: "FIVE_YEARS",
    }
    if stage.log_retention_days not in name:
        raise UsageError(
            f"Logs cannot be kept for {stage.log_retention_days} days.",
            remedy=f"Choose one of: {', '.join(str(days) for days in name)}.",
        )
    return logs.RetentionDays[name[stage.log_retention_days]]


def _built_dependencies() -> Path:
    if not DEPENDENCIES.is_dir():
        raise UsageError(
            "The layer of third-party packages is not built.",
            remedy="Run: .venv/bin/python -m layers.dependencies.build",
        )
    return DEPENDENCIES
