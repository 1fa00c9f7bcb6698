"""The bill as AWS delivers it for each export kind: gzip-compressed csv."""

import csv
import gzip
import io
from collections.abc import Callable, Mapping, Sequence

from cloudspend.accounts.model import ExportKind
from conformance.bill import line_items

Record = Mapping[str, str]


def legacy() -> bytes:
    """A legacy Cost and Usage Report."""
    return _gzipped_csv(line_items())


def _gzipped_csv(records: Sequence[Record]) -> bytes:
    text = io.StringIO()
    names = dict.fromkeys(name for record in records for name in record)
    writer = csv.DictWriter(text, list(names), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return gzip.compress(text.getvalue().encode())


DELIVERIES: Mapping[ExportKind, Callable[[], bytes]] = {ExportKind.CUR_LEGACY: legacy}
