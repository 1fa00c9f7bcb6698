"""What a workgroup decides for a query, and what the caller may."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.athena.failures import RequestRefused
from local.athena.objects import folder, split

PRIMARY = "primary"
_NO_OUTPUT = (
    "No output location provided. An output location is required either through the Workgroup "
    "result configuration setting or as an API input."
)


@dataclass(frozen=True)
class Rules:
    """Where results go, the limit of scanned bytes (0: none), and whether both are enforced."""

    results: str
    cutoff: int
    enforced: bool


def enforced(name: str, configuration: Mapping[str, Any]) -> bool:
    """Whether the workgroup overrides the caller: by default all do but `primary`."""
    value = configuration.get("EnforceWorkGroupConfiguration", name != PRIMARY)
    return str(value).lower() == "true"


def rules(name: str, workgroup: Mapping[str, Any] | None, asked: str) -> Rules:
    """The rules of a query in workgroup `name` whose caller asked for the output location `asked`.

    Raises RequestRefused for an unknown or disabled workgroup and where no one named a location.
    """
    if workgroup is None:
        raise RequestRefused(f"WorkGroup {name} is not found.")
    if workgroup.get("State") == "DISABLED":
        raise RequestRefused(f"WorkGroup {name} is disabled.")
    configuration = workgroup.get("Configuration") or {}
    own = (configuration.get("ResultConfiguration") or {}).get("OutputLocation") or ""
    forced = enforced(name, configuration)
    location = own if forced and own else asked or own
    if not location:
        raise RequestRefused(_NO_OUTPUT)
    if not location.startswith("s3://") or not split(location)[0]:
        raise RequestRefused(f"outputLocation is not a valid S3 path: {location}")
    cutoff = int(configuration.get("BytesScannedCutoffPerQuery") or 0)
    return Rules(folder(location), cutoff, forced)
