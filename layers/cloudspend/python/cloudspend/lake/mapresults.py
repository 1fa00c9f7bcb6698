"""What a Distributed Map's ResultWriter left behind.

Source: AWS Step Functions developer guide, "ResultWriter (Map)": a manifest names files of finished
children by outcome; each file is a JSON list whose entries hold a child's `Output` as JSON text.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cloudspend import payload as p
from cloudspend.errors import Defect
from cloudspend.lake.ports import Lake


def map_outputs(state: Mapping[str, Any], lake: Lake) -> Iterator[dict[str, Any]]:
    """The outputs of all children. Raises Defect when one did not succeed."""
    manifest = lake.read_json(state[p.CONVERSION]["ResultWriterDetails"]["Key"])
    files = manifest["ResultFiles"]
    if files.get("FAILED") or files.get("PENDING"):
        raise Defect("The conversion ended with children that failed or never ran.")
    for file in files.get("SUCCEEDED", []):
        for child in lake.read_json(file["Key"]):
            output = child["Output"]
            yield json.loads(output) if isinstance(output, str) else output
