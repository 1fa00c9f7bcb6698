"""The data: lake and registry, how they are encrypted, and how they are queried."""

from aws_cdk import Aws, CfnRule, CfnRuleAssertion, Duration, Fn, Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from cloudspend import settings as names
from cloudspend.accounts.items import DELETE_AFTER
from cloudspend.collect.collect_run import COLLECTS
from cloudspend.collect.sources import TABLES as COLLECTED_TABLES
from cloudspend.findings.tables import TABLES as FINDING_TABLES
from cloudspend.lake.tables import TABLES as LAKE_TABLES
from cloudspend.lake.views import VIEWS
from cloudspend.reconcile.tables import TABLES as PROOF_TABLES
from cloudspend.settings import EXPORT_REGIONS, VERSIONS_KEPT_DAYS, Settings
from cloudspend.sweep.sweep_run import SWEEPS
from stacks.constructs.access import RESULTS_FOLDER, Access
from stacks.constructs.catalog import parquet_table, presto_view
from stacks.constructs.storage import PrivateBucket, removal
from stacks.stage import Stage

ACCESS_LOGS_KEPT = Duration.days(365)
RESULTS_KEPT = Duration.days(30)
SWEEPS_KEPT = Duration.days(30)


class LakeStack(Stack):
    """`key` encrypts everything that holds customers' data, `registry` knows whose data it is."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, settings: Settings
    ) -> None:
        super().__init__(scope, construct_id, description="CloudSpend: lake, registry, catalog")
        _require_home_region(self)
        self.key = self._key(stage)
        self.logs = PrivateBucket(
            self,
            "AccessLogs",
            name=f"{names.PREFIX}-access-logs-{settings.account_id}-{settings.region}",
            stage=stage,
            expires=ACCESS_LOGS_KEPT,
        )
        self.lake = PrivateBucket(
            self,
            "Lake",
            name=settings.lake_bucket,
            stage=stage,
            key=self.key,
            logs=self.logs,
            versioned=True,
            versions_kept=Duration.days(VERSIONS_KEPT_DAYS),
            passing={f"{SWEEPS}/": SWEEPS_KEPT, f"{COLLECTS}/": SWEEPS_KEPT},
        )
        self.results = PrivateBucket(
            self,
            "Results",
            name=settings.results_bucket,
            stage=stage,
            key=self.key,
            logs=self.logs,
            expires=RESULTS_KEPT,
        )
        self.registry = self._registry(stage)
        self.workgroup = self._workgroup(stage)
        self._catalog()
        self.access = Access(settings, self.key)
        ssm.StringParameter(
            self,
            "Policy",
            parameter_name=names.POLICY_PARAMETER,
            description="CloudSpend: settings that the command line reads",
            string_value=settings.policy.to_json(),
        )

    def _key(self, stage: Stage) -> kms.Key:
        key = kms.Key(
            self,
            "Key",
            alias=names.PREFIX,
            description="CloudSpend: lake, query results, registry and alerts",
            enable_key_rotation=True,
            removal_policy=removal(stage),
        )
        # Alarms are published to the encrypted topics by CloudWatch itself, not by a role.
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        return key

    def _registry(self, stage: Stage) -> dynamodb.Table:
        text = dynamodb.AttributeType.STRING
        table = dynamodb.Table(
            self,
            "Registry",
            table_name=names.REGISTRY_TABLE,
            partition_key=dynamodb.Attribute(name="pk", type=text),
            sort_key=dynamodb.Attribute(name="sk", type=text),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            # The pages that were counted on a day have it, and nothing else.
            time_to_live_attribute=DELETE_AFTER,
            deletion_protection=stage.retain_data,
            removal_policy=removal(stage),
        )
        table.add_global_secondary_index(
            index_name=names.KIND_INDEX,
            partition_key=dynamodb.Attribute(name="kind", type=text),
            sort_key=dynamodb.Attribute(name="pk", type=text),
        )
        return table

    def _workgroup(self, stage: Stage) -> athena.CfnWorkGroup:
        results = athena.CfnWorkGroup.ResultConfigurationProperty(
            output_location=f"s3://{self.results.bucket_name}/{RESULTS_FOLDER}/",
            encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                encryption_option="SSE_KMS", kms_key=self.key.key_arn
            ),
        )
        return athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=names.WORKGROUP,
            description="Queries on the lake of CloudSpend; clients cannot override its settings",
            recursive_delete_option=not stage.retain_data,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=stage.query_limit_bytes,
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version="Athena engine version 3"
                ),
                result_configuration=results,
            ),
        )

    def _catalog(self) -> None:
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=names.DATABASE, description="Reconciled cost data of all onboarded accounts"
            ),
        )
        for table in (*LAKE_TABLES, *PROOF_TABLES, *COLLECTED_TABLES, *FINDING_TABLES):
            parquet_table(self, database, self.lake, table)
        for view in VIEWS:
            presto_view(self, database, view)


def _require_home_region(scope: Construct) -> None:
    """Stop a deployment elsewhere before anything is created.

    A customer's stack speaks to a topic in its own region (a custom resource's service token), and
    only AWS's billing regions have the exports that it creates.
    """
    regions = " or ".join(EXPORT_REGIONS)
    CfnRule(
        scope,
        "HomeRegion",
        assertions=[
            CfnRuleAssertion(
                assert_=Fn.condition_contains(list(EXPORT_REGIONS), Aws.REGION),
                assert_description=f"CloudSpend has to be deployed in {regions}: customers' stacks "
                "stand in the platform's region, and AWS offers Cost and Usage Reports and Data "
                "Exports to CloudFormation in no other. Deploy with the region set to one of them.",
            )
        ],
    )
