"""Composition root: the only place that chooses adapters.

Functions use `platform()`, the command line uses `operator()`. Both return the same object, whose
parts are created on first use. Each part imports its adapter at that moment, so a function loads
only what it uses.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, cached_property, wraps
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cloudspend import payloads as p
from cloudspend import settings as names
from cloudspend.errors import UsageError
from cloudspend.settings import Settings

if TYPE_CHECKING:
    from cloudspend.access.aws.key_store import SecretsManagerKeyStore
    from cloudspend.access.aws.probes import CustomerProber
    from cloudspend.access.aws.sessions import StsCustomerSessions
    from cloudspend.access.connect_key import AccessKeyPorts
    from cloudspend.accounts.aws import DynamoAccounts, HttpResponder, StepFunctionsOnboarding
    from cloudspend.accounts.model import Account
    from cloudspend.accounts.ports import InvitationPorts
    from cloudspend.alerts.aws.dead_letters import SqsDeadLetterQueues
    from cloudspend.alerts.aws.publish import EventBridgeBus, SnsTopics
    from cloudspend.alerts.aws.subscriptions import SnsSubscriptions
    from cloudspend.aws.executions import StepFunctionsExecutions
    from cloudspend.collect.aws import BillingServices, DynamoProgress, DynamoSpend
    from cloudspend.collect.metered import MeteredCostExplorer
    from cloudspend.collect.runner import CollectPorts
    from cloudspend.convert.aws import S3Sink, S3Source
    from cloudspend.exports.aws import ExportDefinitions, S3CustomerBucket
    from cloudspend.findings.aws import DynamoFindings
    from cloudspend.findings.evaluate import EvaluationPorts
    from cloudspend.findings.findings_table import FindingsTable
    from cloudspend.ingest.plan import IngestPorts
    from cloudspend.ingest.publish import PublishPorts
    from cloudspend.lake.aws.catalog import GlueCatalog
    from cloudspend.lake.aws.generations import DynamoGenerations
    from cloudspend.lake.aws.objects import S3Lake
    from cloudspend.lake.aws.queries import AthenaQueries
    from cloudspend.offboarding.steps import OffboardPorts
    from cloudspend.reconcile.aws import ParquetTables
    from cloudspend.reconcile.ports import ReconcilePorts as Reconciling
    from cloudspend.standalone.s3 import DiskAndS3
    from cloudspend.sweep.expire import RetentionPorts
    from cloudspend.sweep.sweep import SweepPorts

# Errors of the SDK that reach the command line.
AWS_ERRORS = (BotoCoreError, ClientError)

logger = Logger(service=names.PREFIX)

Handler = Callable[[dict[str, Any], Any], Any]

_RETRIES = Config(retries={"mode": "standard", "max_attempts": 5})


class Platform:
    """CloudSpend's services in one account and region, and access to customers' accounts."""

    def __init__(
        self, settings: Settings, session: boto3.Session, who: str, caller: str = ""
    ) -> None:
        """`who` is the function or operator in sessions; `caller` is the ARN for history
        entries.
        """
        self.settings = settings
        self.caller = caller
        self._session = session
        self._who = who

    @cached_property
    def accounts(self) -> DynamoAccounts:
        from cloudspend.accounts.aws import DynamoAccounts

        return DynamoAccounts(self._table)

    @property
    def invitation_ports(self) -> InvitationPorts:
        from cloudspend.accounts.aws import known_regions
        from cloudspend.accounts.ports import InvitationPorts

        return InvitationPorts(self.accounts, self.bus, self.settings, known_regions)

    @cached_property
    def generations(self) -> DynamoGenerations:
        from cloudspend.lake.aws.generations import DynamoGenerations

        return DynamoGenerations(self._table)

    @cached_property
    def bus(self) -> EventBridgeBus:
        from cloudspend.alerts.aws.publish import EventBridgeBus

        return EventBridgeBus(self._client("events"), names.EVENT_BUS)

    @cached_property
    def topics(self) -> SnsTopics:
        from cloudspend.alerts.aws.publish import SnsTopics

        return SnsTopics(self._client("sns"), self.settings)

    @cached_property
    def subscriptions(self) -> SnsSubscriptions:
        from cloudspend.alerts.aws.subscriptions import SnsSubscriptions

        return SnsSubscriptions(self._client("sns"), self.settings)

    @cached_property
    def dead_letters(self) -> SqsDeadLetterQueues:
        from cloudspend.alerts.aws.dead_letters import Clients, SqsDeadLetterQueues

        services = ("sqs", "sns", "lambda", "stepfunctions")
        return SqsDeadLetterQueues(Clients(*map(self._client, services)))

    @cached_property
    def onboarding(self) -> StepFunctionsOnboarding:
        from cloudspend.accounts.aws import StepFunctionsOnboarding

        return StepFunctionsOnboarding(
            self._client("stepfunctions"), self.settings.onboard_machine_arn
        )

    @cached_property
    def executions(self) -> StepFunctionsExecutions:
        from cloudspend.aws.executions import StepFunctionsExecutions

        return StepFunctionsExecutions(
            self._client("stepfunctions"), self.settings.ingest_machine_arn
        )

    @cached_property
    def sweeps(self) -> StepFunctionsExecutions:
        from cloudspend.aws.executions import StepFunctionsExecutions

        return StepFunctionsExecutions(
            self._client("stepfunctions"), self.settings.sweep_machine_arn
        )

    @cached_property
    def collects(self) -> StepFunctionsExecutions:
        from cloudspend.aws.executions import StepFunctionsExecutions

        return StepFunctionsExecutions(
            self._client("stepfunctions"), self.settings.collect_machine_arn
        )

    @cached_property
    def spend(self) -> DynamoSpend:
        from cloudspend.collect.aws import DynamoSpend

        return DynamoSpend(self._table)

    @cached_property
    def progress(self) -> DynamoProgress:
        from cloudspend.collect.aws import DynamoProgress

        return DynamoProgress(self._table)

    @property
    def collect_ports(self) -> CollectPorts:
        from cloudspend.collect.aws import WranglerStore
        from cloudspend.collect.runner import CollectPorts

        store = WranglerStore(self._session, self.settings.lake_bucket)
        return CollectPorts(
            self.accounts,
            self.spend,
            self.progress,
            store,
            self.catalog,
            self.lake,
            self.bus,
            self.settings.policy.collect_pages,
        )

    @cached_property
    def offboardings(self) -> StepFunctionsExecutions:
        from cloudspend.aws.executions import StepFunctionsExecutions

        return StepFunctionsExecutions(
            self._client("stepfunctions"), self.settings.offboard_machine_arn
        )

    @property
    def offboard_ports(self) -> OffboardPorts:
        from cloudspend.offboarding.aws import Entries, Objects, Partitions, Runs, Secrets
        from cloudspend.offboarding.steps import HeldData, OffboardPorts

        working = (self.settings.ingest_machine_arn, self.settings.onboard_machine_arn)
        estate = HeldData(
            Runs(self._client("stepfunctions"), working),
            Secrets(self._client("secretsmanager")),
            (
                Partitions(self._client("glue"), names.DATABASE),
                Objects(self._client("s3"), self.settings.lake_bucket),
            ),
            Entries(self._table),
        )
        return OffboardPorts(self.accounts, self.bus, estate, self.lake)

    @cached_property
    def responder(self) -> HttpResponder:
        from cloudspend.accounts.aws import HttpResponder

        return HttpResponder()

    @cached_property
    def customer_sessions(self) -> StsCustomerSessions:
        from cloudspend.access.aws.sessions import SessionIdentity, StsCustomerSessions

        def visitor() -> SessionIdentity:
            keys = logger.get_current_keys()
            request = keys.get("function_request_id", "")
            return SessionIdentity(
                self.settings.account_id, self._who, request, keys.get(p.EXECUTION, "")
            )

        return StsCustomerSessions(
            self._client("sts"), self.settings.region, self.key_store, visitor
        )

    @cached_property
    def key_store(self) -> SecretsManagerKeyStore:
        from cloudspend.access.aws.key_store import SecretsManagerKeyStore

        return SecretsManagerKeyStore(self._client("secretsmanager"))

    @property
    def keys(self) -> AccessKeyPorts:
        """Return the ports for accepting access keys."""
        from cloudspend.access.aws.inspection import KeyInspector
        from cloudspend.access.connect_key import AccessKeyPorts

        gate = KeyInspector(self.customer_sessions, self.settings.partition)
        return AccessKeyPorts(self.accounts, self.key_store, gate, self.bus)

    @cached_property
    def catalog(self) -> GlueCatalog:
        from cloudspend.collect.sources import TABLES as COLLECTED_TABLES
        from cloudspend.findings.tables import TABLES as FINDING_TABLES
        from cloudspend.lake.aws.catalog import GlueCatalog
        from cloudspend.lake.tables import TABLES as LAKE_TABLES
        from cloudspend.reconcile.tables import TABLES as PROOF_TABLES

        every = (*LAKE_TABLES, *PROOF_TABLES, *COLLECTED_TABLES, *FINDING_TABLES)
        tables = {table.name: table for table in every}
        return GlueCatalog(self._client("glue"), names.DATABASE, tables)

    @cached_property
    def lake(self) -> S3Lake:
        from cloudspend.lake.aws.objects import S3Lake

        return S3Lake(self._client("s3"), self.settings.lake_bucket)

    @cached_property
    def queries(self) -> AthenaQueries:
        from cloudspend.lake.aws.queries import AthenaQueries

        return AthenaQueries(self._client("athena"), names.WORKGROUP, names.DATABASE)

    @cached_property
    def parquet_sink(self) -> S3Sink:
        from cloudspend.convert.aws import S3Sink

        return S3Sink(self._client("s3"), self.settings.lake_bucket)

    @property
    def ingest_ports(self) -> IngestPorts:
        from cloudspend.ingest.plan import IngestPorts

        return IngestPorts(self.generations, self.lake, self.settings.policy.task_bytes)

    @property
    def publish_ports(self) -> PublishPorts:
        from cloudspend.ingest.publish import PublishPorts

        return PublishPorts(
            self.generations, self.catalog, self.queries, self.bus, self.settings.lake_bucket
        )

    @property
    def retention_ports(self) -> RetentionPorts:
        """Return the ports of retention."""
        from cloudspend.reconcile.tables import TABLES as PROOF_TABLES
        from cloudspend.sweep.expire import RetentionPorts

        return RetentionPorts(self.generations, self.catalog, self.lake, self.bus, PROOF_TABLES)

    @property
    def sweep_ports(self) -> SweepPorts:
        from cloudspend.lake.retention import RetentionPolicy
        from cloudspend.sweep.sweep import SweepPorts

        return SweepPorts(
            self.retention_ports,
            self.publish_ports,
            self.customer_bucket,
            self.executions,
            RetentionPolicy(self.settings.policy.kept_generations, self.settings.policy.kept_days),
            timedelta(hours=self.settings.policy.fresh_hours),
            lambda account: self.export_definitions(account).all(),
        )

    @cached_property
    def findings(self) -> DynamoFindings:
        from cloudspend.findings.aws import DynamoFindings

        return DynamoFindings(self._table)

    @property
    def findings_table(self) -> FindingsTable:
        from cloudspend.findings.findings_table import FindingsTable

        return FindingsTable(self.findings, self._tables, self.catalog, self.accounts)

    @property
    def evaluation_ports(self) -> EvaluationPorts:
        from cloudspend.findings.anomaly import Sensitivity
        from cloudspend.findings.evaluate import EvaluationPorts

        return EvaluationPorts(
            self.accounts,
            self.generations,
            self.queries,
            self.findings_table,
            self.bus,
            self.progress,
            Sensitivity(
                self.settings.policy.anomaly_money, self.settings.policy.anomaly_deviations
            ),
            Decimal(self.settings.policy.recommendation_money),
        )

    @cached_property
    def evaluations(self) -> StepFunctionsExecutions:
        from cloudspend.aws.executions import StepFunctionsExecutions

        return StepFunctionsExecutions(
            self._client("stepfunctions"), self.settings.findings_machine_arn
        )

    @property
    def reconciling(self) -> Reconciling:
        from cloudspend.reconcile.ports import ReconcilePorts as Reconciling

        fresh_for = timedelta(hours=self.settings.policy.fresh_hours)
        return Reconciling(
            self.queries,
            self.generations,
            self.catalog,
            self._tables,
            self.bus,
            fresh_for,
            self.accounts.members,
        )

    def customer(self, account: Account) -> CustomerProber:
        """Return the customer's account for permission checks."""
        from cloudspend.access.aws.probes import CustomerProber

        return CustomerProber(self.customer_sessions.pending_session(account), account.partition)

    def customer_bucket(self, account: Account) -> S3CustomerBucket:
        """Return the customer's bucket for manifests and files."""
        from cloudspend.exports.aws import S3CustomerBucket

        return S3CustomerBucket(self._enter(account, "deliveries").client("s3"))

    def export_definitions(self, account: Account) -> ExportDefinitions:
        """Return the reports and exports in the customer's account."""
        from cloudspend.exports.aws import ExportDefinitions

        session = self._enter(account, "exports")
        region = names.BILLING_REGIONS[self.settings.partition]
        return ExportDefinitions(
            session.client("cur", region_name=region),
            session.client("bcm-data-exports", region_name=region),
        )

    def source(self, account: Account, purpose: str) -> S3Source:
        """Return the customer's delivered files, for the generation in `purpose`."""
        from cloudspend.convert.aws import S3Source

        return S3Source(self._enter(account, purpose).client("s3"))

    def cost_explorer(self, account: Account) -> MeteredCostExplorer:
        """Return the customer's Cost Explorer; its pages count toward the day's budget."""
        from cloudspend.collect.aws import CostExplorerApi
        from cloudspend.collect.metered import MeteredCostExplorer

        api = CostExplorerApi.of(self._enter(account, "reconcile"), account.partition)
        today = datetime.now(UTC).date()
        return MeteredCostExplorer(
            api, self.spend, account.account_id, today, self.settings.policy.collect_pages
        )

    def services(self, account: Account, purpose: str = "collect") -> BillingServices:
        """Return the customer's billing services; the session is created before the first page."""
        from cloudspend.collect.aws import BillingServices

        return BillingServices(lambda: self._enter(account, purpose), account.partition)

    def copy_template(self, name: str, bucket: str, key: str) -> None:
        """Copy a template, a deployed asset, to where the quick-create link points."""
        self._client("s3").copy_object(
            Bucket=self.settings.template_bucket,
            Key=name,
            CopySource={"Bucket": bucket, "Key": key},
            ContentType="application/yaml",
            MetadataDirective="REPLACE",
        )

    def remove_template(self, name: str) -> None:
        """Delete a template: a bucket must be empty before it can be deleted."""
        self._client("s3").delete_object(Bucket=self.settings.template_bucket, Key=name)

    @cached_property
    def _tables(self) -> ParquetTables:
        from cloudspend.reconcile.aws import ParquetTables

        return ParquetTables(self._client("s3"), self.settings.lake_bucket)

    @cached_property
    def _table(self) -> Any:
        return self._session.resource("dynamodb", config=_RETRIES).Table(names.REGISTRY_TABLE)

    def _client(self, service: str) -> Any:
        return self._session.client(service, config=_RETRIES)

    def _enter(self, account: Account, purpose: str) -> boto3.Session:
        return self.customer_sessions.customer_session(account, purpose)


def entry(handler: Handler) -> Handler:
    """Wrap a function that state machines call.

    Its log and its sessions in customers' accounts carry the request and the calling execution, if
    any.
    """

    @logger.inject_lambda_context
    @wraps(handler)
    def entered(event: dict[str, Any], context: Any) -> Any:
        called = event if set(event) == {p.EXECUTION, p.STATE} else {p.STATE: event}
        # The significant part of the ARN: the machine (or its map) and the name.
        execution = str(called.get(p.EXECUTION, "")).partition(":execution:")[2]
        # Set for each call: the function's next call can belong to another execution.
        logger.append_keys(**{p.EXECUTION: execution})
        return handler(called[p.STATE], context)

    return entered


@cache
def platform() -> Platform:
    """Return the platform as configured by a function's environment."""
    settings = Settings.from_env()
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", names.PREFIX)
    return Platform(settings, boto3.Session(region_name=settings.region), function)


@cache
def operator() -> Platform:
    """Return the platform in the account and region of the operator's credentials.

    Reads the deployed policy. Raises UsageError when the shell names no region, or when CloudSpend
    is not deployed in the account and region.
    """
    session = boto3.Session()
    if not session.region_name:
        raise UsageError(
            "No AWS region is set.", remedy="Set AWS_DEFAULT_REGION to the platform's region."
        )
    identity = session.client("sts").get_caller_identity()
    settings = Settings(
        account_id=identity["Account"],
        region=session.region_name,
        partition=identity["Arn"].split(":")[1],
        policy=_deployed_policy(session, identity["Account"]),
    )
    operator_name = identity["Arn"].rpartition("/")[2].rpartition(":")[2]
    who = f"{names.PREFIX}-operator-{operator_name}"
    return Platform(settings, session, who, identity["Arn"])


def _deployed_policy(session: boto3.Session, account_id: str) -> names.Policy:
    """Read the policy that the stacks published. Raises UsageError when there is none."""
    client = session.client("ssm", config=_RETRIES)
    try:
        answer = client.get_parameter(Name=names.POLICY_PARAMETER)
    except client.exceptions.ParameterNotFound as error:
        raise UsageError(
            f"CloudSpend is not deployed in account {account_id}, region {session.region_name}.",
            remedy="Choose the platform's account and region (AWS_PROFILE, AWS_DEFAULT_REGION), or "
            "deploy this version: npx cdk deploy --all.",
        ) from error
    return names.Policy.from_json(answer["Parameter"]["Value"])


def own_files() -> DiskAndS3:
    """Return files on disk, and objects in S3 that the shell's credentials can read."""
    from cloudspend.convert.aws import S3Source
    from cloudspend.exports.aws import S3CustomerBucket
    from cloudspend.standalone.s3 import DiskAndS3, OwnS3

    def s3() -> OwnS3:
        client = boto3.Session().client("s3", config=_RETRIES)
        return OwnS3(S3CustomerBucket(client), S3Source(client))

    return DiskAndS3(s3)
