"""What a role may do with the platform's data: each function states one narrow permission."""

from aws_cdk import Aws, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import IConstruct

from cloudspend import settings as names
from cloudspend.lake.tables import Table
from stacks.constructs.review import accept
from stacks.lake_stack import RESULTS_PREFIX, LakeStack

READ = ("s3:GetObject",)
WRITE = ("s3:PutObject", "s3:AbortMultipartUpload")

_DECRYPT = ("kms:Decrypt",)
_ENCRYPT = ("kms:Decrypt", "kms:GenerateDataKey")


def use_registry(role: iam.Role, lake: LakeStack, *actions: str, index: bool = False) -> None:
    """Allow `actions` (without `dynamodb:`) on the registry's items."""
    table = lake.registry.table_arn
    _allow(role, [f"dynamodb:{action}" for action in actions], [table])
    if index:
        _allow(role, ["dynamodb:Query"], [f"{table}/index/kind"])
    _use_key(role, lake.key, _ENCRYPT)


def read_lake(role: iam.Role, lake: LakeStack, *folders: str) -> None:
    """Allow to read the objects under `folders` of the lake."""
    _objects(role, lake, READ, folders)
    _use_key(role, lake.key, _DECRYPT)


def list_lake(role: iam.Role, lake: LakeStack, *folders: str) -> None:
    """Allow to list what stands under `folders` of the lake."""
    prefixes = [f"{folder}/*" for folder in folders]
    _allow(
        role,
        ["s3:ListBucket"],
        [lake.lake.bucket_arn],
        conditions={"StringLike": {"s3:prefix": prefixes}},
    )


def write_lake(role: iam.Role, lake: LakeStack, *folders: str) -> None:
    """Allow to write objects under `folders` of the lake, in parts where they are large."""
    _objects(role, lake, WRITE, folders)
    _use_key(role, lake.key, _ENCRYPT)


def point_partitions(role: iam.Role, *tables: Table) -> None:
    """Allow to read and to move the partitions of `tables`."""
    actions = ("GetPartition", "CreatePartition", "UpdatePartition")
    _allow(role, [f"glue:{action}" for action in actions], _catalog_arns([t.name for t in tables]))


def start_queries(role: iam.Role, lake: LakeStack) -> None:
    """Allow to run queries in the platform's workgroup and to read their results."""
    actions = ("StartQueryExecution", "StopQueryExecution", "GetQueryExecution", "GetQueryResults")
    _allow(role, [f"athena:{action}" for action in actions], [_arn("athena", "workgroup/cloudspend")])
    _allow(role, [*READ, *WRITE], [lake.results.arn_for_objects(f"{RESULTS_PREFIX}*")])
    _allow(role, ["s3:GetBucketLocation", "s3:ListBucket"], [lake.results.bucket_arn])
    _use_key(role, lake.key, _ENCRYPT)
    _wildcards(
        role,
        "Athena chooses the names of its result objects; only its own prefix is open.",
        f"Resource::<{lake.get_logical_id_of(lake.results)}.Arn>/{RESULTS_PREFIX}*",
    )
