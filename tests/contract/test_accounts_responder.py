"""The answer to CloudFormation, over a real socket, and the start of Onboard."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
import pytest
from botocore.stub import Stubber

from cloudspend.accounts.aws import HttpResponder, StepFunctionsOnboarding
from cloudspend.errors import TransientError

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:cloudspend-onboard"


class _Handler(BaseHTTPRequestHandler):
    """Answers with the status that the path asks for, and keeps what came."""

    seen: list[tuple[str, str | None, bytes]]

    def do_PUT(self) -> None:  # the name is http.server's
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, self.headers["Content-Type"], body))
        self.send_response(int(self.path[1:4]))
        self.send_header("Location", "/200")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keeps quiet."""


@pytest.fixture
def server() -> Iterator[tuple[str, type[_Handler]]]:
    handler = type("Handler", (_Handler,), {"seen": []})
    with HTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", handler
        running.shutdown()
        thread.join()


def test_an_answer_is_put_with_the_query_and_no_content_type(
    server: tuple[str, type[_Handler]],
) -> None:
    url, handler = server
    HttpResponder().put(f"{url}/200/a%7Cb?sig=c%2Bd", {"Status": "SUCCESS"})
    [(path, content_type, body)] = handler.seen
    assert path == "/200/a%7Cb?sig=c%2Bd"
    assert content_type == ""
    assert json.loads(body) == {"Status": "SUCCESS"}


@pytest.mark.parametrize("status", [302, 307, 403, 503])
def test_what_is_refused_or_redirected_is_not_answered(
    server: tuple[str, type[_Handler]], status: int
) -> None:
    url, handler = server
    with pytest.raises(TransientError):
        HttpResponder().put(f"{url}/{status}", {})
    assert len(handler.seen) == 1


def test_nobody_there() -> None:
    with pytest.raises(TransientError, match="could not be answered"):
        HttpResponder().put("http://127.0.0.1:1/", {})


@pytest.mark.parametrize("code", [None, "ExecutionAlreadyExists"])
def test_onboarding_is_started_once_by_name(code: str | None) -> None:
    states = boto3.client("stepfunctions")
    expected = {"stateMachineArn": MACHINE, "name": "n", "input": '{"account_id": "111111111111"}'}
    with Stubber(states) as stub:
        if code:
            stub.add_client_error("start_execution", code, expected_params=expected)
        else:
            answer = {"executionArn": "arn:aws:states:::x", "startDate": 0}
            stub.add_response("start_execution", answer, expected)
        StepFunctionsOnboarding(states, MACHINE).start("111111111111", "n")
        stub.assert_no_pending_responses()


def test_a_throttled_start_passes_by_itself() -> None:
    states = boto3.client("stepfunctions")
    with Stubber(states) as stub:
        stub.add_client_error("start_execution", "ThrottlingException")
        with pytest.raises(TransientError):
            StepFunctionsOnboarding(states, MACHINE).start("111111111111", "n")
