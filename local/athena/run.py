"""One statement of any kind, run to its outcome."""

from collections.abc import Callable, Mapping

from sqlglot import exp

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


def with_parameters(
    statement: statements.Statement, parameters: tuple[str, ...]
) -> statements.Statement:
    """The statement with each `?` replaced by one SQL literal, in order.

    Raises RequestRefused where the counts differ or a parameter is more than a literal: values are
    bound, so that a parameter cannot bring SQL of its own.
    """
    query = statement if isinstance(statement, statements.Select) else getattr(statement, "query", None)
    marks = (
        [m for m in query.tree.find_all(exp.Placeholder, bfs=False)]
        if isinstance(query, statements.Select)
        else []
    )
    if len(marks) != len(parameters):
        raise RequestRefused(
            f"Incorrect number of parameters: expected {len(marks)} but found {len(parameters)}"
        )
    for mark, text in zip(_in_order(query, marks), map(_literal, parameters), strict=True):
        mark.replace(text)
    return statement


def _in_order(query: object, marks: list[exp.Expression]) -> list[exp.Expression]:
    """A depth-first walk meets the marks as they stand in the SQL that sqlglot writes."""
    del query
    return marks


def _literal(text: str) -> exp.Expression:
    tree = dialect.parse(f"SELECT {text}")
    values = tree.expressions
    if len(values) != 1 or tree.args.get("from_") or not _is_literal(values[0]):
        raise RequestRefused(f"Execution parameter is not a literal: {text}")
    value: exp.Expression = values[0]
    return value


def _is_literal(value: exp.Expression) -> bool:
    if isinstance(value, exp.Neg | exp.Cast):
        return _is_literal(value.this)
    return isinstance(value, exp.Literal | exp.Boolean | exp.Null)
