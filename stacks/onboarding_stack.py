"""From an invitation to an active account: template, registration door, the Onboard machine."""

from pathlib import Path

from aws_cdk import App, CustomResource, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cloudspend import settings as names
from cloudspend.alerts.event import Severity
from cloudspend.errors import ConnectionRefused
from cloudspend.errors import names as error_names
from cloudspend.settings import Settings
from stacks.alerts_stack import AlertsStack
from stacks.constructs.machine import StateMachine, accept_versions, catch_all, step
from stacks.constructs.review import accept, allow
from stacks.constructs.storage import PrivateBucket
from stacks.constructs.task import PythonTask, Size, Workshop
from stacks.customer_stack import customer_template
from stacks.lake_stack import LakeStack
from stacks.stage import Stage

READ_REGISTRY = ("GetItem", "Query")
WRITE_REGISTRY = (*READ_REGISTRY, "ConditionCheckItem", "DeleteItem", "PutItem", "UpdateItem")
VERIFY_ATTEMPTS = 3
MINUTES = Size(seconds=300)


class OnboardingStack(Stack):
    """Everything between `cloudspend accounts invite` and the first bill."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        settings: Settings,
        lake: LakeStack,
        alerts: AlertsStack,
    ) -> None:
        super().__init__(scope, construct_id, description="CloudSpend: onboarding of accounts")
        self._lake = lake
        self._workshop = Workshop(self, stage=stage, settings=settings)
        self._template(settings, stage)
        self._door()
        self._machine(stage, alerts)

    def _template(self, settings: Settings, stage: Stage) -> None:
        """The customer's template, which whoever gets a link can read before signing in."""
        bucket = PrivateBucket(
            self, "Template", name=settings.template_bucket, stage=stage, logs=self._lake.logs
        )
        resource = bucket.node.default_child
        if isinstance(resource, s3.CfnBucket):
            resource.public_access_block_configuration = (
                s3.CfnBucket.PublicAccessBlockConfigurationProperty(
                    block_public_acls=True,
                    ignore_public_acls=True,
                    block_public_policy=False,
                    restrict_public_buckets=False,
                )
            )
        accept(
            bucket,
            "One object is public on purpose: the template that customers review and deploy. It "
            "holds no secret; ACLs stay blocked and the policy names that one key.",
            "S2",
        )
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AnyoneMayReadTheTemplate",
                principals=[iam.StarPrincipal()],
                actions=["s3:GetObject"],
                resources=[bucket.arn_for_objects(names.CUSTOMER_TEMPLATE)],
            )
        )
        asset = assets.Asset(self, "TemplateFile", path=str(self._write_template()))
        publish = PythonTask(
            self._workshop,
            "publish_template",
            description="puts the customer's template where the link points",
        )
        allow(
            publish.task_role,
            ["s3:PutObject"],
            [bucket.arn_for_objects(names.CUSTOMER_TEMPLATE)],
        )
        allow(
            publish.task_role,
            ["s3:GetObject"],
            [f"arn:{self.partition}:s3:::{asset.s3_bucket_name}/{asset.s3_object_key}"],
        )
        placed = CustomResource(
            self,
            "PublishedTemplate",
            service_token=publish.function_arn,
            resource_type="Custom::CloudSpendTemplate",
            properties={"Bucket": asset.s3_bucket_name, "Key": asset.s3_object_key},
        )
        placed.node.add_dependency(bucket, publish.task_role)

    def _write_template(self) -> Path:
        app = self.node.root
        folder = Path(app.outdir if isinstance(app, App) else "cdk.out")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / names.CUSTOMER_TEMPLATE
        path.write_text(customer_template(), encoding="utf-8")
        return path

    def _door(self) -> None:
        """The registration topic. Any account may knock; what it says is proved afterwards."""
        topic = sns.Topic(
            self, "Registration", topic_name=names.REGISTRATION_TOPIC, enforce_ssl=True
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="CustomersStacksPhoneHome",
                principals=[iam.StarPrincipal()],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
            )
        )
        register = PythonTask(
            self._workshop,
            "register",
            description="answers the customers' stacks",
            dead_letters=True,
        )
        access = self._lake.access
        access.registry(register.task_role, *WRITE_REGISTRY)
        access.bus(register.task_role)
        access.executions(register.task_role, names.ONBOARD_MACHINE)
        topic.add_subscription(
            subscriptions.LambdaSubscription(register, dead_letter_queue=self._workshop.failed)
        )

    def _machine(self, stage: Stage, alerts: AlertsStack) -> None:
        verify = self._function("verify_connection", "proves the connection", customers=True)
        check = self._function("check_permissions", "tries each permission", customers=True)
        activate = self._function("activate", "makes an account active", bus=True)
        backfill = self._function("backfill", "takes in what was delivered", customers=True)
        report = self._function("report_onboarding_failure", "says what to do", bus=True)
        self._lake.access.executions(backfill.task_role, names.INGEST_MACHINE)

        failed = step(self, "Report the failure", report, stage).next(
            sfn.Fail(self, "Not activated", error="OnboardingFailed", cause="See the alert.")
        )
        steps = [
            step(self, "Verify the connection", verify, stage),
            step(self, "Check permissions", check, stage),
            step(self, "Activate", activate, stage),
            step(self, "Backfill", backfill, stage),
        ]
        # A role that was created a moment ago may not be there yet for all of IAM.
        steps[0].add_retry(
            errors=error_names(ConnectionRefused),
            interval=Duration.seconds(stage.role_settle_seconds),
            max_attempts=VERIFY_ATTEMPTS - 1,
            backoff_rate=2,
        )
        catch_all(steps, failed)
        chain = sfn.Chain.start(steps[0])
        for later in steps[1:]:
            chain = chain.next(later)
        machine = StateMachine(
            self,
            "Onboard",
            name=names.ONBOARD_MACHINE,
            definition=chain.next(sfn.Succeed(self, "Active")),
            alarm_topic=alerts.topics[Severity.CRITICAL],
        )
        accept_versions(machine.task_role, verify, check, activate, backfill, report)

    def _function(
        self, module: str, description: str, *, customers: bool = False, bus: bool = False
    ) -> PythonTask:
        function = PythonTask(self._workshop, module, description=description, size=MINUTES)
        access = self._lake.access
        access.registry(function.task_role, *WRITE_REGISTRY)
        if customers:
            access.customers(function.task_role)
        if bus:
            access.bus(function.task_role)
        return function
