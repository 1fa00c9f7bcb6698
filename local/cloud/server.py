"""The server: the local cloud's own doors at `/_local/<name>`, faults, then ministack.

Requests count as https (ministack decides `aws:SecureTransport` by it): CDK's asset bucket refuses
plain http, and on the loopback interface there is no TLS.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app as ministack

from local.cloud import faults
from local.control import CONTROLS

# ASGI's own types are a union of all its messages; these parts read by key.
Scope = Any
Message = Any
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_DOOR = "/_local/"


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    if scope["type"] != "http":
        await ministack.app(scope, receive, send)
    elif scope["path"].startswith(_DOOR):
        await _answer_door(scope, await _read(receive), send)
    elif faults.FAULTS:
        await _with_faults(scope, receive, send)
    else:
        await ministack.app({**scope, "scheme": "https"}, receive, send)


async def _answer_door(scope: Scope, body: bytes, send: Send) -> None:
    door = CONTROLS.get(scope["path"].removeprefix(_DOOR), _no_such_door)
    status, answer = await asyncio.to_thread(door, scope["method"], body)
    headers = [(b"content-type", b"application/json")]
    await _send(send, status, headers, json.dumps(answer, default=str).encode())


def _no_such_door(_method: str, _body: bytes) -> tuple[int, object]:
    return 404, {"message": f"The doors are: {', '.join(sorted(CONTROLS))}."}


async def _with_faults(scope: Scope, receive: Receive, send: Send) -> None:
    body = await _read(receive)
    headers = {key.decode().lower(): value.decode("latin-1") for key, value in scope["headers"]}
    request = faults.request_of(scope["method"], scope["path"], headers, body)
    fault = faults.strike(request)
    if fault is not None:
        await asyncio.sleep(fault.delay_seconds)
        if fault.code:
            content, extra = faults.error_body(fault, request)
            await _send(send, fault.status, extra, content)
            return
    await ministack.app({**scope, "scheme": "https"}, _replay(body, receive), send)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hand out a body that was already read, then each later message (a disconnect)."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return pending.pop() if pending else await receive()

    return replayed


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _send(send: Send, status: int, headers: Headers, body: bytes) -> None:
    length = [(b"content-length", str(len(body)).encode())]
    start = {"type": "http.response.start", "status": status, "headers": headers + length}
    await send(start)
    await send({"type": "http.response.body", "body": body})
