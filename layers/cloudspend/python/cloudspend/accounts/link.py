"""The quick-create link that a customer clicks.

AWS CloudFormation user guide, "Create quick-create links for stacks".
"""

from urllib.parse import quote, urlencode

from cloudspend.accounts.model import Account
from cloudspend.errors import UsageError
from cloudspend.settings import CUSTOMER_STACK, Settings

MAX_LENGTH = 1024
# The longest month: raw files must never go before the data made from them may.
DAYS_A_MONTH = 31

CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-cn": "console.amazonaws.cn",
}


def quick_create_link(account: Account, token: str, settings: Settings) -> str:
    """The console's page for creating the customer's stack, all parameters filled in.

    The stack stands in the platform's region, since a custom resource and the topic it speaks to
    must share one. Raises UsageError when the link is longer than the console takes.
    """
    query = urlencode(
        {
            "templateURL": settings.template_url,
            "stackName": CUSTOMER_STACK,
            **{f"param_{name}": value for name, value in _parameters(account, token, settings)},
        },
        quote_via=quote,
    )
    host = f"{settings.region}.{CONSOLES[settings.partition]}"
    console = f"https://{host}/cloudformation/home?region={settings.region}"
    link = f"{console}#/stacks/quickcreate?{query}"
    if len(link) > MAX_LENGTH:
        raise UsageError(
            f"The quick-create link would have {len(link)} characters, and the AWS console takes "
            f"{MAX_LENGTH}.",
            remedy="Choose a shorter export bucket, prefix or name.",
        )
    return link


def _parameters(account: Account, token: str, settings: Settings) -> list[tuple[str, str]]:
    parameters = [
        ("PlatformAccountId", settings.account_id),
        ("ExternalId", account.external_id),
        ("ExportBucketName", account.export.bucket),
        ("ExportPrefix", account.export.prefix),
        ("ExportName", account.export.name),
        ("ExportKind", account.export.kind.value),
        ("RegistrationTopicArn", settings.registration_topic_arn),
        ("RegistrationToken", token),
        ("DeliveriesBusArn", settings.deliveries_bus_arn),
    ]
    if account.retention_months is not None:
        # Left out otherwise: then the template's own default holds.
        parameters.append(("RetentionDays", str(account.retention_months * DAYS_A_MONTH)))
    return parameters
