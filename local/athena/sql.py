"""Pieces of DuckDB's SQL, put together from quoted names and literals only."""

from collections.abc import Iterable


def quoted(name: str) -> str:
    """`name` as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as a string."""
    return "'" + text.replace("'", "''") + "'"


def cast(value: str, kind: str, name: str) -> str:
    """An item of a select list: the expression `value` as type `kind` under `name`."""
    return f"CAST({value} AS {kind}) AS {quoted(name)}"


def select(items: Iterable[str], source: str) -> str:
    """A query; `source` is what follows FROM."""
    return " ".join(("SELECT", ", ".join(items), "FROM", source))


def parquet(files: Iterable[str]) -> str:
    """A source: the rows of local Parquet files, with `filename`, in any folder."""
    listed = ", ".join(map(literal, files))
    return f"read_parquet([{listed}], hive_partitioning = false, filename = true)"
