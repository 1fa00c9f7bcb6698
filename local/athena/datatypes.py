"""One type in three vocabularies: the Glue catalog's (Hive), Athena's results (Trino), DuckDB's."""

import re

from sqlglot import exp

# DuckDB's plain types and what a result of Athena calls them. HUGEINT is what DuckDB's sum of
# integers has; Trino's stays a bigint.
_RESULT_TYPES = {
    "VARCHAR": "varchar",
    "DOUBLE": "double",
    "FLOAT": "float",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "HUGEINT": "bigint",
    "UBIGINT": "bigint",
    "SMALLINT": "smallint",
    "TINYINT": "tinyint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "BLOB": "varbinary",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "INTERVAL": "interval day to second",
    "JSON": "json",
    '"NULL"': "unknown",
    "NULL": "unknown",
}

# Precision and scale as GetQueryResults reports them.
_PRECISION = {
    "varchar": (2147483647, 0),
    "integer": (10, 0),
    "bigint": (19, 0),
    "smallint": (5, 0),
    "tinyint": (3, 0),
    "double": (17, 0),
    "float": (17, 0),
    "timestamp": (3, 0),
    "timestamp with time zone": (3, 0),
}

# Types that DuckDB describes by one name and sqlglot writes by another.
_OTHER_NAMES = {
    "TEXT": "varchar",
    "INT": "integer",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
}

_FAMILIES = {
    "tinyint": "whole number",
    "smallint": "whole number",
    "integer": "whole number",
    "bigint": "whole number",
    "float": "floating number",
    "double": "floating number",
    "timestamp with time zone": "timestamp",
    "varbinary": "text",
    "varchar": "text",
    "unknown": "anything",
}


def from_hive(declared: str) -> str:
    """DuckDB's name of a column type as the Glue catalog declares it."""
    return exp.DataType.build(declared, dialect="hive").sql("duckdb")


def from_trino(declared: str) -> str:
    """DuckDB's name of a column type as a Presto view declares it."""
    return exp.DataType.build(declared, dialect="trino").sql("duckdb")


def to_hive(duck: str) -> str:
    """What the Glue catalog calls a column of DuckDB's type `duck`."""
    return exp.DataType.build(storable(duck), dialect="duckdb").sql("hive").lower()


def to_trino(duck: str) -> str:
    """What a Presto view calls a column of DuckDB's type `duck`."""
    text = exp.DataType.build(storable(duck), dialect="duckdb").sql("trino").lower()
    return re.sub(r"\btimestamp\b(?!\()", "timestamp(3)", text)


def storable(duck: str) -> str:
    """The type to write a column of `duck` as; Parquet has no 128-bit integers, and a timestamp's
    unit, which a file brings along, is DuckDB's alone."""
    plain = duck.replace("HUGEINT", "BIGINT").replace("UBIGINT", "BIGINT")
    plain = re.sub(r"\bTIMESTAMP_(?:S|MS|NS)\b", "TIMESTAMP", plain)
    return "VARCHAR" if plain in ('"NULL"', "NULL") else plain


def result_type(duck: str) -> str:
    """What GetQueryResults calls a column of DuckDB's type `duck`."""
    if duck.endswith("]"):
        return "array"
    base = duck.split("(", maxsplit=1)[0].strip().upper()
    if base in ("MAP", "DECIMAL"):
        return base.lower()
    return "row" if base == "STRUCT" else _RESULT_TYPES.get(base, "varchar")


def precision_and_scale(duck: str) -> tuple[int, int]:
    """Precision and scale of a column in GetQueryResults; (0, 0) where the type has none."""
    found = re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", duck)
    if found:
        return int(found[1]), int(found[2])
    return _PRECISION.get(result_type(duck), (0, 0))


def same_family(stored: str, declared: str) -> bool:
    """Whether Athena's Parquet reader can take DuckDB type `stored` for `declared`.

    Trino widens within a family (int to bigint, float to double) and never between families.
    """
    have, want = _family(stored), _family(declared)
    return have == want or "anything" in (have, want)


def _family(duck: str) -> str:
    base = result_type(exp.DataType.build(duck, dialect="duckdb").sql("duckdb"))
    base = _OTHER_NAMES.get(duck.upper(), base)
    return _FAMILIES.get(base, base)
