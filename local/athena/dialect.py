"""Athena's SQL as DuckDB's, beyond what sqlglot translates by itself.

Where the two engines would silently differ in a result, the tree is changed before it is written
out: whole-number division, dates that stay dates, a missing key of a map. Functions that DuckDB
spells otherwise are macros.
"""

from collections.abc import Callable

import sqlglot
from sqlglot import Token, exp
from sqlglot.errors import SqlglotError

from local.athena.failures import RequestRefused

# Trino keeps a date a date.
_TRUNC = """CREATE MACRO athena_trunc(u, d DATE) AS CAST(date_trunc(u, d) AS DATE),
    (u, d TIMESTAMP) AS date_trunc(u, d), (u, d TIMESTAMPTZ) AS date_trunc(u, d)"""
_SHIFT = """CREATE MACRO athena_shift(d DATE, i) AS CAST(d + i AS DATE),
    (d TIMESTAMP, i) AS d + i, (d TIMESTAMPTZ, i) AS d + i"""

# Arrays and maps share no function in DuckDB; as JSON both can be counted.
_CARDINALITY = """CREATE MACRO athena_cardinality(x) AS CASE WHEN x IS NULL THEN NULL
    WHEN typeof(x) LIKE 'MAP%' THEN CAST(len(json_keys(to_json(x))) AS BIGINT)
    ELSE CAST(json_array_length(to_json(x)) AS BIGINT) END"""

MACROS = (
    _TRUNC,
    _SHIFT,
    _CARDINALITY,
    "CREATE MACRO map_agg(k, v) AS map(list(k), list(v))",
    "CREATE MACRO to_unixtime(t) AS epoch(t)",
    "CREATE MACRO json_format(j) AS CAST(j AS VARCHAR)",
    "CREATE MACRO is_nan(x) AS isnan(x)",
    "CREATE MACRO is_infinite(x) AS isinf(x)",
    "CREATE MACRO is_finite(x) AS isfinite(x)",
    "CREATE MACRO infinity() AS CAST('inf' AS DOUBLE)",
    "CREATE MACRO truncate(x) AS trunc(x)",
    "CREATE MACRO array_sum(l) AS list_sum(l)",
)


def parse(sql: str) -> exp.Expr:
    """One statement. Raises RequestRefused, as StartQueryExecution does for malformed SQL."""
    try:
        trees = [tree for tree in sqlglot.parse(sql, read="athena") if tree is not None]
    except SqlglotError as error:
        raise _mismatch(error) from error
    if len(trees) != 1 or isinstance(trees[0], exp.Block):
        raise RequestRefused(
            "Only one sql statement is allowed. Got: " + sql.strip(),
            athena_code="MALFORMED_QUERY",
        )
    if isinstance(trees[0], exp.Command):
        raise RequestRefused("Queries of this type are not supported")
    return trees[0]


def tokens(sql: str) -> list[Token]:
    """The words of `sql`, each with its place. Raises RequestRefused for an open quote."""
    try:
        return list(sqlglot.tokenize(sql, read="athena"))
    except SqlglotError as error:
        raise _mismatch(error) from error


def _mismatch(error: SqlglotError) -> RequestRefused:
    found = (getattr(error, "errors", None) or [{}])[0]
    line, column = found.get("line") or 1, found.get("col") or 1
    near = found.get("highlight") or "<EOF>"
    return RequestRefused(
        f"line {line}:{column}: mismatched input '{near}'. {found.get('description') or error}",
        athena_code="MALFORMED_QUERY",
    )


def to_duckdb(tree: exp.Expr) -> str:
    """The tree, which is changed, as DuckDB's SQL."""
    for kind, change in _CHANGES:
        for node in list(tree.find_all(kind)):
            replacement = change(node)
            if replacement is not node:
                node.replace(replacement)
    return tree.sql("duckdb")


def translated(sql: str) -> exp.Expr:
    """A query that `to_duckdb` wrote, to stand within another that it will write: a missing key of
    a map that was no error there must be none here."""
    tree: exp.Expr = sqlglot.parse_one(sql, read="duckdb")
    for subscript in tree.find_all(exp.Bracket):
        subscript.set("safe", True)
    return tree


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _divide(node: exp.Expr) -> exp.Expr:
    """DuckDB's `//`: whole numbers without a remainder, all others with their fraction.

    The operator knows the types of aggregates; the overloads of a macro do not. It fails for a
    floating number divided by zero, where Trino has an infinity.
    """
    return exp.IntDiv(this=_operand(node.this), expression=_operand(node.expression))


def _operand(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node) if isinstance(node, exp.Binary) else node


def _trunc(node: exp.Expr) -> exp.Expr:
    return _call("athena_trunc", exp.Literal.string(node.args["unit"].name.lower()), node.this)


def _shift(node: exp.Expr) -> exp.Expr:
    step = exp.Interval(this=exp.Paren(this=node.expression), unit=node.args.get("unit"))
    if isinstance(node, exp.DateSub):
        step = exp.Interval(
            this=exp.Paren(this=exp.Neg(this=node.expression)), unit=node.args["unit"]
        )
    return _call("athena_shift", node.this, step)


def _plus(node: exp.Expr) -> exp.Expr:
    step = node.expression
    if not isinstance(step, exp.Interval):
        return node
    return _call(
        "athena_shift", node.this, exp.Neg(this=step) if isinstance(node, exp.Sub) else step
    )


def _size(node: exp.Expr) -> exp.Expr:
    return _call("athena_cardinality", node.this)


def _subscript(node: exp.Expr) -> exp.Expr:
    """`m['k']` fails in Trino where the key is missing; `element_at` (safe) gives NULL."""
    keys = node.expressions
    if node.args.get("safe") or len(keys) != 1 or not keys[0].is_string:
        return node
    missing = _call("error", exp.Literal.string(f"Key not present in map: {keys[0].name}"))
    inner = exp.Bracket(this=node.this.copy(), expressions=[keys[0].copy()], safe=True)
    present = _call("map_contains", node.this.copy(), keys[0].copy())
    absent = exp.Is(this=node.this.copy(), expression=exp.Null())
    return exp.Case(
        ifs=[exp.If(this=absent, true=exp.Null()), exp.If(this=present, true=inner)],
        default=missing,
    )


def _unnest_map(node: exp.Expr) -> exp.Expr:
    """`UNNEST(m) AS t(k, v)`: one expression under two names can only be a map."""
    alias = node.args.get("alias")
    names = alias.columns if isinstance(alias, exp.TableAlias) else []
    if (
        not isinstance(alias, exp.TableAlias)
        or len(node.expressions) != 1
        or len(names) != 2
        or node.args.get("offset")
    ):
        return node
    of = node.expressions[0]
    columns = [
        exp.alias_(_call("unnest", _call(function, of.copy())), name.copy())
        for function, name in zip(("map_keys", "map_values"), names, strict=True)
    ]
    inner = exp.Subquery(this=exp.select(*columns))
    return exp.Lateral(this=inner, alias=exp.TableAlias(this=alias.this))


def _values(node: exp.Expr) -> exp.Expr:
    """`VALUES ROW(1, 2)` are two columns in Trino; DuckDB would make one struct of them."""
    for row in node.expressions:
        if isinstance(row, exp.Tuple) and len(row.expressions) == 1:
            (only,) = row.expressions
            if isinstance(only, exp.Struct):
                row.set("expressions", only.expressions)
    return node


_CHANGES: tuple[tuple[type[exp.Expr], Callable[[exp.Expr], exp.Expr]], ...] = (
    (exp.Div, _divide),
    (exp.TimestampTrunc, _trunc),
    (exp.DateTrunc, _trunc),
    (exp.DateAdd, _shift),
    (exp.DateSub, _shift),
    (exp.Add, _plus),
    (exp.Sub, _plus),
    (exp.ArraySize, _size),
    (exp.Bracket, _subscript),
    (exp.Unnest, _unnest_map),
    (exp.Values, _values),
)
