"""What may differ from one deployment to the next. All of it is data; no stack asks where it runs.

`cdk deploy -c stage=production` takes a stage from `STAGES`, `-c stage-file=<path>.json` one from
a JSON object with the same keys as `Stage` (those left out keep their default).
"""

import json
from dataclasses import dataclass, fields
from pathlib import Path

from constructs import Node

from cloudspend.errors import UsageError
from cloudspend.settings import COLLECT_PAGES, TASK_BYTES

STAGE = "stage"
STAGE_FILE = "stage-file"

# CloudFormation answers custom resources at presigned URLs of S3, in virtual-hosted style.
S3_RESPONSE_HOSTS = (
    r"https://cloudformation-custom-resource-response-[a-z0-9]+"
    r"\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?"
)


@dataclass(frozen=True)
class Stage:
    """One deployment's differences.

    `python` is the Lambda runtime's version. Without `dependencies_layer` the runtime itself must
    bring the third-party packages. With `retain_data` no stack ever deletes data, and the registry
    refuses to be deleted. `response_hosts`: see `cloudspend.settings.Settings`.
    `role_settle_seconds` is how long IAM may take until a new role can be assumed. A query that
    would read more than `query_limit_bytes` is stopped by Athena. Of a new account's months
    `backfill_at_once` are taken in at the same time; every `backfill_look_seconds` it is seen
    whether the next can begin. `kept_generations`, `kept_days`, `fresh_hours`, `task_bytes`,
    `anomaly_money`, `anomaly_deviations`, `collect_pages`, `collect_overlaps`,
    `recommendation_money`: see
    `cloudspend.settings.Settings`. Sweep takes accounts in batches of `sweep_batch`,
    `sweep_concurrency` of them at once; Collect takes `collect_concurrency` accounts at once.
    Offboard gives what it stopped `offboard_settle_seconds` to end: no function runs longer than
    15 minutes.
    """

    name: str = "development"
    python: str = "3.13"
    dependencies_layer: bool = True
    retain_data: bool = False
    response_hosts: str = S3_RESPONSE_HOSTS
    log_retention_days: int = 30
    retry_seconds: int = 5
    retry_max_seconds: int = 120
    retry_attempts: int = 6
    role_settle_seconds: int = 10
    map_concurrency: int = 100
    query_limit_bytes: int = 1024**4
    backfill_at_once: int = 4
    backfill_look_seconds: int = 60
    kept_generations: int = 3
    kept_days: int = 7
    fresh_hours: int = 36
    task_bytes: int = TASK_BYTES
    sweep_batch: int = 50
    sweep_concurrency: int = 20
    anomaly_money: int = 50
    anomaly_deviations: int = 6
    collect_pages: int = COLLECT_PAGES
    collect_overlaps: str = ""
    recommendation_money: int = 100
    collect_concurrency: int = 20
    offboard_settle_seconds: int = 900

    @classmethod
    def from_file(cls, path: Path) -> "Stage":
        """Read a stage file. Raises UsageError that names the file and what is wrong with it."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"The stage file {path} cannot be read: {error}.") from error
        if not isinstance(values, dict):
            raise UsageError(f"The stage file {path} is not a JSON object.")
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise UsageError(
                f"The stage file {path} has keys that no stage has: {', '.join(unknown)}.",
                remedy="stacks/stage.py lists the keys.",
            )
        return cls(**values)


STAGES = {
    stage.name: stage
    for stage in (
        Stage(),
        Stage(name="production", retain_data=True, log_retention_days=365),
    )
}


def chosen(node: Node) -> Stage:
    """The stage that the CDK context asks for. Raises UsageError when there is no such stage."""
    path = node.try_get_context(STAGE_FILE)
    if path:
        return Stage.from_file(Path(path))
    name = node.try_get_context(STAGE) or Stage.name
    if name not in STAGES:
        raise UsageError(
            f"There is no stage {name!r}.", remedy=f"Choose one of: {', '.join(sorted(STAGES))}."
        )
    return STAGES[name]
