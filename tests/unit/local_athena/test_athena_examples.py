"""Every example of a question runs on Athena's dialect, over all tables and views as declared.

That the columns exist is asked of the schemas elsewhere; here the engine has to take the functions,
the types that meet in a comparison, and what is grouped by. The tables hold no rows.
"""

import re
from pathlib import Path

import pytest
from athena_world import World

from cloudspend.collect.sources import TABLES as COLLECTED
from cloudspend.findings.tables import TABLES as FINDINGS
from cloudspend.lake.tables import TABLES as LAKE
from cloudspend.lake.views import TRINO_TYPES, VIEWS
from cloudspend.reconcile.tables import TABLES as PROOF
from local.athena import views
from local.athena.catalog import Column, Table
from local.athena.failures import QueryFailed

PAGES = [
    *(Path(__file__).parents[3] / "docs").glob("*.md"),
    Path(__file__).parents[3] / "README.md",
]
BLOCK = re.compile(r"```sql\n(.*?)```", re.DOTALL)
EXAMPLES = [
    pytest.param(sql, id=f"{page.stem}-{number}")
    for page in sorted(PAGES)
    for number, sql in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
    if sql.startswith(("SELECT", "WITH"))
]


def platform() -> World:
    """Everything that the catalog declares, empty."""
    tables = [
        Table(
            "lake",
            table.name,
            tuple(Column(column.name, column.type) for column in table.columns),
            tuple(Column(key.name, key.type) for key in table.partition_keys),
            f"s3://lake/{table.name}/",
        )
        for table in (*LAKE, *PROOF, *COLLECTED, *FINDINGS)
    ]
    for view in VIEWS:
        columns = tuple((c.name, TRINO_TYPES.get(c.type, c.type)) for c in view.columns)
        text = views.encode(views.View(view.sql, "lake", columns))
        tables.append(Table("lake", view.name, (), view_text=text, is_view=True))
    return World(tables=tuple(tables))


@pytest.fixture(scope="module")
def world() -> World:
    return platform()


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 15


@pytest.mark.parametrize("sql", EXAMPLES)
def test_an_example_runs(world: World, sql: str) -> None:
    outcome = world.run(sql)
    assert outcome.columns


def test_an_example_that_no_engine_takes_fails(world: World) -> None:
    with pytest.raises(QueryFailed):
        world.run("SELECT sum(budget_name) FROM budgets")
