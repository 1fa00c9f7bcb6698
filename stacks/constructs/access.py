"""What a role may do with the platform and with customers: one narrow permission a function.

Resources are named, not referred to (decision 1), so that a permission reads the same in every
template. Only the key's name is AWS's to choose.
"""

from collections.abc import Iterable

from aws_cdk import Aws, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cloudspend import settings as names
from cloudspend.lake.tables import Table
from cloudspend.settings import Settings
from stacks.constructs.review import allow

READ = ("s3:GetObject",)
WRITE = ("s3:AbortMultipartUpload", "s3:PutObject")
DELETE = ("s3:DeleteObject",)
RESULTS_FOLDER = "athena"

_ENCRYPT = ("kms:Decrypt", "kms:GenerateDataKey")
_POINT = ("glue:CreatePartition", "glue:GetPartition", "glue:UpdatePartition")
_TEND = ("glue:DeletePartition", "glue:GetPartitions")
_LOOK_UP = ("glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable")
_QUERY = (
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
)


class Access:
    """The permissions of one platform, to be given to roles."""

    def __init__(self, settings: Settings, key: kms.IKey) -> None:
        self._settings = settings
        self._key = key

    def registry(self, role: iam.Role, *actions: str) -> None:
        """Allow `actions` (named without `dynamodb:`) on the registry's items."""
        table = arn("dynamodb", f"table/{names.REGISTRY_TABLE}")
        allow(role, [f"dynamodb:{action}" for action in actions], [table])
        self.key(role)

    def account_list(self, role: iam.Role) -> None:
        """Allow to list all accounts of the registry."""
        index = arn("dynamodb", f"table/{names.REGISTRY_TABLE}/index/{names.KIND_INDEX}")
        allow(role, ["dynamodb:Query"], [index])
        self.key(role)

    def objects(self, role: iam.Role, actions: tuple[str, ...], *folders: str) -> None:
        """Allow `actions` (READ, WRITE, DELETE) on what is under `folders` of the lake."""
        allow(
            role,
            actions,
            [f"{self._lake}/{folder}/*" for folder in folders],
            because="The names of a generation's objects are made as it is converted; "
            "the folders of the lake are fixed.",
        )
        self.key(role)

    def listing(self, role: iam.Role, *folders: str) -> None:
        """Allow to list what is under `folders` of the lake."""
        prefixes = [f"{folder}/*" for folder in folders]
        conditions = {"StringLike": {"s3:prefix": prefixes}}
        allow(role, ["s3:ListBucket"], [self._lake], conditions=conditions)

    def partitions(self, role: iam.Role, *tables: Table) -> None:
        """Allow to read and to move the partitions of `tables`."""
        allow(role, _POINT, [*_CATALOG, *_tables(tables)])

    def removal(self, role: iam.Role, *tables: Table) -> None:
        """Allow to take partitions out of `tables`; their data stay."""
        allow(role, ["glue:DeletePartition"], [*_CATALOG, *_tables(tables)])

    def columns(self, role: iam.Role, *tables: Table) -> None:
        """Allow to add columns to `tables`, which Glue only knows as changing a table."""
        allow(role, ["glue:GetTable", "glue:UpdateTable"], [*_CATALOG, *_tables(tables)])

    def catalog_upkeep(self, role: iam.Role, *tables: Table) -> None:
        """Allow to list and to remove the partitions of `tables`, next to what `partitions` does:
        in one statement, since a role's policy may not be long."""
        allow(role, [*_POINT, *_TEND], [*_CATALOG, *_tables(tables)])

    def queries(self, role: iam.Role, *folders: str) -> None:
        """Allow to query the lake's `folders` in the platform's workgroup and read the results."""
        allow(role, _QUERY, [arn("athena", f"workgroup/{names.WORKGROUP}")])
        allow(role, ["athena:GetDataCatalog"], [arn("athena", "datacatalog/AwsDataCatalog")])
        allow(
            role,
            _LOOK_UP,
            [*_CATALOG, arn("glue", f"table/{names.DATABASE}/*")],
            because="A query resolves views to the tables below them; all of them are in "
            "CloudSpend's own database.",
        )
        results = f"arn:{Aws.PARTITION}:s3:::{self._settings.results_bucket}"
        allow(
            role,
            [*READ, *WRITE, "s3:ListMultipartUploadParts"],
            [f"{results}/{RESULTS_FOLDER}/*"],
            because="Athena names its result objects; only its own folder is open.",
        )
        allow(role, ["s3:GetBucketLocation", "s3:ListBucket"], [results])
        allow(role, ["s3:GetBucketLocation"], [self._lake])
        self.listing(role, *folders)
        self.objects(role, READ, *folders)

    def customers(self, role: iam.Role) -> None:
        """Allow to step into the customers' accounts: by the one role that their stacks create,
        under any path, or with an access key where there is no role."""
        roles = f"arn:{Aws.PARTITION}:iam::*:role"
        allow(
            role,
            ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
            [f"{roles}/{names.CUSTOMER_ROLE}", f"{roles}/*/{names.CUSTOMER_ROLE}"],
            because="Customers' accounts, and the paths of their roles, are not known when this is "
            "deployed. Each customer's role decides for itself, by its trust policy and its "
            "external id.",
        )
        self._keys(role, "secretsmanager:GetSecretValue")
        self.key(role)
        # The secrets' own policy refuses anyone who does not bear this tag.
        tag, value = names.KEY_READER
        Tags.of(role).add(tag, value)

    def forgetting_keys(self, role: iam.Role) -> None:
        """Allow to delete customers' access keys."""
        self._keys(role, "secretsmanager:DeleteSecret")

    def finding_keys(self, role: iam.Role) -> None:
        """Allow to see which accounts have an access key; not to read it."""
        self._keys(role, "secretsmanager:DescribeSecret")

    def bus(self, role: iam.Role) -> None:
        """Allow to put events on CloudSpend's own bus."""
        allow(role, ["events:PutEvents"], [arn("events", f"event-bus/{names.EVENT_BUS}")])

    def executions(self, role: iam.Role, machine: str) -> None:
        """Allow to start the executions of the state machine `machine` and to see how they are."""
        allow(role, ["states:StartExecution"], [arn("states", f"stateMachine:{machine}")])
        allow(
            role,
            ["states:DescribeExecution"],
            [arn("states", f"execution:{machine}:*")],
            because="An execution is named after its delivery, which is not known before.",
        )

    def key(self, role: iam.Role) -> None:
        """Allow to use the platform's key for what is read and written."""
        allow(role, _ENCRYPT, [self._key.key_arn])

    def _keys(self, role: iam.Role, action: str) -> None:
        allow(
            role,
            [action],
            [arn("secretsmanager", f"secret:{names.KEY_SECRETS}/*")],
            because="A secret is named after its account, which is not known before; "
            "Secrets Manager puts random letters behind the name.",
        )

    @property
    def _lake(self) -> str:
        return f"arn:{Aws.PARTITION}:s3:::{self._settings.lake_bucket}"


def arn(service: str, resource: str) -> str:
    """The ARN of a resource in the platform's own account and region."""
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"


def _tables(tables: Iterable[Table]) -> list[str]:
    return [arn("glue", f"table/{names.DATABASE}/{table.name}") for table in tables]


_CATALOG = (arn("glue", "catalog"), arn("glue", f"database/{names.DATABASE}"))
