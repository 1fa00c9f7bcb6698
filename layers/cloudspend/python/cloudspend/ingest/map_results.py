"""What the children of a Distributed Map came to, from the result files that Step Functions writes.

Source of their form: Step Functions developer guide, "ResultWriter".
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cloudspend import payloads as p
from cloudspend.lake.ports import Lake

SUCCEEDED, FAILED = "SUCCEEDED", "FAILED"
# The name of a map run's list of result files, which stand beside it.
MANIFEST = "manifest.json"

Child = Mapping[str, Any]


def children(state: Mapping[str, Any], lake: Lake) -> Iterator[tuple[str, Child]]:
    """The children of the map whose result `state` bears, each after its outcome."""
    written = lake.read_json(_manifest(state))
    for outcome in written["ResultFiles"]:
        for child in _listed(written, outcome, lake):
            yield outcome, child


def children_that(outcome: str, state: Mapping[str, Any], lake: Lake) -> Iterator[Child]:
    """Those of them that have `outcome`; nothing is read of the others."""
    return _listed(lake.read_json(_manifest(state)), outcome, lake)


def failed_in_newest(folder: str, lake: Lake) -> Iterator[Child]:
    """The children that failed of the map that last wrote its results under `folder`; none where
    no map did."""
    manifests = [file for file in lake.staged(folder) if file.key.endswith(f"/{MANIFEST}")]
    newest = sorted(manifests, key=lambda file: file.modified)[-1:]
    for file in newest:
        yield from _listed(lake.read_json(file.key), FAILED, lake)


def _manifest(state: Mapping[str, Any]) -> str:
    return str(state[p.MAP_RUN]["ResultWriterDetails"]["Key"])


def _listed(written: Mapping[str, Any], outcome: str, lake: Lake) -> Iterator[Child]:
    for file in written["ResultFiles"].get(outcome, ()):
        yield from lake.read_json(file["Key"])
