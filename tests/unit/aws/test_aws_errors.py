"""The classification of AWS errors."""

import pytest
from botocore import exceptions as sdk
from botocore.exceptions import BotoCoreError, ClientError
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker

from cloudspend.aws.errors import PASSING, aws_errors, call, code, message, status
from cloudspend.errors import CloudSpendError, Defect, TransientError, UsageError

# Every code that one of the six former tables called transient, and those that none had.
CODES = [
    "BandwidthLimitExceeded",
    "ConcurrentModificationException",
    "InternalError",
    "InternalException",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "InternalServiceError",
    "InternalServiceException",
    "LimitExceededException",
    "OperationTimeoutException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SlowDown",
    "Throttled",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionConflictException",
    "TransactionInProgressException",
]


def answer(code: str, status: int = 400) -> ClientError:
    """Return the error for an answer of a service."""
    response = {
        "Error": {"Code": code, "Message": "A message"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "AnOperation")  # type: ignore[arg-type]


def raised(error: Exception) -> CloudSpendError:
    """Return the library's error for a call whose SDK raises `error`."""

    def fail() -> None:
        raise error

    with pytest.raises(CloudSpendError) as caught:
        call(fail, "The registry")
    return caught.value


@pytest.mark.parametrize("code", CODES)
def test_a_transient_code_is_worth_another_try(code: str) -> None:
    error = raised(answer(code))
    assert isinstance(error, TransientError)
    assert error.summary == "The registry asks to try later."


def test_the_list_of_codes_is_complete_without_those_of_the_sdk() -> None:
    """The functions run on the botocore of AWS Lambda, whose private lists may be missing."""
    assert set(CODES) <= PASSING
    assert set(ThrottledRetryableChecker._THROTTLED_ERROR_CODES) <= PASSING
    assert set(TransientRetryableChecker._TRANSIENT_ERROR_CODES) <= PASSING


@pytest.mark.parametrize(("code", "status"), [("503", 503), ("500", 500), ("UnknownCode", 502)])
def test_every_server_error_is_transient(code: str, status: int) -> None:
    assert isinstance(raised(answer(code, status)), TransientError)


@pytest.mark.parametrize(
    "error",
    [
        sdk.EndpointConnectionError(endpoint_url="https://example.org"),
        sdk.ConnectTimeoutError(endpoint_url="https://example.org"),
        sdk.ReadTimeoutError(endpoint_url="https://example.org"),
        sdk.ConnectionClosedError(endpoint_url="https://example.org"),
        sdk.ResponseStreamingError(error="broken"),
        sdk.IncompleteReadError(actual_bytes=1, expected_bytes=2),
        sdk.SSLError(endpoint_url="https://example.org", error="broken"),
        sdk.FlexibleChecksumError(error_msg="the body does not match"),
    ],
)
def test_a_broken_connection_is_transient(error: BotoCoreError) -> None:
    caught = raised(error)
    assert isinstance(caught, TransientError)
    assert caught.summary == "The registry could not be reached."


@pytest.mark.parametrize(
    "error",
    [
        sdk.ParamValidationError(report="Unknown parameter: Bukket"),
        sdk.UnknownParameterError(name="x", operation="y", choices="z"),
        sdk.DataNotFoundError(data_path="x"),
    ],
)
def test_a_malformed_request_is_a_defect_and_not_retried(error: BotoCoreError) -> None:
    caught = raised(error)
    assert isinstance(caught, Defect)
    assert "malformed request" in caught.summary


@pytest.mark.parametrize(
    "error",
    [
        sdk.NoCredentialsError(),
        sdk.PartialCredentialsError(provider="env", cred_var="secret"),
        sdk.UnauthorizedSSOTokenError(),
        sdk.CredentialRetrievalError(provider="process", error_msg="none"),
        sdk.TokenRetrievalError(provider="sso", error_msg="expired"),
        sdk.LoginRefreshRequired(),
    ],
)
def test_a_shell_without_credentials_is_asked_to_sign_in(error: BotoCoreError) -> None:
    caught = raised(error)
    assert isinstance(caught, UsageError)
    assert "Sign in" in caught.remedy


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchKey", "ValidationException"])
def test_any_other_answer_is_for_the_room_to_interpret(code: str) -> None:
    with pytest.raises(ClientError), aws_errors("The registry"):
        raise answer(code)


def test_an_error_of_the_library_passes_unchanged() -> None:
    with pytest.raises(UsageError), aws_errors("The registry"):
        raise UsageError("An error of the library.")


def test_an_answer_is_read_though_it_has_no_body() -> None:
    assert (code(answer("NoSuchKey")), status(answer("NoSuchKey", 404))) == ("NoSuchKey", 404)
    assert message(answer("NoSuchKey")) == "A message"
    empty = ClientError({}, "HeadObject")
    assert (code(empty), status(empty), message(empty)) == ("", 0, "")
