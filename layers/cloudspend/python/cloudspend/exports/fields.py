"""Validated access to the fields of a manifest."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from cloudspend.errors import DeliveryError

# Characters: the longest S3 key, and longer than any id of AWS.
LONGEST_TEXT = 1024


def wrong(manifest: str, what: str, remedy: str = "", **details: Any) -> DeliveryError:
    """Return the error for a flaw of the manifest at `manifest` (a URI or a path)."""
    return DeliveryError(
        f"The manifest {manifest} {what}.",
        remedy=remedy
        or "Check the export's definition in the AWS Billing console, and have it delivered again.",
        manifest=manifest,
        **details,
    )


def is_text(value: object) -> TypeGuard[str]:
    """Return whether `value` can be a name or key: not empty, printable, of limited length.

    JSON can contain half a surrogate pair, which no key and no registry can store.
    """
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and value.isprintable()


def shown(value: object) -> str:
    """Return a JSON value for an error text; nested values are not shown, since they can be
    large.
    """
    if isinstance(value, str):
        return json.dumps(value[:100])
    return {list: "a list", dict: "an object", type(None): "null"}.get(
        type(value), str(value)[:100]
    )


class Fields:
    """The JSON object of a manifest; every error names the manifest."""

    def __init__(self, manifest: str, content: Mapping[str, Any]) -> None:
        self.manifest = manifest
        self._content = content

    def wrong(self, what: str, **details: Any) -> DeliveryError:
        """Return the error for a flaw of this manifest."""
        return wrong(self.manifest, what, **details)

    def has(self, *path: str) -> bool:
        """Return whether there is a value at `path`."""
        return self._at(*path) is not None

    def text(self, *path: str) -> str:
        """Return the text at `path`. Raises DeliveryError if there is none."""
        value = self.text_or_none(*path)
        if value is None:
            raise self.wrong(f"has no {'.'.join(path)}")
        return value

    def text_or_none(self, *path: str) -> str | None:
        """Return the text at `path`, or None."""
        value = self._at(*path)
        return value if is_text(value) else None

    def list(self, *path: str) -> Sequence[Any]:
        """Return the list at `path`. Raises DeliveryError if there is none."""
        value = self._at(*path)
        if not isinstance(value, list):
            raise self.wrong(f"has no {'.'.join(path)}")
        return value

    def list_or_empty(self, *path: str) -> Sequence[Any]:
        """Return the list at `path`, or an empty one."""
        value = self._at(*path)
        return value if isinstance(value, list) else ()

    def _at(self, *path: str) -> Any:
        value: Any = self._content
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value
