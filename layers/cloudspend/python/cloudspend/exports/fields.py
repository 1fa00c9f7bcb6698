"""Fields of a manifest, taken out with care."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from cloudspend.errors import DeliveryError

# Characters; the longest key that S3 knows, and more than any id of AWS's has.
LONGEST_TEXT = 1024


def wrong(manifest: str, what: str, remedy: str = "", **details: Any) -> DeliveryError:
    """The error that says `what` of the manifest at `manifest` (a URI or a path)."""
    return DeliveryError(
        f"The manifest {manifest} {what}.",
        remedy=remedy
        or "Check the export's definition in the AWS Billing console, and have it delivered again.",
        manifest=manifest,
        **details,
    )


def is_text(value: object) -> TypeGuard[str]:
    """Whether `value` can be a name or a key: not empty, of printable characters, of sane length.

    JSON can hold half a surrogate pair, which no key and no registry could hold.
    """
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and value.isprintable()


def shown(value: object) -> str:
    """A JSON value as a complaint shows it; never its inside, which may be deep or large."""
    if isinstance(value, str):
        return json.dumps(value[:100])
    return {list: "a list", dict: "an object", type(None): "null"}.get(
        type(value), str(value)[:100]
    )


class Fields:
    """A manifest's JSON object, which names the manifest in every complaint."""

    def __init__(self, manifest: str, content: Mapping[str, Any]) -> None:
        self.manifest = manifest
        self._content = content

    def wrong(self, what: str, **details: Any) -> DeliveryError:
        """The error that says `what` of this manifest."""
        return wrong(self.manifest, what, **details)

    def has(self, *path: str) -> bool:
        """Whether there is anything at `path`."""
        return self._at(*path) is not None

    def text(self, *path: str) -> str:
        """The text at `path`. Raises DeliveryError when there is none."""
        value = self.text_or_none(*path)
        if value is None:
            raise self.wrong(f"has no {'.'.join(path)}")
        return value

    def text_or_none(self, *path: str) -> str | None:
        """The text at `path`, or None where there is none."""
        value = self._at(*path)
        return value if is_text(value) else None

    def list(self, *path: str) -> Sequence[Any]:
        """The list at `path`. Raises DeliveryError when there is none."""
        value = self._at(*path)
        if not isinstance(value, list):
            raise self.wrong(f"has no {'.'.join(path)}")
        return value

    def list_or_empty(self, *path: str) -> Sequence[Any]:
        """The list at `path`, or none."""
        value = self._at(*path)
        return value if isinstance(value, list) else ()

    def _at(self, *path: str) -> Any:
        value: Any = self._content
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value
