"""A Python function of the platform: its own role, its own log group, the library as a layer."""

from dataclasses import dataclass
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cloudspend.errors import UsageError
from cloudspend.settings import PREFIX, Settings
from stacks.constructs.review import TRACING, accept, allow
from stacks.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "layers" / "cloudspend"
DEPENDENCIES = ROOT / "layers" / "dependencies" / "build"
HANDLERS = ROOT / "lambdas"

NOT_CODE = ["**/__pycache__", "**/*.pyc"]


@dataclass(frozen=True)
class Size:
    """What a function may use: `memory` in MB, by which Lambda also gives CPU; `seconds` a call."""

    memory: int = 512
    seconds: int = 60


class Workshop(Construct):
    """What the functions of one stack share: layers, environment and a queue for what failed."""

    def __init__(self, scope: Construct, *, stage: Stage, settings: Settings) -> None:
        super().__init__(scope, "Functions")
        self.stage = stage
        self.settings = settings
        self.runtime = lambda_.Runtime(f"python{stage.python}", lambda_.RuntimeFamily.PYTHON)
        self.code = lambda_.Code.from_asset(str(HANDLERS), exclude=NOT_CODE)
        self.layers = self._layers()
        self.failed = sqs.Queue(
            self, "Failed", enforce_ssl=True, retention_period=Duration.days(14)
        )
        accept(self.failed, "It is the dead-letter queue of the stack's functions.", "SQS3")

    def _layers(self) -> list[lambda_.ILayerVersion]:
        made: list[lambda_.ILayerVersion] = [self._layer("Library", LIBRARY)]
        if self.stage.dependencies_layer:
            if not DEPENDENCIES.is_dir():
                raise UsageError(
                    "The layer of third-party packages is not built.", remedy="Run `make layers`."
                )
            made.append(self._layer("Dependencies", DEPENDENCIES))
        return made

    def _layer(self, construct_id: str, folder: Path) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            construct_id,
            code=lambda_.Code.from_asset(str(folder), exclude=NOT_CODE),
            compatible_runtimes=[self.runtime],
        )


class PythonTask(lambda_.Function):
    """The handler of `lambdas/<module>.py`. Its role may write its own log and nothing else."""

    def __init__(
        self,
        workshop: Workshop,
        module: str,
        *,
        description: str,
        size: Size | None = None,
        dead_letters: bool = False,
    ) -> None:
        scope, stage, size = Stack.of(workshop), workshop.stage, size or Size()
        construct_id = "".join(word.capitalize() for word in module.split("_"))
        self.task_role = iam.Role(
            scope,
            f"{construct_id}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"CloudSpend: {description}",
        )
        log_group = logs.LogGroup(
            scope,
            f"{construct_id}Log",
            log_group_name=f"/aws/lambda/{PREFIX}-{module.replace('_', '-')}",
            retention=_retention(stage),
            removal_policy=RemovalPolicy.DESTROY,
        )
        allow(
            self.task_role,
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [log_group.log_group_arn],
        )
        super().__init__(
            scope,
            f"{construct_id}Function",
            function_name=f"{PREFIX}-{module.replace('_', '-')}",
            description=f"CloudSpend: {description}",
            runtime=workshop.runtime,
            code=workshop.code,
            handler=f"{module}.handler",
            layers=workshop.layers,
            role=self.task_role,
            environment=workshop.settings.to_env(),
            memory_size=size.memory,
            timeout=Duration.seconds(size.seconds),
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE,
            dead_letter_queue=workshop.failed if dead_letters else None,
        )
        accept(self.task_role, TRACING, "IAM5[Resource::*]")


def _retention(stage: Stage) -> logs.RetentionDays:
    return {
        1: logs.RetentionDays.ONE_DAY,
        30: logs.RetentionDays.ONE_MONTH,
        365: logs.RetentionDays.ONE_YEAR,
    }[stage.log_retention_days]
