"""Errors of AWS services: one classification for the whole library.

An error of the SDK is one of four things:

    transient   throttling, timeouts, broken connections, HTTP 500 and above: TransientError
    the user's  no credentials, or expired ones of a sign-in: UsageError
    ours        a request that the SDK itself refuses as malformed: Defect
    an answer   anything else: a ClientError that the calling room interprets (denied, not found)

Sources: botocore's own retry lists (`botocore.retries.standard`; AWS SDKs and Tools Reference
Guide, "Retry behavior"), and the "Common errors" sections of the API references.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from botocore import exceptions as sdk
from botocore.exceptions import BotoCoreError, ClientError
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker

from cloudspend.errors import CloudSpendError, Defect, TransientError, UsageError

P = ParamSpec("P")
T = TypeVar("T")

# Codes with which a service refuses a caller that lacks a permission.
DENIED = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "Forbidden",
        "UnauthorizedOperation",
    }
)
# Transient codes by the "Common errors" of the API references. The first block is a copy of
# botocore's lists: AWS Lambda brings a botocore of its own, where the private lists may be missing.
PASSING = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
        # Not retried by botocore.
        "ConcurrentModificationException",  # AWS Glue
        "InternalError",  # Amazon S3, Amazon SQS
        "InternalException",  # Amazon EventBridge
        "InternalFailure",
        "InternalServerError",  # Amazon DynamoDB, AWS IAM
        "InternalServerException",  # Amazon Athena
        "InternalServiceError",  # AWS Secrets Manager
        "InternalServiceException",  # AWS Glue
        "OperationTimeoutException",  # AWS Glue
        "ServiceException",  # AWS Lambda
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Throttled",  # Amazon SNS
        "TransactionConflictException",  # Amazon DynamoDB
    }
)
# Codes that a later botocore adds to its lists are transient without a change here.
TRANSIENT: frozenset[str] = PASSING.union(
    vars(ThrottledRetryableChecker).get("_THROTTLED_ERROR_CODES", ()),
    vars(TransientRetryableChecker).get("_TRANSIENT_ERROR_CODES", ()),
)
# Exceptions of a connection that failed, timed out or broke in the middle of an answer.
UNREACHABLE = (
    sdk.ConnectionError,
    sdk.FlexibleChecksumError,
    sdk.HTTPClientError,
    sdk.IncompleteReadError,
)
# Exceptions of a shell without usable credentials.
NOT_SIGNED_IN = (
    sdk.CredentialRetrievalError,
    getattr(sdk, "LoginError", sdk.SSOError),  # of `aws login`, which older versions do not have
    sdk.NoAuthTokenError,
    sdk.NoCredentialsError,
    sdk.PartialCredentialsError,
    sdk.SSOError,
    sdk.TokenRetrievalError,
)


def code(error: ClientError) -> str:
    """Return the error's code, for example `AccessDenied`; empty when the answer has none."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message(error: ClientError) -> str:
    """Return the service's sentence about the error; empty when the answer has none."""
    return str(error.response.get("Error", {}).get("Message", ""))


def status(error: ClientError) -> int:
    """Return the HTTP status of the answer, 0 when it is unknown."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_transient(error: ClientError) -> bool:
    """Return whether a later try can succeed without any change.

    The answer to a HEAD request has no body; its code is the bare status, for example `503`.
    """
    return code(error) in TRANSIENT or status(error) >= 500


def translate(error: ClientError | BotoCoreError, service: str) -> CloudSpendError | None:
    """Return the library's error for an error of the SDK; None for an answer to interpret.

    `service` begins the sentence, for example "The registry".
    """
    if isinstance(error, ClientError):
        if is_transient(error):
            return TransientError(f"{service} asks to try later.", cause=str(error))
        return None
    if isinstance(error, UNREACHABLE):
        return TransientError(f"{service} could not be reached.", cause=str(error))
    if isinstance(error, NOT_SIGNED_IN):
        return UsageError(
            "There are no valid AWS credentials in this shell.",
            remedy="Sign in (aws sso login, aws configure) or choose a profile with AWS_PROFILE.",
            cause=str(error),
        )
    return Defect(f"CloudSpend sent a malformed request to AWS. {service}: {error}")


@contextmanager
def aws_errors(service: str) -> Iterator[None]:
    """Raise errors of the SDK as the library's errors.

    Raises TransientError, UsageError or Defect as described above, and ClientError for an answer
    that the calling room must interpret.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        translated = translate(error, service)
        if translated is None:
            raise
        raise translated from error


def call(
    function: Callable[P, T], service: str = "AWS", /, *args: P.args, **arguments: P.kwargs
) -> T:
    """Call an operation of the SDK, with errors as by `aws_errors`."""
    with aws_errors(service):
        return function(*args, **arguments)
