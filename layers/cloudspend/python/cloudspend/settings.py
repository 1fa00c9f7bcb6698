"""Names of everything that CloudSpend deploys, and its settings.

The stacks write them; functions and the command line read them. One platform lives in one account
and region, so every name follows from those two, without a lookup.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, field, fields
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
# Alerts as JSON, for machines; alerts for people are text.
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
# Access keys of customers: the prefix of their secrets, the alias of the encrypting key, and the
# tag of roles that can read them.
KEY_SECRETS = f"{PREFIX}/access-key"
KEY_ALIAS = f"alias/{PREFIX}"
KEY_READER = (f"{PREFIX}-enters-customers", "yes")
# Session tags in customers' accounts: purpose, caller, request, and the execution of a state
# machine.
SESSION_TAGS = tuple(f"{PREFIX}-{what}" for what in ("purpose", "by", "request", "execution"))
CUSTOMER_STACK = PREFIX
# The stack of an account that is connected by an access key: bucket and export, and no role. It has
# its own name, so that the customer's stack can be created later when the account moves to a role.
EXPORT_STACK = f"{PREFIX}-export"
# The role that StackSets create in member accounts of an organization, and the StackSet.
MEMBER_ROLE = f"{PREFIX}-member"
MEMBERS_SET = f"{PREFIX}-members"
# Folder of the lake bucket with the reports of offboardings.
OFFBOARDED = "offboarded"
CUSTOMER_TEMPLATE = f"{PREFIX}-customer.yaml"
MEMBERS_TEMPLATE = f"{PREFIX}-members.yaml"
# Incremented with every change of the template that customers should adopt.
TEMPLATE_VERSION = "4"
KIND_INDEX = "kind"
# Environment for NumPy, set before it is loaded: no threads for matrix products, which CloudSpend
# does not use. A starting thread spins for a tenth of a second, which is long on part of a
# processor.
LIGHT_START: Mapping[str, str] = {"OPENBLAS_NUM_THREADS": "1"}
# Days for which a deleted object of the lake can be restored.
VERSIONS_KEPT_DAYS = 7
MANIFEST_SUFFIX = "-Manifest.json"
# 512 MiB of CSV are about two million rows: a minute of conversion, within Lambda's 15 minutes and
# 4 GB of storage, and large enough for objects of more than 64 MB (docs/decisions/0057).
TASK_BYTES = 512 * 1024**2
# Each page costs 0.01 USD. A source takes a few pages a day, and many more for its first history.
COLLECT_PAGES = 200

# SSM parameter with the deployed policy as JSON.
POLICY_PARAMETER = f"/{PREFIX}/policy"
POLICY = "policy"
_DEPLOY_AGAIN = "Deploy CloudSpend again: npx cdk deploy --all."
_LEAST = "least"
TYPES: Mapping[str, type] = {"int": int, "str": str, "bool": bool}
TYPE_NAMES: Mapping[type, str] = {int: "a whole number", str: "a text", bool: "true or false"}

# AWS partitions and their domains (AWS General Reference, endpoints).
DOMAINS = {"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}
# Billing regions of the partitions (AWS General Reference, endpoints).
BILLING_REGIONS = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-northwest-1"}

# The only regions with AWS::CUR::ReportDefinition and AWS::BCMDataExports::Export (AWS
# CloudFormation template reference; AWS Data Exports user guide, "Quotas and restrictions"). A
# customer's stack is in the platform's region, so it can create an export only there.
EXPORT_REGIONS = ("us-east-1", "cn-northwest-1")


def _setting(default: int, least: int = 1) -> int:
    """Declare a number with its default and the smallest value that makes sense."""
    value: int = field(default=default, metadata={_LEAST: least})
    return value


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Settings of a stage that functions and the command line read at run time.

    This class is the only place that lists them. The stacks write them to the functions'
    environment and to the parameter `POLICY_PARAMETER`, which the command line reads.
    """

    # Executions of Ingest that one backfill runs at the same time.
    backfill_at_once: int = _setting(4)
    # Superseded generations of a billing period that are kept, the newest ones.
    kept_generations: int = _setting(3, least=0)
    # Days for which a superseded generation is kept after its delivery.
    kept_days: int = _setting(7, least=0)
    # Hours without a delivery after which an account is overdue.
    fresh_hours: int = _setting(36)
    # Compressed bytes of delivered files in one conversion task.
    task_bytes: int = _setting(TASK_BYTES)
    # Smallest anomaly: units of the billing currency per day beyond the expected cost.
    anomaly_money: int = _setting(50, least=0)
    # Smallest anomaly in multiples of the usual deviation (see findings.anomaly.Sensitivity).
    anomaly_deviations: int = _setting(6)
    # Pages of Cost Explorer that one account may be asked for per day, at 0.01 USD each.
    collect_pages: int = _setting(COLLECT_PAGES)
    # Days that sources collect again, where they differ from the source's own:
    # "budgets=1 invoices=3" (see collect.collect.overlaps).
    collect_overlaps: str = ""
    # Smallest monthly saving of a recommended purchase that becomes a finding, in currency units.
    recommendation_money: int = _setting(100, least=0)

    @classmethod
    def from_json(cls, text: str) -> "Policy":
        """Read the deployed parameter. Ignores settings of a newer deployment.

        Raises UsageError that names a setting with a wrong value.
        """
        try:
            values = json.loads(text)
        except ValueError:
            values = None
        if not isinstance(values, dict):
            raise UsageError(
                f"The parameter {POLICY_PARAMETER} is not a JSON object.", remedy=_DEPLOY_AGAIN
            )
        known = {f.name for f in fields(cls)}
        mine = {name: value for name, value in values.items() if name in known}
        return cls(**checked(cls, mine, f"The parameter {POLICY_PARAMETER}", _DEPLOY_AGAIN))

    def to_json(self) -> str:
        """Return the value of the deployed parameter."""
        return json.dumps(asdict(self), sort_keys=True)


def checked(
    kind: type[Any], values: Mapping[str, object], where: str, remedy: str
) -> dict[str, Any]:
    """Return `values` for the fields of the dataclass `kind`, after checking types and bounds.

    `where` begins the sentence of an error, for example "The stage file x.json". Raises UsageError
    that names the key, its value and the expected type.
    """
    known = {f.name: f for f in fields(kind)}
    for name, value in values.items():
        expected = known[name].type
        expected = expected if isinstance(expected, type) else TYPES[str(expected)]
        if type(value) is not expected:
            raise UsageError(
                f"{where} sets {name} to {json.dumps(value)}, which is not {TYPE_NAMES[expected]}.",
                remedy=remedy,
            )
        least = known[name].metadata.get(_LEAST)
        if least is not None and isinstance(value, int) and value < least:
            raise UsageError(
                f"{where} sets {name} to {value}; the smallest value is {least}.", remedy=remedy
            )
    return dict(values)


@dataclass(frozen=True)
class Settings:
    """Location of a platform, and the settings of its stage."""

    # The platform's account, 12 digits.
    account_id: str
    # The platform's region.
    region: str
    # aws, aws-us-gov or aws-cn.
    partition: str = "aws"
    # Hosts to which custom resources may be answered: regular expressions, separated by spaces,
    # each for a whole scheme://host[:port].
    response_hosts: str = field(default="", kw_only=True)
    # Settings of the stage that are read at run time.
    policy: Policy = field(default_factory=Policy, kw_only=True)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the variables that `to_env` wrote.

        Raises UsageError that names a missing or wrong variable.
        """
        source = os.environ if environ is None else environ
        own = [f for f in fields(cls) if f.name != POLICY]
        policy = {f.name: _variable(source, f) for f in fields(Policy)}
        return cls(**{f.name: _variable(source, f) for f in own}, policy=Policy(**policy))

    def to_env(self) -> dict[str, str]:
        """Return the environment of a Lambda function."""
        values = asdict(self)
        values |= values.pop(POLICY)
        return {ENVIRONMENT + name.upper(): str(value) for name, value in values.items()}

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
        """Return the ARN of the text topic for a severity (info, warning, critical)."""
        return self._arn("sns", f"{ALERT_TOPIC}-{severity}")

    @property
    def event_topic_arn(self) -> str:
        """Return the ARN of the JSON topic for every alert."""
        return self._arn("sns", EVENT_TOPIC)

    @property
    def chat_topic_arn(self) -> str:
        """Return the ARN of the topic for Slack and Teams."""
        return self._arn("sns", CHAT_TOPIC)

    def dead_letters_arn(self, room: str) -> str:
        """Return the ARN of a room's dead letter queue."""
        return self._arn("sqs", dead_letters(room))

    def _published(self, template: str) -> str:
        domain = DOMAINS[self.partition]
        return f"https://{self.template_bucket}.s3.{self.region}.{domain}/{template}"

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"


def dead_letters(room: str) -> str:
    """Return the name of a room's dead letter queue."""
    return f"{PREFIX}-{room}-{DEAD_LETTERS}"


def _variable(source: Mapping[str, str], setting: Field[Any]) -> Any:
    """Return the typed value of a setting's environment variable."""
    name = ENVIRONMENT + setting.name.upper()
    if name not in source:
        raise UsageError(
            f"The environment variable {name} is not set.",
            remedy="Deploy the function with CloudSpend's stacks, which set it.",
        )
    text = source[name]
    if setting.type not in (int, "int"):
        return text
    if not text.isdecimal():
        raise UsageError(f"The environment variable {name} is {text!r}, which is not a number.")
    return int(text)
