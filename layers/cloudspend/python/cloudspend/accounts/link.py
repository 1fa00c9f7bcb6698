"""The quick-create link for a customer.

AWS CloudFormation user guide, "Create quick-create links for stacks".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from cloudspend.accounts.member_stacks import NO_MEMBERS, MembersChoice
from cloudspend.accounts.model import Account, ConnectionKind, ExportSetup
from cloudspend.errors import UsageError
from cloudspend.settings import (
    CUSTOMER_STACK,
    EXPORT_STACK,
    MEMBERS_SET,
    TEMPLATE_VERSION,
    Settings,
)

MAX_LENGTH = 1024
# The longest month: source files must not expire before the data that was made from them.
DAYS_A_MONTH = 31

CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-cn": "console.amazonaws.cn",
}


@dataclass(frozen=True)
class StackChoices:
    """Options of the customer's stack beyond access: export resources, notifications and member
    accounts.

    For an access key, the stack creates no role, and without a role it cannot notify.
    """

    setup: ExportSetup = ExportSetup.CREATE_ALL
    phone_home: bool = True
    members: MembersChoice = NO_MEMBERS
    connection: ConnectionKind = ConnectionKind.IAM_ROLE

    @property
    def by_key(self) -> bool:
        """Return whether the account will be connected by an access key."""
        return self.connection is ConnectionKind.ACCESS_KEY


def quick_create_link(
    account: Account, token: str, settings: Settings, choices: StackChoices
) -> str:
    """Return the console URL that creates the customer's stack, with all parameters.

    The stack is in the platform's region, because a custom resource must use a topic in its own
    region. Raises UsageError when the link is longer than the console allows.
    """
    parameters = _parameters(account, token, settings, choices)
    stack = EXPORT_STACK if choices.by_key else CUSTOMER_STACK
    return _quick_create(settings, settings.template_url, stack, parameters)


def members_link(account: Account, settings: Settings, members: MembersChoice) -> str:
    """Return the console URL for a delegated administrator's stack, which has only the StackSet."""
    parameters = [
        ("PlatformAccountId", settings.account_id),
        ("ExternalId", account.external_id),
        ("MembersIn", ",".join(members.targets)),
    ]
    return _quick_create(settings, settings.members_template_url, MEMBERS_SET, parameters)


def _quick_create(
    settings: Settings, template_url: str, stack: str, parameters: Sequence[tuple[str, str]]
) -> str:
    query = _query(
        {
            "templateURL": template_url,
            "stackName": stack,
            **{f"param_{name}": value for name, value in parameters},
        }
    )
    link = f"{_console(settings)}#/stacks/quickcreate?{query}"
    if len(link) > MAX_LENGTH:
        raise UsageError(
            f"The quick-create link would have {len(link)} characters, and the AWS console takes "
            f"{MAX_LENGTH}.",
            remedy="Choose a shorter export bucket, prefix or name; of member accounts name fewer "
            "units, such as one that the others are in.",
        )
    return link


def is_outdated(account: Account) -> bool:
    """Return whether the customer's stack was created from an older template."""
    if account.role_arn is None or account.template_version is None:
        return False
    return int(account.template_version) < int(TEMPLATE_VERSION)


def update_link(account: Account, settings: Settings) -> str:
    """Return the console URL that updates the customer's stack with the newest template, keeping
    its parameters.
    """
    query = _query(
        {"stackId": account.stack_id or CUSTOMER_STACK, "templateURL": settings.template_url}
    )
    return f"{_console(settings)}#/stacks/update/template?{query}"


def _query(values: Mapping[str, str]) -> str:
    """Encode the query of a console URL.

    Colons, slashes and commas stay unencoded, as in AWS's examples (RFC 3986, section 3.5): ARNs,
    prefixes and lists contain many, and each would take three characters.
    """
    return urlencode(values, quote_via=quote, safe="/:,")


def _console(settings: Settings) -> str:
    host = f"{settings.region}.{CONSOLES[settings.partition]}"
    return f"https://{host}/cloudformation/home?region={settings.region}"


def _parameters(
    account: Account, token: str, settings: Settings, choices: StackChoices
) -> list[tuple[str, str]]:
    parameters = [
        ("PlatformAccountId", settings.account_id),
        ("ExternalId", account.external_id),
        ("ExportBucketName", account.export.bucket),
        ("ExportPrefix", account.export.prefix),
        ("ExportName", account.export.name),
        ("ExportKind", account.export.kind.value),
    ]
    if choices.setup is not ExportSetup.CREATE_ALL:
        parameters.append(("ExportSetup", choices.setup.value))
    if choices.members.in_the_same_stack:
        parameters.append(("MemberStacks", choices.members.stacks.value))
        parameters.append(("MembersIn", ",".join(choices.members.targets)))
    if choices.by_key:
        parameters.append(("Connection", choices.connection.value))
    elif choices.phone_home:
        # Otherwise omitted: the template's defaults are empty, and nothing is sent.
        parameters += [
            ("RegistrationTopicArn", settings.registration_topic_arn),
            ("RegistrationToken", token),
            ("DeliveriesBusArn", settings.deliveries_bus_arn),
        ]
    if account.retention_months is not None:
        # Otherwise omitted: the template's default applies.
        parameters.append(("RetentionDays", str(account.retention_months * DAYS_A_MONTH)))
    return parameters
