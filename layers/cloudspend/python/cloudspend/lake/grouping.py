"""Which files of a delivery are converted together."""

from collections.abc import Sequence

from cloudspend.exports.model import DeliveredFile

# Compressed bytes of a task. 512 MiB of csv are some two million rows: a minute of conversion for
# Lambda, which ends a function after 15, and far less than its 4 GB of storage as Parquet; large
# enough that `cost_and_usage` comes out in files of more than 64 MB (docs/decisions/0057).
TASK_BYTES = 512 * 1024**2
# A task's list of files is the input of a step, which may have 256 KiB (AWS Step Functions
# developer guide, "Service quotas"); an entry with the longest key that S3 knows has 1.3.
TASK_FILES = 100


def grouped(
    files: Sequence[DeliveredFile], most_bytes: int = TASK_BYTES, most_files: int = TASK_FILES
) -> list[tuple[DeliveredFile, ...]]:
    """`files` in their order, cut into groups of at most `most_bytes` and `most_files`.

    A file that is larger than `most_bytes` is a group of its own. A file that is listed twice is
    there twice: reconciliation finds what is counted twice, the plan does not doctor a delivery.
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
