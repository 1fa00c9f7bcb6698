"""What a conversion is measured against: pandas with awswrangler's schemas.

pandas reads with explicit types, since untyped account ids lose their zeros, and awswrangler's own
function derives the schema as its `s3.to_parquet` does; only the upload is left out. It maps
all that CloudSpend maps (`pandas_mapping.py`); rows stay in the order in which they came.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from awswrangler import _data_types

from benchmarks import pandas_mapping
from cloudspend.convert.focus.detail_schema import DETAIL_COLUMNS
from cloudspend.convert.focus.schema import DOUBLE, TIMESTAMP

KINDS = {column.name: column.type for column in DETAIL_COLUMNS}


def raw(chunk: Path, out: Path) -> int:
    """All columns typed, maps as JSON text: how many rows."""
    rows = _read(chunk)
    _write(rows, out, {})
    return len(rows)


def mapped(chunk: Path, out: Path, *, remembered: bool = False) -> int:
    """The columns of `cost_and_usage`, maps as Parquet maps: how many rows."""
    rows = pandas_mapping.focus(_read(chunk, pandas_mapping.READ), remembered=remembered)
    _write(rows, out, pandas_mapping.TYPES)
    return len(rows)


def _read(chunk: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    names = columns or pd.read_csv(chunk, nrows=0).columns.tolist()
    moments = [name for name in names if KINDS.get(name) == TIMESTAMP]
    types = {name: "float64" if KINDS.get(name) == DOUBLE else "str" for name in names}
    rows = pd.read_csv(
        chunk,
        usecols=list(names),
        dtype={name: kind for name, kind in types.items() if name not in moments},
        parse_dates=moments,
        keep_default_na=False,
        na_values=[""],
    )
    return rows.assign(**{name: rows[name].dt.tz_localize(None) for name in moments})


def _write(rows: pd.DataFrame, out: Path, types: Mapping[str, str]) -> None:
    schema = _data_types.pyarrow_schema_from_pandas(
        df=rows, index=False, ignore_cols=None, dtype=dict(types)
    )
    table = pa.Table.from_pandas(rows, schema=schema, preserve_index=False, safe=True)
    pq.write_table(table, out, compression="snappy", flavor="spark", coerce_timestamps="ms")


def remembered(chunk: Path, out: Path) -> int:
    """As `mapped`, but each distinct JSON text is read once."""
    return mapped(chunk, out, remembered=True)
