"""One call to SNS, EventBridge, SQS or Lambda, and whether it is worth trying again."""

from typing import Any

from botocore.exceptions import ClientError, HTTPClientError

from cloudspend.errors import TransientError

# Amazon SNS, Amazon SQS, AWS Lambda and Amazon EventBridge API references, "Common errors".
TRANSIENT = frozenset(
    {
        "InternalError",
        "InternalException",
        "InternalFailure",
        "RequestThrottled",
        "ServiceException",
        "ServiceUnavailable",
        "Throttled",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


def call(function: Any, what: str, **arguments: Any) -> Any:
    """The answer of `function`. Raises TransientError, whose sentence begins with `what`, where the
    service asks to try later, ClientError otherwise."""
    try:
        return function(**arguments)
    except HTTPClientError as error:
        raise TransientError(f"{what} could not be reached.", cause=str(error)) from error
    except ClientError as error:
        if error.response["Error"]["Code"] not in TRANSIENT:
            raise
        raise TransientError(f"{what} asks to try later.", cause=str(error)) from error
