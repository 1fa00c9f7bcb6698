"""Fields of a manifest, taken out with care."""

from collections.abc import Mapping, Sequence
from typing import Any

from cloudspend.accounts.model import Export
from cloudspend.errors import DeliveryError


class Fields:
    """A manifest's JSON object, which names the manifest in every complaint."""

    def __init__(self, manifest: str, content: Mapping[str, Any]) -> None:
        self._manifest = manifest
        self._content = content

    def wrong(self, what: str, **details: Any) -> DeliveryError:
        """The error that says `what` of this manifest."""
        return DeliveryError(
            f"The manifest {self._manifest} {what}.",
            remedy="Check the report's definition in the AWS Billing console, and deliver again.",
            manifest=self._manifest,
            **details,
        )

    def text(self, *path: str) -> str:
        """The non-empty text at `path`. Raises DeliveryError."""
        value = self._at(*path)
        if not isinstance(value, str) or not value:
            raise self.wrong(f"has no {'.'.join(path)}")
        return value

    def text_or(self, default: str, *path: str) -> str:
        """The text at `path`, or `default` where there is none."""
        value = self._at(*path)
        return value if isinstance(value, str) and value else default

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


def folder_of(export: Export) -> str:
    """The folder of an export, with its closing slash: `<prefix>/<name>/`."""
    return "/".join(part for part in (export.prefix.strip("/"), export.name) if part) + "/"


def inside(export: Export, key: str) -> bool:
    """Whether `key` names an object in the export's own folder and nothing else."""
    parts = key.split("/")
    return key.startswith(folder_of(export)) and not {"", ".", ".."} & set(parts)
