"""The address at which a customer's stack waits: of the form that CloudFormation's have."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest
from ministack import app as ministack
from ministack.services.cloudformation import custom_resource

from cloudspend.onboarding.custom_resource import acceptable
from local.cloud import custom_resources
from local.cloud.server import application

TOKEN = "0a1b2c3d-token"


def put(url: str, body: bytes) -> int:
    """Send a PUT through the server's application; returns the status."""
    parts, sent = urlsplit(url), []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "PUT",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [(b"host", parts.netloc.encode())],
        "scheme": "http",
    }
    asyncio.run(application(scope, receive, send))
    return int(sent[0]["status"])


def test_the_address_is_presigned_and_an_answer_there_arrives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ministack, "AUTH", True)
    url = custom_resources.response_url(TOKEN)
    assert acceptable(url, "http://localhost:[0-9]+")
    answered = custom_resource.register_token(TOKEN)
    try:
        assert put(url, b'{"Status": "SUCCESS"}') == 200
        assert answered.is_set()
        assert custom_resource._pending[TOKEN]["result"] == {"Status": "SUCCESS"}
    finally:
        custom_resource._pending.pop(TOKEN, None)
