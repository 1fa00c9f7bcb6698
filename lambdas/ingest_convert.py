"""Ingest: convert the files of one task to Parquet objects in the lake."""

from typing import Any

from cloudspend import payloads as p
from cloudspend import wiring
from cloudspend.convert.model import ConversionTask
from cloudspend.convert.task import convert_task
from cloudspend.ingest.failure import note_failure
from cloudspend.wiring import entry


@entry
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    platform = wiring.platform()
    try:
        account = platform.accounts.get(event[p.ACCOUNT_ID])
        source = platform.source(account, f"{event[p.PERIOD]}-{event[p.GENERATION]}")
        summary = convert_task(ConversionTask.from_payload(event), source, platform.parquet_sink)
    except Exception as error:
        note_failure(event, error, platform.generations)
        raise
    return summary.to_payload()
