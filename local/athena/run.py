"""One statement of any kind, run to its outcome."""

from collections.abc import Callable, Mapping, Sequence

from sqlglot import TokenType, exp

from local.athena import describe, dialect, statements, writes
from local.athena.engine import Engine, Outcome
from local.athena.failures import QueryFailed, RequestRefused

_WRITES: Mapping[type[statements.Statement], Callable[..., Outcome]] = {
    statements.CreateTableAs: writes.create_table_as,
    statements.Insert: writes.insert,
    statements.Unload: writes.unload,
    statements.CreateView: writes.create_view,
    statements.Drop: writes.drop,
    statements.Partitions: writes.partitions,
}


def run(engine: Engine, statement: statements.Statement) -> Outcome:
    """Raises QueryFailed with Athena's reason."""
    if isinstance(statement, statements.Select):
        return engine.select(statement)
    if isinstance(statement, statements.Show):
        return describe.show(statement, engine.context.snapshot, engine.context.database)
    try:
        return _WRITES[type(statement)](engine, statement)
    except KeyError:
        raise QueryFailed("NOT_SUPPORTED: Queries of this type are not supported") from None


def with_parameters(sql: str, parameters: Sequence[str]) -> str:
    """The SQL with each `?` replaced by one SQL literal, in order.

    Raises RequestRefused where the counts differ or a parameter is more than a literal, so that a
    parameter cannot bring SQL of its own.
    """
    marks = [t for t in dialect.tokens(sql) if t.token_type is TokenType.PLACEHOLDER]
    if len(marks) != len(parameters):
        raise RequestRefused(
            f"Incorrect number of parameters: expected {len(marks)} but found {len(parameters)}"
        )
    for mark, text in reversed(list(zip(marks, parameters, strict=True))):
        sql = sql[: mark.start] + _literal(text) + sql[mark.end + 1 :]
    return sql


def _literal(text: str) -> str:
    tree = dialect.parse(f"SELECT {text}")
    values = tree.expressions
    if tree.args.get("from_") or len(values) != 1 or not _is_literal(values[0]):
        raise RequestRefused(f"Execution parameter is not a literal: {text}")
    return str(values[0].sql("athena"))


def _is_literal(value: exp.Expr) -> bool:
    if isinstance(value, exp.Neg | exp.Cast):
        return _is_literal(value.this)
    return isinstance(value, exp.Literal | exp.Boolean | exp.Null)
