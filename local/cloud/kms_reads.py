"""The key of an encrypted object, which ministack does not ask about when the object is read.

S3 asks KMS in the name of anyone who reads, who therefore needs `kms:Decrypt` with the key, and KMS
sees through which service it is asked (S3 user guide, "Using server-side encryption with AWS KMS
keys"; KMS developer guide, `kms:ViaService`).
"""

from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import s3

from local.cloud import seams

DECRYPT = "kms:Decrypt"
_KEY_OF_OBJECT = "x-amz-server-side-encryption-aws-kms-key-id"

Checks = list[tuple[str, str]]


def install() -> None:
    seams.around(iam_actions, "s3_additional_checks", _checks)
    seams.around(iam_evaluator, "enforce", _enforce)


def _checks(original: Callable[..., Checks], method: str, path: str, *rest: Any) -> Checks:
    """What a request for an object needs next to its own action, as action and ARN. `rest` are
    ministack's further arguments: headers, body and the request's parameters."""
    checks = original(method, path, *rest)
    # Only what is sent is decrypted: HEAD and the attributes are not.
    if method != "GET" or iam_actions._s3_action(method, path, rest[-1]) != "GetObject":
        return checks
    key = key_of(*path.lstrip("/").split("/", 1))
    return [*checks, (DECRYPT, key)] if key else checks


def key_of(bucket: str, name: str) -> str:
    """The ARN of the key that an object is encrypted with; nothing for one of S3's own keys."""
    owner = s3._bucket_owner_account(bucket)
    held = s3._buckets.get_scoped(owner, None, bucket) if owner else None
    found = held["objects"].get(name) if held else None
    return str(s3._stored_sse_headers(found).get(_KEY_OF_OBJECT, "")) if found else ""


def _enforce(
    original: Callable[..., Any],
    access_key: str,
    action: str,
    service: str,
    region: str,
    resource_arn: str = "*",
    service_context: dict[str, Any] | None = None,
) -> Any:
    """IAM's judgement; that of a key by the key's own policy as well, as for KMS's own requests."""
    if (action, service) != (DECRYPT, "s3"):
        return original(access_key, action, service, region, resource_arn, service_context)
    place = resource_arn.split(":")[3]
    via = {"kms:ViaService": f"s3.{place}.amazonaws.com"}
    return original(access_key, action, "kms", place, resource_arn, via)
