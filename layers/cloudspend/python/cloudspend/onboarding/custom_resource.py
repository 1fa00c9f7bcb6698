"""CloudFormation's custom resource protocol, for messages of unknown senders.

AWS CloudFormation user guide, "Custom resource request and response reference".
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cloudspend.settings import PREFIX

MAX_MESSAGE = 32 * 1024
MAX_FIELD = 2048
# S3 presigns for up to seven days. CloudFormation waits one hour and presigns for two.
MAX_EXPIRES = 2 * 60 * 60
# Amazon S3 API reference, "Authenticating Requests: Using Query Parameters (AWS Signature Version
# 4)". The security token is present when the signer's credentials are temporary.
SIGNED_WITH = {
    "X-Amz-Algorithm": re.compile("AWS4-HMAC-SHA256"),
    "X-Amz-Credential": re.compile(r"[A-Z0-9]{16,128}/[0-9]{8}/[a-z0-9-]{1,32}/s3/aws4_request"),
    "X-Amz-Date": re.compile("[0-9]{8}T[0-9]{6}Z"),
    "X-Amz-Expires": re.compile("[1-9][0-9]{0,5}"),
    "X-Amz-SignedHeaders": re.compile("host"),
    "X-Amz-Signature": re.compile("[0-9a-f]{64}"),
}
SIGNED_BY_A_SESSION = {"X-Amz-Security-Token": re.compile("[A-Za-z0-9/+=_-]{1,2000}")}
# CloudFormation accepts answers of 4,096 bytes; the other fields need up to half of it.
MAX_REASON = 1000


class Kind(StrEnum):
    """The request type of CloudFormation."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


class Status(StrEnum):
    """The status that CloudFormation expects."""

    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Request:
    """A request that can be answered. Nothing in it is verified."""

    kind: Kind
    response_url: str = field(repr=False)
    stack_id: str
    request_id: str
    logical_id: str
    properties: Mapping[str, Any] = field(repr=False)

    @property
    def physical_id(self) -> str:
        """Return an id that is stable for the life of the stack, so an update replaces nothing."""
        return f"{PREFIX}-registration-{_digest(self.stack_id)}"

    @property
    def name(self) -> str:
        """Return a name that is the same for every repeat of this request, with safe characters."""
        return _digest(f"{self.stack_id}\n{self.logical_id}\n{self.request_id}")

    def answer(self, status: Status, reason: str) -> dict[str, str]:
        """Return the body of the answer."""
        return {
            "Status": status.value,
            "Reason": reason[:MAX_REASON],
            "PhysicalResourceId": self.physical_id,
            "StackId": self.stack_id,
            "RequestId": self.request_id,
            "LogicalResourceId": self.logical_id,
        }


class Unanswerable(ValueError):
    """The message is not a request, or its response URL is not one of CloudFormation's."""


def parse(message: str, response_hosts: str) -> Request:
    """Parse a request. Raises Unanswerable, whose text repeats nothing of the message.

    `response_hosts` are the regular expressions of `Settings.response_hosts`, each for a whole
    `scheme://host[:port]`.
    """
    if len(message) > MAX_MESSAGE:
        raise Unanswerable(f"The message has more than {MAX_MESSAGE} characters.")
    body = _object(message)
    kind, properties = body.get("RequestType"), body.get("ResourceProperties")
    if kind not in list(Kind):
        raise Unanswerable("The message has no RequestType of a custom resource.")
    url = _text(body, "ResponseURL")
    if not acceptable(url, response_hosts):
        raise Unanswerable("The ResponseURL is not one that CloudFormation makes.")
    return Request(
        kind=Kind(str(kind)),
        response_url=url,
        stack_id=_text(body, "StackId"),
        request_id=_text(body, "RequestId"),
        logical_id=_text(body, "LogicalResourceId"),
        properties=properties if isinstance(properties, dict) else {},
    )


def acceptable(url: str, response_hosts: str) -> bool:
    """Return whether the platform may send the answer to `url`.

    Without this check, anyone could make the platform call any address.
    """
    # URL parsers disagree on the host for blanks, control characters and backslashes.
    if not re.fullmatch(r"[!-\[\]-~]+", url):
        return False
    try:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}".lower()
    except ValueError:
        return False
    if not any(re.fullmatch(pattern, origin) for pattern in response_hosts.split()):
        return False
    return len(parts.path) > 1 and "#" not in url and presigned(parts.query)


def presigned(query: str) -> bool:
    """Return whether a query is an S3 signature of version 4 for at most two hours.

    Other parameters and repeated parameters are refused.
    """
    try:
        found = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=10)
    except ValueError:
        return False
    given = dict(found)
    known = SIGNED_WITH | SIGNED_BY_A_SESSION
    if len(given) != len(found) or not SIGNED_WITH.keys() <= given.keys() <= known.keys():
        return False
    if not all(known[name].fullmatch(value) for name, value in found):
        return False
    return int(given["X-Amz-Expires"]) <= MAX_EXPIRES


def _object(message: str) -> dict[str, Any]:
    try:
        body = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise Unanswerable("The message is not JSON.") from error
    if not isinstance(body, dict):
        raise Unanswerable("The message is not a JSON object.")
    return body


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_FIELD:
        raise Unanswerable(f"The message has no {key} of up to {MAX_FIELD} characters.")
    return value


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]
