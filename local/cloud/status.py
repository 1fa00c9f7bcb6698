"""What runs here, at `/_local/status`."""

import os
from typing import Any

from ministack.services import cloudformation

from local.cloud.inbox import MESSAGES
from local.cloud.resource_types import RECORDED
from local.control import control


def install() -> None:
    control("status")(_door)


def _door(_method: str, _body: bytes) -> tuple[int, object]:
    return 200, {
        "pid": os.getpid(),
        "stacks": stacks(),
        "recorded_only": [
            {"account": account, "region": region, "type": resource_type, "id": physical_id}
            for account, region, resource_type, physical_id in sorted(RECORDED)
        ],
        "inbox": len(MESSAGES),
    }


def stacks() -> list[dict[str, Any]]:
    """The stacks of every account and region that are not deleted."""
    rows = []
    for stack in cloudformation._stacks.all_values():
        _, _, _, region, account, _ = stack["StackId"].split(":", 5)
        row = {"account": account, "region": region, "name": stack["StackName"]}
        if stack["StackStatus"] != "DELETE_COMPLETE":
            rows.append({**row, "status": stack["StackStatus"]})
    return sorted(rows, key=lambda row: (row["account"], row["region"], row["name"]))
