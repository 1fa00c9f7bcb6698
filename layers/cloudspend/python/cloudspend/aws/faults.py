"""What passes by itself at the services below the lake."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError, HTTPClientError

from cloudspend.errors import TransientError

# AWS Glue, Amazon Athena and Amazon S3 API references: what passes by itself, beside throttling.
TRANSIENT = frozenset(
    {
        "ConcurrentModificationException",
        "InternalError",
        "InternalServerException",
        "InternalServiceException",
        "OperationTimeoutException",
        "SlowDown",
        "TooManyRequestsException",
    }
)


# Amazon DynamoDB and AWS Step Functions API references, "Common errors".
REGISTRY_TRANSIENT = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)


@contextmanager
def transient_faults(service: str) -> Iterator[None]:
    """Raise what passes by itself as TransientError; leave everything else as it is."""
    try:
        yield
    except HTTPClientError as error:
        raise TransientError(f"{service} could not be reached.", cause=str(error)) from error
    except ClientError as error:
        if error.response["Error"]["Code"] not in REGISTRY_TRANSIENT:
            raise
        raise TransientError(f"{service} asks to try later.", cause=str(error)) from error


@contextmanager
def faults(service: str) -> Iterator[None]:
    """Raise what passes by itself as TransientError; leave everything else as it is."""
    try:
        with transient_faults(service):
            yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in TRANSIENT:
            raise
        raise TransientError(f"{service} asks to try later.", cause=str(error)) from error
