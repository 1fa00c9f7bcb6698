"""Presto views: how Athena keeps a view in the Glue catalog.

`ViewOriginalText` is `/* Presto View: <base64 of a JSON object> */` with `originalSql`, `catalog`,
`schema` (in which unqualified names are looked up) and the declared `columns` in Trino's types.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.athena import catalog, datatypes
from local.athena.failures import QueryFailed

_FORM = re.compile(r"/\* Presto View: (\S+) \*/")


@dataclass(frozen=True)
class View:
    """A view's SQL, the database its names are looked up in, and its columns in Trino's types."""

    sql: str
    schema: str
    columns: tuple[tuple[str, str], ...]


def decode(table: catalog.Table) -> View:
    """Read a view out of the catalog. Raises QueryFailed where Athena would find no view in it."""
    name = f"{catalog.CATALOG}.{table.database}.{table.name}"
    found = _FORM.fullmatch(table.view_text.strip())
    if not found:
        raise QueryFailed(f"INVALID_VIEW: View '{name}' is not a Presto view")
    try:
        body = json.loads(base64.b64decode(found[1], validate=True))
        columns = tuple((each["name"].lower(), each["type"]) for each in body["columns"])
        return View(body["originalSql"], body.get("schema") or table.database, columns)
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise QueryFailed(f"INVALID_VIEW: Failed parsing stored view '{name}': {error}") from error


def encode(view: View) -> str:
    """`ViewOriginalText` of a view."""
    body = {
        "originalSql": view.sql,
        "catalog": catalog.CATALOG,
        "schema": view.schema,
        "columns": [{"name": name, "type": kind} for name, kind in view.columns],
    }
    return f"/* Presto View: {base64.b64encode(json.dumps(body).encode()).decode()} */"


def view_input(
    name: str, sql: str, schema: str, columns: Iterable[tuple[str, str]]
) -> Mapping[str, Any]:
    """Glue's form of a view whose columns have DuckDB's types."""
    known = [(column.lower(), duck) for column, duck in columns]
    declared = tuple((column, datatypes.to_trino(duck)) for column, duck in known)
    return {
        "Name": name,
        "TableType": catalog.VIEW,
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "ViewOriginalText": encode(View(sql, schema, declared)),
        "ViewExpandedText": "/* Presto View */",
        "StorageDescriptor": {
            "Columns": [
                {"Name": column, "Type": datatypes.to_hive(duck)} for column, duck in known
            ],
            "Location": "",
        },
    }
