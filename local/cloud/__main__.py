"""Run the local cloud: `python -m local.cloud`, configured as `local.machine` does it."""

import asyncio
import importlib
import os

from hypercorn.asyncio import serve
from hypercorn.config import Config

from local.cloud import seams
from local.cloud.server import application

_PARTS = (
    "local.cloud.lambdas",
    "local.cloud.retries",
    "local.cloud.stopping",
    "local.cloud.distributed_map",
    "local.cloud.athena_tasks",
    "local.cloud.partitions",
    "local.cloud.buses",
    "local.cloud.custom_resources",
    "local.cloud.resource_types",
    "local.cloud.stack_sets",
    "local.cloud.inbox",
    "local.cloud.judged_on",
    "local.cloud.policy_variables",
    "local.cloud.kms_reads",
    "local.cloud.asked",
    "local.cloud.simulator",
    "local.cloud.faults",
    "local.cloud.status",
    "local.athena",
    "local.billing",
)
_KEEP_ALIVE_SECONDS = 75


def install() -> None:
    """Put every part onto its seams. Raises SeamMissing when ministack is not the pinned one."""
    seams.require_version()
    for name in _PARTS:
        importlib.import_module(name).install()


def main() -> None:
    install()
    config = Config()
    config.bind = [f"{os.environ['BIND_HOST']}:{os.environ['GATEWAY_PORT']}"]
    config.keep_alive_timeout = _KEEP_ALIVE_SECONDS
    asyncio.run(serve(application, config))


if __name__ == "__main__":
    main()
