"""CloudFormation's custom resource protocol, for messages that anyone may have sent.

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
# S3 presigns for seven days at most; CloudFormation waits for an hour, and presigns for two.
MAX_EXPIRES = 2 * 60 * 60
# Amazon S3 API reference, "Authenticating Requests: Using Query Parameters (AWS Signature Version
# 4)". The token is there when the signer's own credentials are temporary.
SIGNED_WITH = {
    "X-Amz-Algorithm": re.compile("AWS4-HMAC-SHA256"),
    "X-Amz-Credential": re.compile(r"[A-Z0-9]{16,128}/[0-9]{8}/[a-z0-9-]{1,32}/s3/aws4_request"),
    "X-Amz-Date": re.compile("[0-9]{8}T[0-9]{6}Z"),
    "X-Amz-Expires": re.compile("[1-9][0-9]{0,5}"),
    "X-Amz-SignedHeaders": re.compile("host"),
    "X-Amz-Signature": re.compile("[0-9a-f]{64}"),
}
SIGNED_BY_A_SESSION = {"X-Amz-Security-Token": re.compile("[A-Za-z0-9/+=_-]{1,2000}")}
# CloudFormation takes answers of 4,096 bytes; the other fields need up to half of it.
MAX_REASON = 1000


class Kind(StrEnum):
    """What CloudFormation wants done."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


class Status(StrEnum):
    """What CloudFormation understands."""

    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Request:
    """A request that can be answered. Nothing in it is proved."""

    kind: Kind
    response_url: str = field(repr=False)
    stack_id: str
    request_id: str
    logical_id: str
    properties: Mapping[str, Any] = field(repr=False)

    @property
    def physical_id(self) -> str:
        """The same for the whole life of the stack, so that an update replaces nothing."""
        return f"{PREFIX}-registration-{_digest(self.stack_id)}"

    @property
    def name(self) -> str:
        """The same for every repeat of this request; safe in any name."""
        return _digest(f"{self.stack_id}\n{self.logical_id}\n{self.request_id}")

    def answer(self, status: Status, reason: str) -> dict[str, str]:
        """The body that CloudFormation waits for."""
        return {
            "Status": status.value,
            "Reason": reason[:MAX_REASON],
            "PhysicalResourceId": self.physical_id,
            "StackId": self.stack_id,
            "RequestId": self.request_id,
            "LogicalResourceId": self.logical_id,
        }


class Unanswerable(ValueError):
    """The message is no request, or asks for an answer to a place that is not CloudFormation's."""


def parse(message: str, response_hosts: str) -> Request:
    """Read a request. Raises Unanswerable, whose text says why and repeats nothing of a stranger's.

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
    """Whether the platform may call `url`: otherwise anyone could make it call any address, or do
    with an address that it may call something other than to leave an answer there."""
    # Blanks, control characters and backslashes are where URL readers disagree on the host.
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
    """Whether a query is what S3 takes as a signature of version 4, for an hour or two, and nothing
    else: no other parameter, and none twice."""
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
