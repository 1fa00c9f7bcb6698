"""Group the files of a delivery into conversion tasks."""

from collections.abc import Sequence

from cloudspend.exports.model import DeliveredFile
from cloudspend.settings import TASK_BYTES

# A task's file list is the input of a step, which is limited to 256 KiB (AWS Step Functions
# developer guide, "Service quotas"); an entry with the longest S3 key has 1.3.
TASK_FILES = 100


def grouped(
    files: Sequence[DeliveredFile], most_bytes: int = TASK_BYTES, most_files: int = TASK_FILES
) -> list[tuple[DeliveredFile, ...]]:
    """Group `files` in their order, with at most `most_bytes` (compressed) and `most_files` per
    group.

    A file larger than `most_bytes` is a group of its own. A file that is listed twice occurs twice:
    reconciliation finds double counting, the plan does not change a delivery.
    """
    groups: list[list[DeliveredFile]] = []
    size = 0
    for file in files:
        if not groups or size + file.size > most_bytes or len(groups[-1]) == most_files:
            groups.append([])
            size = 0
        groups[-1].append(file)
        size += file.size
    return [tuple(group) for group in groups]
