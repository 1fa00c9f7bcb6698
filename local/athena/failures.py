"""Why a query was refused or failed, in Athena's own words."""

import re

import duckdb
from sqlglot import exp


class RequestRefused(Exception):
    """The call itself is wrong: the service answers HTTP 400 and no query exists."""

    def __init__(self, message: str, *, athena_code: str = "INVALID_INPUT") -> None:
        super().__init__(message)
        self.message = message
        self.athena_code = athena_code


class QueryFailed(Exception):
    """The query was taken and failed; `reason` becomes its StateChangeReason."""

    def __init__(self, reason: str, *, cancelled: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cancelled = cancelled


def position(sql: str, name: str, tree: exp.Expr | None) -> str:
    """`line <l>:<c>` of the first identifier `name`, both counted from 1; of the start if none."""
    for node in tree.find_all(exp.Identifier) if tree is not None else ():
        start = node.meta.get("start")
        if node.name.lower() == name.lower() and start is not None:
            before = sql[:start]
            return f"line {before.count(chr(10)) + 1}:{start - (before.rfind(chr(10)) + 1) + 1}"
    return "line 1:1"


_NO_COLUMN = (
    "COLUMN_NOT_FOUND: {at}: Column '{name}' cannot be resolved or requester is not "
    "authorized to access requested resources"
)
_NO_FUNCTION = (
    "FUNCTION_NOT_FOUND: {at}: Function '{name}' not registered (or not translated by the local "
    "cloud)"
)
_NOT_GROUPED = (
    "EXPRESSION_NOT_AGGREGATE: {at}: '{name}' must be an aggregate expression or appear in "
    "GROUP BY clause"
)

# How DuckDB says it, and how Athena says the same ({at} is the position in the query).
_WORDS = (
    (r'Referenced column "([^"]+)" not found', _NO_COLUMN),
    (r'does not have a column named "([^"]+)"', _NO_COLUMN),
    (
        r'Referenced table "([^"]+)" not found',
        "COLUMN_NOT_FOUND: {at}: Column prefix '{name}' cannot be resolved",
    ),
    (
        r'Ambiguous reference to column name "([^"]+)"',
        "AMBIGUOUS_NAME: {at}: Column '{name}' is ambiguous",
    ),
    (r"Function with name (\S+) does not exist", _NO_FUNCTION),
    (r'column "([^"]+)" must appear in the GROUP BY', _NOT_GROUPED),
)

# Which of Athena's errors the kinds of DuckDB's are.
_KINDS: tuple[tuple[type[duckdb.Error], str], ...] = (
    (duckdb.ConversionException, "INVALID_CAST_ARGUMENT"),
    (duckdb.OutOfRangeException, "NUMERIC_VALUE_OUT_OF_RANGE"),
    (duckdb.BinderException, "TYPE_MISMATCH: line 1:1"),
    (duckdb.ParserException, "SYNTAX_ERROR: line 1:1"),
    (duckdb.SyntaxException, "SYNTAX_ERROR: line 1:1"),
    (duckdb.InvalidInputException, "INVALID_FUNCTION_ARGUMENT"),
)


def from_duckdb(error: duckdb.Error, sql: str, tree: exp.Expr | None) -> QueryFailed:
    """Athena's error for DuckDB's; DuckDB's own text stays where Athena has no better one."""
    text = str(error).split("\n\nLINE")[0]
    for pattern, words in _WORDS:
        found = re.search(pattern, text)
        if found:
            name = found[1].lower()
            return QueryFailed(words.format(at=position(sql, name, tree), name=name))
    return QueryFailed(f"{_kind(error, text)}: {text.splitlines()[0].split(': ', 1)[-1]}")


def _kind(error: duckdb.Error, text: str) -> str:
    if "Division by zero" in text:
        return "DIVISION_BY_ZERO"
    fitting = (name for kind, name in _KINDS if isinstance(error, kind))
    return next(fitting, "GENERIC_INTERNAL_ERROR")
