"""Stages: the settings in which deployments differ.

`cdk deploy -c stage=production` selects a stage of `STAGES`. `-c stage-file=<path>.json` reads one
from a JSON object; missing keys keep their default. Stages are data: no stack asks where it runs.
"""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path

from constructs import Node

from cloudspend.errors import UsageError
from cloudspend.settings import POLICY, Policy, Settings, checked

STAGE = "stage"
STAGE_FILE = "stage-file"
KEYS = "docs/reference/settings.md lists the keys of a stage with their meaning."

# CloudFormation answers custom resources at presigned URLs of S3, in virtual-hosted style.
S3_RESPONSE_HOSTS = (
    r"https://cloudformation-custom-resource-response-[a-z0-9]+"
    r"\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?"
)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The settings in which one deployment differs from another."""

    # The name for `-c stage=`.
    name: str = "development"
    # Version of the Python runtime of Lambda.
    python: str = "3.13"
    # Whether functions get the layer of third-party packages. Without it, the runtime must bring
    # them.
    dependencies_layer: bool = True
    # Whether buckets, registry and key are kept when their stack is deleted. The registry then
    # refuses to be deleted.
    retain_data: bool = False
    # See `CLOUDSPEND_RESPONSE_HOSTS`.
    response_hosts: str = S3_RESPONSE_HOSTS
    # Days for which logs are kept.
    log_retention_days: int = 30
    # Seconds before the first retry of a step.
    retry_seconds: int = 5
    # Longest pause between two retries, in seconds.
    retry_max_seconds: int = 120
    # Retries of a step after a transient fault.
    retry_attempts: int = 6
    # Seconds until a new IAM role can be assumed.
    role_settle_seconds: int = 10
    # Conversion tasks of one delivery that run at the same time.
    map_concurrency: int = 100
    # Bytes after which Athena stops a query.
    query_limit_bytes: int = 1024**4
    # Seconds between two looks at a running backfill.
    backfill_look_seconds: int = 60
    # Accounts that one call of a function sweeps.
    sweep_batch: int = 50
    # Batches of accounts that are swept at the same time.
    sweep_concurrency: int = 20
    # Accounts that are collected from at the same time.
    collect_concurrency: int = 20
    # Seconds that Offboard gives stopped executions to end. No function runs longer than 900.
    offboard_settle_seconds: int = 900
    # Settings that functions and the command line read at run time.
    policy: Policy = field(default_factory=Policy)

    @classmethod
    def from_file(cls, path: Path) -> "Stage":
        """Read a stage file: a JSON object with fields of `Stage` and `Policy`, in one level.

        Raises UsageError that names the file, the key and the expected type.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"The stage file {path} cannot be read: {error}.") from error
        if not isinstance(values, dict):
            raise UsageError(f"The stage file {path} is not a JSON object.")
        own = {f.name for f in fields(cls)} - {POLICY}
        policy = {f.name for f in fields(Policy)}
        if unknown := sorted(set(values) - own - policy):
            raise UsageError(
                f"The stage file {path} has unknown keys: {', '.join(unknown)}.", remedy=KEYS
            )
        where = f"The stage file {path}"
        stage = checked(cls, {name: values[name] for name in values if name in own}, where, KEYS)
        chosen = {name: values[name] for name in values if name in policy}
        return cls(**stage, policy=Policy(**checked(Policy, chosen, where, KEYS)))

    def settings(self, account_id: str, region: str, partition: str) -> Settings:
        """Return the settings of this stage's platform."""
        return Settings(
            account_id,
            region,
            partition,
            response_hosts=self.response_hosts,
            policy=self.policy,
        )


STAGES = {
    stage.name: stage
    for stage in (
        Stage(),
        Stage(name="production", retain_data=True, log_retention_days=365),
    )
}


def chosen(node: Node) -> Stage:
    """Return the stage that the CDK context selects. Raises UsageError for an unknown stage."""
    path = node.try_get_context(STAGE_FILE)
    if path:
        return Stage.from_file(Path(path))
    name = node.try_get_context(STAGE) or Stage.name
    if name not in STAGES:
        raise UsageError(
            f"There is no stage {name!r}.", remedy=f"Choose one of: {', '.join(sorted(STAGES))}."
        )
    return STAGES[name]
