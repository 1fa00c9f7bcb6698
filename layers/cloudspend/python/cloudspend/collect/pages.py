"""Read all pages of one question."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cloudspend.collect.calls import Call
from cloudspend.collect.ports import Services
from cloudspend.collect.source import Ask, Page


def all_pages(services: Services, before: Callable[[Call], None] = lambda _: None) -> Ask:
    """Return a function that reads all pages; `before` is called before each page."""

    def ask(call: Call, request: Mapping[str, Any]) -> Sequence[Page]:
        found: list[Page] = []
        token: dict[str, Any] = {}
        while True:
            before(call)
            found.append(services.page(call, {**request, **token}))
            following = found[-1].get(call.token) if call.token else None
            if not following:
                return found
            token = {str(call.token): following}

    return ask
