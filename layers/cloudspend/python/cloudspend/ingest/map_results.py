"""Results of a Distributed Map's children, from the result files of Step Functions.

Source of their format: Step Functions developer guide, "ResultWriter".
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cloudspend import payloads as p
from cloudspend.lake.ports import Lake

SUCCEEDED, FAILED = "SUCCEEDED", "FAILED"
# Name of a map run's list of result files, which are in the same folder.
MANIFEST = "manifest.json"

Child = Mapping[str, Any]


def children(state: Mapping[str, Any], lake: Lake) -> Iterator[tuple[str, Child]]:
    """Yield the children of the map in `state`, each with its outcome."""
    written = lake.read_json(_manifest(state))
    for outcome in written["ResultFiles"]:
        for child in _listed(written, outcome, lake):
            yield outcome, child


def children_that(outcome: str, state: Mapping[str, Any], lake: Lake) -> Iterator[Child]:
    """Yield the children with `outcome`, without reading the others."""
    return _listed(lake.read_json(_manifest(state)), outcome, lake)


def failed_in_newest(folder: str, lake: Lake) -> Iterator[Child]:
    """Yield the failed children of the newest map run under `folder`; none if there is no run."""
    manifests = [file for file in lake.staged(folder) if file.key.endswith(f"/{MANIFEST}")]
    newest = sorted(manifests, key=lambda file: file.modified)[-1:]
    for file in newest:
        yield from _listed(lake.read_json(file.key), FAILED, lake)


def _manifest(state: Mapping[str, Any]) -> str:
    return str(state[p.MAP_RUN]["ResultWriterDetails"]["Key"])


def _listed(written: Mapping[str, Any], outcome: str, lake: Lake) -> Iterator[Child]:
    for file in written["ResultFiles"].get(outcome, ()):
        yield from lake.read_json(file["Key"])
