"""An analyst's question."""

import pytest

from cloudspend.errors import UsageError
from cloudspend.lake.query import run_query
from tests.fakes.lake import FakeQueries


@pytest.mark.parametrize("sql", ["SELECT 1", " SELECT 1 ;\n", "SELECT 1;"])
def test_a_closing_semicolon_is_no_part_of_the_statement(sql: str) -> None:
    queries = FakeQueries({"one": "1"})
    assert run_query(queries, sql).rows == (("1",),)
    assert queries.statements == ["SELECT 1"]


@pytest.mark.parametrize("sql", ["", " ;\n"])
def test_no_statement_costs_nothing(sql: str) -> None:
    queries = FakeQueries()
    with pytest.raises(UsageError):
        run_query(queries, sql)
    assert queries.statements == []
