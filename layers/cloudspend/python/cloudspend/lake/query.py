"""An analyst's query."""

from cloudspend.errors import UsageError
from cloudspend.lake.ports import Queries, QueryResult


def run_query(queries: Queries, sql: str) -> QueryResult:
    """Run one statement. Raises UsageError with Athena's reason for an invalid statement."""
    statement = sql.strip().rstrip(";").rstrip()
    if not statement:
        raise UsageError(
            "There is no statement to run.",
            remedy='Try: cloudspend query "SELECT * FROM billing_periods"',
        )
    return queries.query(statement)
