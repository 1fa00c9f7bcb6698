"""From an invitation to an active account: the template, the topic it speaks to, and Onboard."""

from collections.abc import Sequence
from pathlib import Path

from aws_cdk import CfnOutput, CustomResource, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cloudspend import settings as names
from cloudspend.lake.tables import TABLES
from cloudspend.reconcile.tables import TABLES as PROOF_TABLES
from stacks.constructs.functions import PythonTask
from stacks.constructs.review import accept, allow
from stacks.constructs.storage import PrivateBucket
from stacks.onboard_flow import OnboardTasks, onboard_flow
from stacks.stack_context import StackContext


class OnboardingStack(Stack):
    """`templates` are the files that customers create their stacks from."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        ground: StackContext,
        templates: Sequence[Path],
    ) -> None:
        super().__init__(scope, construct_id, description="CloudSpend: onboarding of accounts")
        self._access = ground.access
        self._functions = ground.tasks(self)
        self.dead_letters = ground.dead_letters(self, "onboarding")
        tasks = OnboardTasks(
            verify=self._verify(),
            check_permissions=self._check_permissions(),
            activate=self._activate(),
            backfill=self._backfill(),
            report=self._report(),
        )
        self.onboard = ground.machine(
            self,
            "Onboard",
            name=names.ONBOARD_MACHINE,
            definition=onboard_flow(self, ground.stage, tasks),
            timeout=Duration.hours(24),
            calls=tasks.all,
        )
        self._registrations()
        bucket = self._template_bucket(ground)
        self._publish(templates, bucket)
        CfnOutput(
            self,
            "TemplateUrl",
            value=f"https://{bucket.bucket_regional_domain_name}/{names.CUSTOMER_TEMPLATE}",
            description="The template that quick-create links point to",
        )

    def _verify(self) -> PythonTask:
        task = self._functions.task(
            "onboard_verify", "Proves the connection to a customer's account"
        )
        self._access.registry(task.task_role, "GetItem", "PutItem")
        self._access.customers(task.task_role)
        self._access.bus(task.task_role)
        return task

    def _check_permissions(self) -> PythonTask:
        task = self._functions.task(
            "onboard_check_permissions",
            "Tries each permission in a customer's account with a real call",
        )
        self._access.registry(task.task_role, "BatchWriteItem", "GetItem", "PutItem", "Query")
        self._access.account_list(task.task_role)
        self._access.customers(task.task_role)
        self._access.forgetting_keys(task.task_role)
        self._access.bus(task.task_role)
        return task

    def _activate(self) -> PythonTask:
        task = self._functions.task(
            "onboard_activate", "Activates an account whose proofs are all there"
        )
        self._access.registry(task.task_role, "GetItem", "PutItem", "Query")
        self._access.bus(task.task_role)
        return task

    def _backfill(self) -> PythonTask:
        task = self._functions.task(
            "onboard_backfill",
            "Starts Ingest for the deliveries that were there before the account was active",
            timeout=Duration.minutes(15),
        )
        # Months that the account's bill has by now are withdrawn from members that it covers.
        self._access.registry(task.task_role, "DeleteItem", "GetItem", "Query", "UpdateItem")
        self._access.account_list(task.task_role)
        self._access.removal(task.task_role, *TABLES, *PROOF_TABLES)
        self._access.customers(task.task_role)
        self._access.executions(task.task_role, names.INGEST_MACHINE)
        self._access.bus(task.task_role)
        return task

    def _report(self) -> PythonTask:
        task = self._functions.task(
            "onboard_report_failure", "Records and announces why an account is not active"
        )
        self._access.registry(task.task_role, "GetItem", "PutItem")
        self._access.bus(task.task_role)
        return task

    def _registrations(self) -> None:
        """A topic that every account may publish to: CloudFormation speaks to it in the name of
        anyone who creates the stack. What a message claims counts only with the invitation's
        token.
        """
        task = self._functions.task(
            "onboard_register",
            "Answers customers' stacks and registers the accounts that hold a valid invitation",
            dead_letters=self.dead_letters,
        )
        self._access.registry(task.task_role, "DeleteItem", "GetItem", "PutItem", "UpdateItem")
        self._access.bus(task.task_role)
        self._access.executions(task.task_role, names.ONBOARD_MACHINE)
        # Not encrypted with the platform's key: publishers in other accounts would need that key.
        topic = sns.Topic(
            self,
            "Registration",
            topic_name=names.REGISTRATION_TOPIC,
            display_name="CloudSpend registration",
            enforce_ssl=True,
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="StacksOfAnyAccount",
                principals=[iam.AnyPrincipal()],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
            )
        )
        topic.add_subscription(
            subscriptions.LambdaSubscription(task, dead_letter_queue=self.dead_letters)
        )

    def _template_bucket(self, ground: StackContext) -> s3.Bucket:
        """Everyone may read the templates, and nothing else is here: a quick-create link is
        opened with the customer's credentials, and who grants a role may read what it grants."""
        bucket = PrivateBucket(
            self,
            "Template",
            name=ground.settings.template_bucket,
            stage=ground.stage,
            logs=ground.lake.logs,
            public_policy=True,
        )
        accept(
            bucket,
            "Public for the objects that customers must be able to read before they trust us.",
            "S2",
        )
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="EveryoneReadsTheTemplates",
                principals=[iam.AnyPrincipal()],
                actions=["s3:GetObject"],
                resources=_in(bucket),
            )
        )
        return bucket

    def _publish(self, templates: Sequence[Path], bucket: s3.Bucket) -> None:
        task = self._functions.task(
            "onboard_publish_template", "Puts the templates where customers read them"
        )
        allow(task.task_role, ["s3:DeleteObject", "s3:PutObject"], _in(bucket))
        for template in templates:
            name = template.stem.removeprefix(f"{names.PREFIX}-").capitalize()
            source = assets.Asset(self, f"{name}TemplateFile", path=str(template))
            allow(
                task.task_role,
                ["s3:GetObject"],
                [source.bucket.arn_for_objects(source.s3_object_key)],
            )
            published = CustomResource(
                self,
                f"Published{name}Template",
                resource_type="Custom::CloudSpendTemplate",
                service_token=task.function_arn,
                service_timeout=Duration.minutes(5),
                properties={
                    "Template": template.name,
                    "Bucket": source.s3_bucket_name,
                    "Key": source.s3_object_key,
                },
            )
            published.node.add_dependency(task.task_role, bucket)


def _in(bucket: s3.Bucket) -> list[str]:
    return [
        bucket.arn_for_objects(name) for name in (names.CUSTOMER_TEMPLATE, names.MEMBERS_TEMPLATE)
    ]
