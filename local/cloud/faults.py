"""Errors and delays on request, for the fault tests: `/_local/faults`.

PUT or POST a list of faults to replace the current ones, GET shows what is left of them, DELETE
clears them. A fault hits the first `count` requests over HTTP that match it; calls that ministack
makes inside itself (a state machine's tasks, a rule's targets) do not pass here.

    service         the signing name, e.g. "s3", "ce", "states"
    operation       e.g. "GetCostAndUsage"; REST services (S3, Lambda) have none: use method, path
    method, path    path is a regular expression, found anywhere in the path
    count           how many requests it hits (default 1)
    code, status    the error to answer with (default status 400); without code only the delay
    delay_seconds   how long to wait before the answer or the error
"""

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from urllib.parse import parse_qs

from local.control import control

_SIGNATURE = re.compile(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/")
_lock = threading.Lock()


@dataclass
class Fault:
    """One line of the list above. `count` goes down as the fault strikes."""

    service: str
    operation: str = ""
    method: str = ""
    path: str = ""
    count: int = 1
    code: str = ""
    status: int = 400
    delay_seconds: float = 0.0

    def matches(self, request: "Request") -> bool:
        return (
            self.count > 0
            and self.service == request.service
            and self.operation in ("", request.operation)
            and self.method in ("", request.method)
            and re.search(self.path, request.path) is not None
        )


@dataclass(frozen=True)
class Request:
    """What of a request decides whether a fault hits it."""

    service: str
    operation: str
    method: str
    path: str


FAULTS: list[Fault] = []


def install() -> None:
    """Open the door; the server asks `strike` for every request."""
    control("faults")(_door)


def _door(method: str, body: bytes) -> tuple[int, object]:
    try:
        new = [Fault(**item) for item in json.loads(body)] if method in ("PUT", "POST") else []
    except (TypeError, ValueError) as error:
        return 400, {"message": f"This is not a list of faults: {error}"}
    with _lock:
        if method != "GET":
            FAULTS[:] = new
        return 200, [asdict(fault) for fault in FAULTS]


def strike(request: Request) -> Fault | None:
    """The fault that hits this request, counted."""
    with _lock:
        for fault in FAULTS:
            if fault.matches(request):
                fault.count -= 1
                return fault
    return None


def request_of(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Request:
    """Read service and operation from the signature, the target header or the form body."""
    signed = _SIGNATURE.search(headers.get("authorization", ""))
    target = headers.get("x-amz-target", "")
    form = "x-www-form-urlencoded" in headers.get("content-type", "")
    named = parse_qs(body.decode(errors="replace")).get("Action", [""])[0] if form else ""
    operation = target.rpartition(".")[2] or named
    return Request(signed[1] if signed else "", operation, method, path)


def error_body(fault: Fault, request: Request) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The error in the shape of the service's protocol: body and headers."""
    message = "An injected fault."
    if request.service == "s3":
        return _xml(f"<Error><Code>{fault.code}</Code><Message>{message}</Message></Error>")
    if request.service in ("sts", "sns", "iam", "cloudformation"):
        error = f"<Type>Sender</Type><Code>{fault.code}</Code><Message>{message}</Message>"
        return _xml(f"<ErrorResponse><Error>{error}</Error></ErrorResponse>")
    body = json.dumps({"__type": fault.code, "message": message}).encode()
    return body, [
        (b"content-type", b"application/x-amz-json-1.1"),
        (b"x-amzn-errortype", fault.code.encode()),
    ]


def _xml(text: str) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    return text.encode(), [(b"content-type", b"text/xml")]
