"""The local cloud's own doors: `/_local/<name>` on the port that also answers for AWS.

A module that wants one declares it with `@control("name")`; the server routes to it. The function
gets the HTTP method and the body and returns a status and a JSON-ready answer.
"""

from collections.abc import Callable

Control = Callable[[str, bytes], tuple[int, object]]

CONTROLS: dict[str, Control] = {}


def control(name: str) -> Callable[[Control], Control]:
    """Declare the function that answers `/_local/<name>`."""

    def declare(function: Control) -> Control:
        CONTROLS[name] = function
        return function

    return declare
