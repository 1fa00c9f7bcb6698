"""A service's answers as HTTP."""

import json
from typing import Any

import pytest

from local.services import Handler, ServiceError, named_arn, respond

REQUEST = {
    "TimePeriod": {"Start": "2026-10-01", "End": "2026-11-01"},
    "Dimension": "RECORD_TYPE",
}
GOOD: dict[str, Any] = {"DimensionValues": [], "ReturnSize": 0, "TotalSize": 0}


def ask(handler: Handler, request: object = REQUEST) -> tuple[int, dict[str, Any]]:
    handlers = {"GetDimensionValues": handler}
    body = json.dumps(request).encode()
    status, _, answer = respond("ce", handlers, "GetDimensionValues", "111111111111", body)
    return status, json.loads(answer)


def raising(code: str) -> Handler:
    def handler(_account: str, _request: dict[str, Any]) -> dict[str, Any]:
        raise ServiceError(code, "because")

    return handler


def test_a_handler_gets_the_caller_and_its_request() -> None:
    seen = []

    def handler(account: str, request: dict[str, Any]) -> dict[str, Any]:
        seen.append((account, request))
        return GOOD

    assert ask(handler) == (200, GOOD)
    assert seen == [("111111111111", REQUEST)]


@pytest.mark.parametrize("request_", [{"Dimension": "RECORD_TYPE"}, [], {**REQUEST, "Extra": 1}])
def test_a_request_that_aws_refuses_never_reaches_the_handler(request_: object) -> None:
    status, answer = ask(raising("DataUnavailableException"), request_)
    assert (status, answer["__type"]) == (400, "ValidationException")


def test_an_answer_that_aws_would_not_give_is_a_failure() -> None:
    status, answer = ask(lambda _account, _request: {"DimensionValues": []})
    assert (status, answer["__type"]) == (500, "InternalFailure")


def test_errors_of_the_model_are_answered_as_they_are() -> None:
    status, answer = ask(raising("DataUnavailableException"))
    assert (status, answer["__type"]) == (400, "DataUnavailableException")


def test_errors_of_another_service_are_a_failure() -> None:
    assert ask(raising("DuplicateReportNameException"))[0] == 500


def test_an_operation_that_is_not_there_says_so() -> None:
    status, headers, body = respond("ce", {}, "GetCostForecast", "111111111111", b"{}")
    assert status == 400
    assert headers["x-amzn-errortype"] == "UnknownOperationException"
    assert b"ce:GetCostForecast" in body


@pytest.mark.parametrize(
    ("body", "arn"),
    [
        (b'{"ExportArn": "arn:aws:bcm-data-exports:us-east-1:1:export/a-1"}', "export/a-1"),
        (b'{"MaxResults": 3, "ResourceArn": "arn:x"}', "arn:x"),
        (b'{"Export": {"ExportArn": "arn:of-what-is-made"}}', "*"),
        (b'{"ExportArn": 7}', "*"),
        (b"{", "*"),
        (b"", "*"),
    ],
)
def test_iam_judges_the_resource_that_a_request_names(body: bytes, arn: str) -> None:
    assert named_arn(body).endswith(arn)
