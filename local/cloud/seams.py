"""The pinned version of ministack, and the one way to replace a function of it."""

import functools
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

VERSION = "1.5.33"


class SeamMissing(RuntimeError):
    """ministack is not the one that the local cloud was built for."""


def require_version(installed: str | None = None) -> None:
    """Raises SeamMissing unless the pinned ministack is installed."""
    found = installed or version("ministack")
    if found != VERSION:
        raise SeamMissing(
            f"The local cloud is built on ministack {VERSION}, but {found} is installed: "
            "run `pip install -r requirements-dev.txt`, or adapt local/cloud to the new version."
        )


def around(owner: Any, name: str, wrapper: Callable[..., Any]) -> None:
    """Call `wrapper(original, ...)` wherever ministack calls `owner.name(...)`.

    Raises SeamMissing when `owner` has no such function, since a seam that silently does nothing
    would leave a test green that proves nothing.
    """
    original = getattr(owner, name, None)
    if not callable(original):
        raise SeamMissing(
            f"ministack has no function {getattr(owner, '__name__', owner)}.{name}: "
            f"adapt the module of local/cloud that replaces it to ministack {version('ministack')}."
        )

    @functools.wraps(original)
    def replacement(*args: Any, **kwargs: Any) -> Any:
        return wrapper(original, *args, **kwargs)

    setattr(owner, name, replacement)


def replace_text(owner: Any, name: str, old: str, new: str) -> None:
    """Replace `old` in the text `owner.name`. Raises SeamMissing unless it is there once."""
    text = getattr(owner, name, "")
    if text.count(old) != 1:
        raise SeamMissing(
            f"ministack's {owner.__name__}.{name} does not contain {old!r} exactly once: "
            "adapt the module of local/cloud that changes it."
        )
    setattr(owner, name, text.replace(old, new))
