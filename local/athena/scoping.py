"""Trino's rule of scope, which DuckDB is laxer about.

In Trino the alias of a select item can be used in ORDER BY only; DuckDB also takes it in WHERE,
GROUP BY, HAVING and in other items. Such a query would work here and fail on AWS. It is found by
giving every alias a name that no one can use: what then misses a column has used the alias.
"""

import re
from collections.abc import Callable

import duckdb
import sqlglot
from sqlglot import exp

# In HAVING the second is how DuckDB says that there is no such column.
_MISSING = r'(?:[Rr]eferenced )?[Cc]olumn "?([^"\s]+)"? (?:not found|must appear in the GROUP)'


def check(query: str, bind: Callable[[str], object]) -> None:
    """Raises DuckDB's error for a missing column where `query` leans on an alias.

    `bind` makes DuckDB resolve the names of a query. Any other error is not this rule's business.
    """
    hidden, aliases = _hide_aliases(query)
    if not aliases:
        return
    try:
        bind(hidden)
    except duckdb.BinderException as error:
        missing = re.search(_MISSING, str(error))
        if missing and missing[1].lower() in aliases:
            raise duckdb.BinderException(
                f'Referenced column "{missing[1]}" not found in FROM clause!'
            ) from error
    except duckdb.Error:
        return


def _hide_aliases(query: str) -> tuple[str, frozenset[str]]:
    """The query with unusable aliases (the outermost names stay), and the aliases it had."""
    tree = exp.select("*").from_(exp.Subquery(this=sqlglot.parse_one(query, read="duckdb")))
    found: set[str] = set()
    for select in reversed(list(tree.find_all(exp.Select))):
        items = [item for item in select.expressions if isinstance(item, exp.Alias)]
        names = {item.alias.lower(): f"alias {place}" for place, item in enumerate(items)}
        if len(names) == len(items) > 0:
            found |= names.keys()
            _hide(select, items, names)
    return tree.sql("duckdb"), frozenset(found)


def _hide(select: exp.Select, items: list[exp.Alias], names: dict[str, str]) -> None:
    renamed = [
        exp.alias_(exp.column(names[item.alias.lower()], quoted=True), item.alias, quoted=True)
        for item in items
    ]
    for item in items:
        item.set("alias", exp.to_identifier(names[item.alias.lower()], quoted=True))
    order = select.args.get("order")
    for column in order.find_all(exp.Column) if order else ():
        if not column.table and column.name.lower() in names:
            column.set("this", exp.to_identifier(names[column.name.lower()], quoted=True))
    outer = exp.select(exp.Star(rename=renamed))
    select.replace(outer)
    outer.from_(exp.Subquery(this=select), copy=False)
