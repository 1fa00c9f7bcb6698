"""What a Parquet file of `cost_and_usage` adds up to, read back from what was written."""

from decimal import Decimal
from typing import Any, BinaryIO

import pyarrow.parquet as pq

from cloudspend.lake.model import Totals

COSTS = ("billedcost", "effectivecost")


def parquet_totals(stream: BinaryIO, currency: str) -> Totals:
    """Rows by the file's footer, costs as the exact sum of the shortest decimals of its doubles.

    The shortest decimal of a double is the text it was read from, up to 15 digits.
    """
    file: Any = pq.ParquetFile(stream)
    sums = dict.fromkeys(COSTS, Decimal(0))
    for batch in file.iter_batches(columns=list(COSTS)):
        for name in COSTS:
            counted = batch.column(name).value_counts()
            for pair in counted.to_pylist():
                if pair["values"] is not None:
                    sums[name] += Decimal(repr(pair["values"])) * pair["counts"]
    return Totals(file.metadata.num_rows, sums[COSTS[0]], sums[COSTS[1]], currency)
