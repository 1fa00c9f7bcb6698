"""Calls to AWS, and what their errors mean."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError

from cloudspend.errors import TransientError

DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "UnauthorizedOperation"}
)
# A key that AWS does not know (any more), or that is switched off; a secret that is not its own.
INVALID_KEY = frozenset(
    {
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
TRANSIENT = frozenset(
    {
        "InternalError",
        "InternalServiceError",
        "LimitExceededException",
        "RequestLimitExceeded",
        "ServiceException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


def call(function: Callable[..., Any], **arguments: Any) -> Any:
    """Call AWS; raises TransientError for what passes by itself, else ClientError."""
    try:
        return function(**arguments)
    except HTTPClientError as error:
        raise TransientError("AWS could not be reached.", cause=str(error)) from error
    except ClientError as error:
        if code(error) in TRANSIENT or _status(error) >= 500:
            raise TransientError("AWS asks to try later.", cause=str(error)) from error
        raise


def code(error: ClientError) -> str:
    """The error's name."""
    return error.response["Error"]["Code"]


def _status(error: ClientError) -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]
