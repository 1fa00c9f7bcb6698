"""Page tokens of Cost Explorer: a place in one request's answer, and in no other's."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from local.services import ServiceError

# AWS does not publish its page size; this one is small, so that every bill takes several pages.
PAGE_SIZE = 5

Item = TypeVar("Item")


def page(
    request: Mapping[str, Any], items: Sequence[Item]
) -> tuple[Sequence[Item], dict[str, str]]:
    """The page that `request` asks for, and `{"NextPageToken": ...}` where there is another.

    Raises RequestChangedException when the token belongs to a request with other parameters, and
    InvalidNextTokenException when it is none.
    """
    start = _start(request)
    following = start + PAGE_SIZE
    token = {"NextPageToken": _token(request, following)} if following < len(items) else {}
    return items[start:following], token


def _start(request: Mapping[str, Any]) -> int:
    token = request.get("NextPageToken")
    if not token:
        return 0
    try:
        start, fingerprint = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        raise ServiceError("InvalidNextTokenException", "The page token is invalid.") from None
    if fingerprint != _fingerprint(request):
        raise ServiceError(
            "RequestChangedException",
            "Your request parameters changed between pages. Try again with the old parameters or "
            "without a pagination token.",
        )
    return int(start)


def _token(request: Mapping[str, Any], start: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([start, _fingerprint(request)]).encode()).decode()


def _fingerprint(request: Mapping[str, Any]) -> str:
    parameters = {name: value for name, value in request.items() if name != "NextPageToken"}
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()[:16]
