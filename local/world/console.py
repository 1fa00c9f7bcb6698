"""What the AWS console does with a CloudFormation quick-create link, once the customer clicks.

Everything that the stack gets comes out of the link: template, name and parameters. Parameters that
the template does not declare are ignored, as are those declared `NoEcho` (AWS CloudFormation user
guide, "Create quick-create links").
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.exceptions import ClientError, WaiterError

CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM")
_PARAMETER = "param_"
_QUICK_CREATE = "/stacks/quickcreate"
_MOST_CHARACTERS = 1024


class StackFailed(Exception):
    """The console would show the stack as failed; the text is the reason of the first failure."""


@dataclass(frozen=True)
class QuickCreate:
    """What a quick-create link says."""

    region: str
    template_bucket: str
    template_key: str
    stack_name: str
    parameters: dict[str, str]

    @classmethod
    def parse(cls, link: str) -> "QuickCreate":
        """Read a link. Raises ValueError for what the console would not follow."""
        if len(link) > _MOST_CHARACTERS:
            raise ValueError(f"The link has {len(link)} characters, more than {_MOST_CHARACTERS}.")
        url = urlsplit(link)
        fragment = urlsplit(url.fragment)
        if url.scheme != "https" or fragment.path != _QUICK_CREATE:
            raise ValueError(f"{link} is no quick-create link.")
        stated = {
            name: values[0]
            for name, values in parse_qs(fragment.query, strict_parsing=True).items()
        }
        missing = {"templateURL", "stackName"} - set(stated)
        if missing:
            raise ValueError(f"The link has no {' and no '.join(sorted(missing))}.")
        bucket, key = _template_place(stated["templateURL"])
        parameters = {
            name.removeprefix(_PARAMETER): value
            for name, value in stated.items()
            if name.startswith(_PARAMETER)
        }
        return cls(_region(url.query), bucket, key, stated["stackName"], parameters)


def follow(link: str, session: boto3.Session) -> dict[str, str]:
    """Create the stack as `session`'s account and return its outputs.

    Raises ValueError for a link that the console would not follow, StackFailed when the stack does
    not come up.
    """
    wanted = QuickCreate.parse(link)
    cloudformation = session.client("cloudformation", region_name=wanted.region)
    template = _download(session, wanted)
    declared = cloudformation.validate_template(TemplateBody=template)["Parameters"]
    cloudformation.create_stack(
        StackName=wanted.stack_name,
        TemplateBody=template,
        Capabilities=list(CAPABILITIES),
        Parameters=_parameters(wanted, declared),
    )
    _wait(cloudformation, wanted.stack_name)
    stack = cloudformation.describe_stacks(StackName=wanted.stack_name)["Stacks"][0]
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}


def _region(query: str) -> str:
    regions = parse_qs(query).get("region", [])
    if len(regions) != 1:
        raise ValueError("The link names no region.")
    return regions[0]


def _template_place(url: str) -> tuple[str, str]:
    """Bucket and key of `https://<bucket>.s3.<region>.<domain>/<key>`; CloudFormation takes
    templates from S3 only."""
    parts = urlsplit(url)
    bucket, found, _ = (parts.hostname or "").partition(".s3.")
    if parts.scheme != "https" or not found or not parts.path.strip("/"):
        raise ValueError(f"{url} is no template in S3.")
    return bucket, parts.path.lstrip("/")


def _download(session: boto3.Session, wanted: QuickCreate) -> str:
    """The template, read with the customer's own permissions as CloudFormation does."""
    s3 = session.client("s3", region_name=wanted.region)
    try:
        answer = s3.get_object(Bucket=wanted.template_bucket, Key=wanted.template_key)
    except ClientError as error:
        raise StackFailed(f"The template cannot be read: {error}") from error
    return str(answer["Body"].read().decode())


def _parameters(wanted: QuickCreate, declared: list[Any]) -> list[Any]:
    taken = {each["ParameterKey"] for each in declared if not each.get("NoEcho")}
    return [
        {"ParameterKey": name, "ParameterValue": value}
        for name, value in wanted.parameters.items()
        if name in taken
    ]


def _wait(cloudformation: Any, stack: str) -> None:
    waiter = cloudformation.get_waiter("stack_create_complete")
    try:
        waiter.wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 180})
    except WaiterError as error:
        raise StackFailed(_reason(cloudformation, stack)) from error


def _reason(cloudformation: Any, stack: str) -> str:
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    failures = [each for each in events if each["ResourceStatus"].endswith("_FAILED")]
    if not failures:
        return f"The stack {stack} did not come up in time."
    first = min(failures, key=lambda each: each["Timestamp"])
    reason = first.get("ResourceStatusReason", "no reason given")
    return f"{first['LogicalResourceId']} failed: {reason}"
