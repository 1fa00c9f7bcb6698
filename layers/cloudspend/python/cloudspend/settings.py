"""The names of everything CloudSpend deploys: written by the stacks, read by Lambdas and CLI.

One platform lives in one account and region, so that every name follows from those two and no
look-up is needed.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from cloudspend.errors import UsageError

PREFIX = "cloudspend"
ENVIRONMENT = "CLOUDSPEND_"
EVENT_SOURCE = PREFIX

DATABASE = PREFIX
WORKGROUP = PREFIX
REGISTRY_TABLE = PREFIX
EVENT_BUS = PREFIX
SCHEMA_REGISTRY = PREFIX
DELIVERIES_BUS = f"{PREFIX}-deliveries"
REGISTRATION_TOPIC = f"{PREFIX}-registration"
ALERT_TOPIC = f"{PREFIX}-alerts"
# Alerts as JSON, for machines; those for people are text.
EVENT_TOPIC = f"{PREFIX}-events"
CHAT_TOPIC = f"{PREFIX}-chat"
DEAD_LETTERS = "dead-letters"
ONBOARD_MACHINE = f"{PREFIX}-onboard"
INGEST_MACHINE = f"{PREFIX}-ingest"
SWEEP_MACHINE = f"{PREFIX}-sweep"
COLLECT_MACHINE = f"{PREFIX}-collect"
RECONCILE_MACHINE = f"{PREFIX}-reconcile"
FINDINGS_MACHINE = f"{PREFIX}-findings"
OFFBOARD_MACHINE = f"{PREFIX}-offboard"
CUSTOMER_ROLE = f"{PREFIX}-access"
# Customers' access keys: their secrets' names, the alias of the key that encrypts them, and the tag
# of the roles that may read them.
KEY_SECRETS = f"{PREFIX}/access-key"
KEY_ALIAS = f"alias/{PREFIX}"
KEY_READER = (f"{PREFIX}-enters-customers", "yes")
# What a session in a customer's account says of itself: what for, by whom, for which request, and
# in which execution of which state machine.
SESSION_TAGS = tuple(f"{PREFIX}-{what}" for what in ("purpose", "by", "request", "execution"))
CUSTOMER_STACK = PREFIX
# The stack of an account that is connected by an access key: bucket and export, and no role. One of
# its own, so that the customer's stack can be made beside it once the account moves to a role.
EXPORT_STACK = f"{PREFIX}-export"
# What StackSets creates in member accounts of an organization, and the set that does it.
MEMBER_ROLE = f"{PREFIX}-member"
MEMBERS_SET = f"{PREFIX}-members"
# Where in the lake bucket the reports of offboardings stand.
OFFBOARDED = "offboarded"
CUSTOMER_TEMPLATE = f"{PREFIX}-customer.yaml"
MEMBERS_TEMPLATE = f"{PREFIX}-members.yaml"
# Raised with every change of the template that customers should take over.
TEMPLATE_VERSION = "4"
KIND_INDEX = "kind"
# What a process must find in its environment before numpy is loaded: no threads for products of
# matrices, of which there are none. As it starts, such a thread waits on a processor for a tenth of
# a second, which is long where a function starts on part of one.
LIGHT_START: Mapping[str, str] = {"OPENBLAS_NUM_THREADS": "1"}
# For so long an object that was deleted from the lake can be brought back.
VERSIONS_KEPT_DAYS = 7
MANIFEST_SUFFIX = "-Manifest.json"
# 512 MiB of csv are some two million rows: a minute of conversion for Lambda, which ends a function
# after 15, and far less than its 4 GB of storage as Parquet; large enough that `cost_and_usage`
# comes out in files of more than 64 MB (docs/decisions/0057).
TASK_BYTES = 512 * 1024**2
# At 0.01 USD a page. Each source takes a page or a few a day, its first history many more.
COLLECT_PAGES = 200

# The partition names of AWS and the domain that goes with each (AWS General Reference, endpoints).
DOMAINS = {"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}
# Where each partition keeps its billing services (AWS General Reference, endpoints).
BILLING_REGIONS = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-northwest-1"}

# AWS::CUR::ReportDefinition and AWS::BCMDataExports::Export exist here only (AWS CloudFormation
# template reference; AWS Data Exports user guide, "Quotas and restrictions"). A customer's stack
# stands in the platform's region, so that it can make an export nowhere else.
EXPORT_REGIONS = ("us-east-1", "cn-northwest-1")


@dataclass(frozen=True)
class Settings:
    """Where the platform is, and what the stage sets.

    `response_hosts` lists the regular expressions that a custom resource's ResponseURL host must
    match (whole), separated by spaces. A backfill runs `backfill_at_once` executions of Ingest.
    `kept_generations` and `kept_days`: see `cloudspend.lake.retention.Kept`. An account is overdue
    that AWS has delivered nothing for in `fresh_hours`. A conversion task takes files of
    `task_bytes` compressed bytes together. A cost is an anomaly from `anomaly_money` units of the
    currency a day and `anomaly_deviations` beyond what was expected: see
    `cloudspend.findings.anomaly.Sensitivity`; a recommended purchase is worth a finding that saves
    `recommendation_money` a month. Of Cost Explorer an account is asked for
    `collect_pages` pages a day at most; see `cloudspend.collect.collect.overlaps` for
    `collect_overlaps`.
    """

    account_id: str
    region: str
    partition: str = "aws"
    response_hosts: str = ""
    backfill_at_once: int = 4
    kept_generations: int = 3
    kept_days: int = 7
    fresh_hours: int = 36
    task_bytes: int = TASK_BYTES
    anomaly_money: int = 50
    anomaly_deviations: int = 6
    collect_pages: int = COLLECT_PAGES
    collect_overlaps: str = ""
    recommendation_money: int = 100

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read what `to_env` wrote. Raises UsageError that names the variable which is missing or
        wrong."""
        source = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for field in fields(cls):
            name = ENVIRONMENT + field.name.upper()
            if name not in source:
                raise UsageError(
                    f"The environment variable {name} is not set.",
                    remedy="Deploy the function with CloudSpend's stacks, which set it.",
                )
            values[field.name] = _typed(name, source[name], field.type is int)
        return cls(**values)

    def to_env(self) -> dict[str, str]:
        """The environment of a Lambda function."""
        return {
            ENVIRONMENT + field.name.upper(): str(getattr(self, field.name))
            for field in fields(self)
        }

    @property
    def lake_bucket(self) -> str:
        return f"{PREFIX}-lake-{self.account_id}-{self.region}"

    @property
    def results_bucket(self) -> str:
        return f"{PREFIX}-results-{self.account_id}-{self.region}"

    @property
    def template_bucket(self) -> str:
        return f"{PREFIX}-template-{self.account_id}-{self.region}"

    @property
    def template_url(self) -> str:
        return self._published(CUSTOMER_TEMPLATE)

    @property
    def members_template_url(self) -> str:
        return self._published(MEMBERS_TEMPLATE)

    @property
    def registration_topic_arn(self) -> str:
        return self._arn("sns", REGISTRATION_TOPIC)

    @property
    def event_bus_arn(self) -> str:
        return self._arn("events", f"event-bus/{EVENT_BUS}")

    @property
    def deliveries_bus_arn(self) -> str:
        return self._arn("events", f"event-bus/{DELIVERIES_BUS}")

    @property
    def onboard_machine_arn(self) -> str:
        return self._arn("states", f"stateMachine:{ONBOARD_MACHINE}")

    @property
    def ingest_machine_arn(self) -> str:
        return self._arn("states", f"stateMachine:{INGEST_MACHINE}")

    @property
    def sweep_machine_arn(self) -> str:
        return self._arn("states", f"stateMachine:{SWEEP_MACHINE}")

    @property
    def findings_machine_arn(self) -> str:
        return self._arn("states", f"stateMachine:{FINDINGS_MACHINE}")

    @property
    def collect_machine_arn(self) -> str:
        return self._arn("states", f"stateMachine:{COLLECT_MACHINE}")

    @property
    def offboard_machine_arn(self) -> str:
        return self._arn("states", f"stateMachine:{OFFBOARD_MACHINE}")

    def alert_topic_arn(self, severity: str) -> str:
        """The topic that alerts of `severity` (info, warning, critical) go to as text."""
        return self._arn("sns", f"{ALERT_TOPIC}-{severity}")

    @property
    def event_topic_arn(self) -> str:
        """The topic that every alert is published to as JSON."""
        return self._arn("sns", EVENT_TOPIC)

    @property
    def chat_topic_arn(self) -> str:
        """Where alerts go in the form that Slack and Teams show."""
        return self._arn("sns", CHAT_TOPIC)

    def dead_letters_arn(self, room: str) -> str:
        """The queue of what a room could not handle."""
        return self._arn("sqs", dead_letters(room))

    def _published(self, template: str) -> str:
        domain = DOMAINS[self.partition]
        return f"https://{self.template_bucket}.s3.{self.region}.{domain}/{template}"

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"


def dead_letters(room: str) -> str:
    """The name of the queue of what a room could not handle."""
    return f"{PREFIX}-{room}-{DEAD_LETTERS}"


def _typed(name: str, text: str, number: bool) -> str | int:
    if not number:
        return text
    if not text.isdecimal():
        raise UsageError(f"The environment variable {name} is {text!r}, which is no number.")
    return int(text)
