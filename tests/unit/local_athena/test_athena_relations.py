"""What a query reads: partitions by their own locations, pruned, with the table's own schema."""

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from athena_world import ROOT, World, costs

from local.athena import views
from local.athena.catalog import Column, Partition, Table
from local.athena.failures import QueryFailed

SUMS = "SELECT billing_period, sum(cost) AS total FROM costs GROUP BY 1"
COLUMNS = (("billing_period", "varchar"), ("total", "double"))


def view(name: str, sql: str, columns: tuple[tuple[str, str], ...]) -> Table:
    text = views.encode(views.View(sql, "lake", columns))
    return Table("lake", name, (), view_text=text, is_view=True)


def read_periods(world: World) -> set[str]:
    return {uri.split("/")[4] for uri in world.bucket.reads}


def test_only_objects_under_a_partitions_location_are_read() -> None:
    world = World.with_two_months()
    world.put(f"{ROOT}/2026-10-old/0.parquet", service=["EC2"], cost=[99.0])
    world.put(f"{ROOT}/0.parquet", service=["EC2"], cost=[99.0])
    world.put(f"{ROOT}/2026-10/_tmp/0.parquet", service=["EC2"], cost=[99.0])
    world.put(f"{ROOT}/2026-10/.hidden", service=["EC2"], cost=[99.0])
    assert world.rows("SELECT sum(cost) FROM costs") == [("31.5",)]


@pytest.mark.parametrize(
    ("where", "periods"),
    [
        ("billing_period = '2026-09'", {"2026-09"}),
        ("billing_period IN ('2026-10', '2026-11') AND service = 'EC2'", {"2026-10"}),
        ("billing_period LIKE '2026-0%'", {"2026-09"}),
        ("substr(billing_period, 1, 4) = '2026'", {"2026-09", "2026-10"}),
        ("account_id = '2'", set()),
        ("billing_period = '2026-09' OR service = 'S3'", {"2026-09", "2026-10"}),
    ],
)
def test_predicates_on_partition_keys_decide_which_files_are_read(
    where: str, periods: set[str]
) -> None:
    world = World.with_two_months()
    world.run(" ".join(("SELECT service, cost FROM costs WHERE", where)))
    assert read_periods(world) == periods


def test_predicates_reach_through_views_and_with_queries() -> None:
    world = World.with_two_months()
    world.tables = (costs(), view("sums", SUMS, COLUMNS))
    sql = "WITH s AS (SELECT * FROM sums) SELECT total FROM s WHERE billing_period = '2026-10'"
    assert world.rows(sql) == [("20.0",)]
    assert read_periods(world) == {"2026-10"}


def test_a_file_without_a_column_gives_typed_nulls() -> None:
    world = World.with_two_months()
    outcome = world.run("SELECT tags, element_at(tags, 'x') FROM costs WHERE service = 'S3'")
    assert outcome.rows == ((None, None),)
    assert [column.type for column in outcome.columns] == ["MAP(VARCHAR, VARCHAR)", "VARCHAR"]


def test_a_missing_key_is_as_tolerable_in_a_view_as_outside() -> None:
    world = World.with_two_months()
    tags = pa.array([[("a", "b")]], pa.map_(pa.string(), pa.string()))
    world.put(f"{ROOT}/2026-10/1.parquet", service=["EC2"], tags=tags)
    for function, tolerant in (("element_at(tags, 'x')", True), ("tags['x']", False)):
        sql = "SELECT " + function + " AS x FROM costs WHERE cardinality(tags) > 0"
        world.tables = (costs(), view("labels", sql, (("x", "varchar"),)))
        if tolerant:
            assert world.rows("SELECT x FROM labels") == [(None,)]
        else:
            with pytest.raises(QueryFailed, match="Key not present in map: x"):
                world.run("SELECT x FROM labels")


def test_a_file_with_another_type_is_bad_data_as_on_athena() -> None:
    world = World.with_two_months()
    world.put(f"{ROOT}/2026-10/1.parquet", service=["EC2"], cost=["a lot"])
    with pytest.raises(QueryFailed, match="HIVE_BAD_DATA: Field cost's type VARCHAR"):
        world.run("SELECT service FROM costs")


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_a_time_adjusted_to_utc_is_read_as_utcs_wall_clock(zone: str | None) -> None:
    table = replace(costs(("2026-09",)), columns=(Column("start", "timestamp"),))
    world = World(tables=(table,))
    moment = pa.array([datetime(2026, 9, 1, 13, tzinfo=UTC)], pa.timestamp("ms", tz=zone))
    world.put(f"{ROOT}/2026-09/0.parquet", start=moment)
    assert world.rows("SELECT start FROM costs") == [("2026-09-01 13:00:00.000",)]


def test_a_file_that_is_no_parquet_is_bad_data() -> None:
    world = World.with_two_months()
    world.bucket.objects[f"{ROOT}/2026-10/1.parquet"] = b"service,cost"
    with pytest.raises(QueryFailed, match=f"Not valid Parquet file: {ROOT}/2026-10/1.parquet"):
        world.run("SELECT service FROM costs")


def test_the_hidden_path_column_is_there_when_asked_for() -> None:
    world = World.with_two_months()
    found = world.rows('SELECT DISTINCT "$path" FROM costs ORDER BY 1')
    assert found == [(f"{ROOT}/2026-09/0.parquet",), (f"{ROOT}/2026-10/0.parquet",)]
    assert len(world.run("SELECT * FROM costs WHERE \"$path\" LIKE '%0%'").columns) == 5


def test_a_predicate_on_the_hidden_column_is_one_on_the_object() -> None:
    world = World.with_two_months()
    found = world.rows("SELECT cost FROM costs WHERE \"$path\" LIKE '%/2026-10/%'")
    assert found == [("20.0",)]


def test_a_view_over_the_hidden_column_can_be_joined_with_its_table() -> None:
    sql = "SELECT DISTINCT regexp_extract(\"$path\", '([^/]+)/0', 1) AS place FROM costs"
    world = World.with_two_months()
    world.tables = (costs(), view("places", sql, (("place", "varchar"),)))
    outcome = world.run("SELECT * FROM costs JOIN places ON place = billing_period")
    assert len(outcome.rows) == 3
    assert len(outcome.columns) == 6


def test_a_with_query_hides_a_table_but_not_from_itself() -> None:
    world = World.with_two_months()
    sql = "WITH costs AS (SELECT cost * 2 AS cost FROM costs) SELECT sum(cost) FROM costs"
    assert world.rows(sql) == [("63.0",)]


def test_names_may_be_qualified_by_catalog_and_database() -> None:
    world = World.with_two_months()
    sql = 'SELECT sum(lake.costs.cost) FROM "AwsDataCatalog"."lake"."costs"'
    assert world.rows(sql) == [("31.5",)]


def test_joins_of_one_table_with_itself() -> None:
    world = World.with_two_months()
    sql = (
        "SELECT b.cost - a.cost FROM costs a JOIN costs b ON a.service = b.service "
        "WHERE a.billing_period = '2026-09' AND b.billing_period = '2026-10'"
    )
    assert world.rows(sql) == [("10.0",)]


def test_a_table_without_partitions_is_empty_not_an_error() -> None:
    world = World(tables=(costs(()),))
    assert world.rows("SELECT count(*) FROM costs") == [("0",)]


def test_a_table_without_partition_keys_reads_its_location() -> None:
    table = replace(costs(()), partition_keys=(), location=f"{ROOT}/2026-09")
    world = World.with_two_months()
    world.tables = (table,)
    assert world.rows("SELECT sum(cost) FROM costs") == [("11.5",)]


def test_scanned_bytes_are_those_of_touched_columns_and_cut_off() -> None:
    world = World.with_two_months()
    narrow = world.run("SELECT sum(cost) FROM costs WHERE billing_period = '2026-09'").scanned_bytes
    filtered = world.run(
        "SELECT sum(cost) FROM costs WHERE billing_period = '2026-09' AND service = 'S3'"
    ).scanned_bytes
    whole = world.run("SELECT * FROM costs").scanned_bytes
    assert 0 < narrow < filtered < whole
    world.cutoff = whole - 1
    with pytest.raises(QueryFailed, match="Bytes scanned limit was exceeded") as error:
        world.run("SELECT * FROM costs")
    assert error.value.cancelled


@pytest.mark.parametrize(
    "columns",
    [
        (("billing_period", "varchar"),),
        (("period", "varchar"), ("total", "double")),
        (("billing_period", "varchar"), ("total", "varchar")),
    ],
)
def test_a_view_that_no_longer_fits_is_stale(columns: tuple[tuple[str, str], ...]) -> None:
    world = World.with_two_months()
    world.tables = (costs(), view("sums", SUMS, columns))
    with pytest.raises(QueryFailed, match="VIEW_IS_STALE"):
        world.run("SELECT * FROM sums")


def test_a_view_gives_the_declared_types() -> None:
    sql = "SELECT CAST(sum(cost) AS decimal(38, 4)) AS total FROM costs"
    world = World.with_two_months()
    world.tables = (costs(), view("sums", sql, (("total", "double"),)))
    outcome = world.run("SELECT total FROM sums")
    assert (outcome.rows, outcome.columns[0].type) == ((("31.5",),), "DOUBLE")


def test_tables_of_other_formats_are_refused() -> None:
    table = replace(costs(), library="org.apache.hadoop.hive.serde2.OpenCSVSerde")
    with pytest.raises(QueryFailed, match="NOT_SUPPORTED: The local cloud reads Parquet"):
        World(tables=(table,)).run("SELECT * FROM costs")


def test_a_moved_partition_does_not_change_a_snapshot() -> None:
    old = costs(("2026-09",))
    moved = replace(old, partitions=(Partition(("1", "2026-09"), f"{ROOT}/elsewhere/"),))
    world = World.with_two_months()
    world.tables = (old,)
    assert world.rows("SELECT sum(cost) FROM costs") == [("11.5",)]
    world.tables = (moved,)
    assert world.rows("SELECT count(*) FROM costs") == [("0",)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT service AS s, sum(cost) AS c FROM costs GROUP BY s",
        "SELECT cost AS c FROM costs WHERE c > 1",
        "SELECT cost AS c, c * 2 AS d FROM costs",
        "SELECT service, sum(cost) AS c FROM costs GROUP BY 1 HAVING c > 1",
        "SELECT x FROM (SELECT cost AS c, c * 2 AS x FROM costs) AS t",
    ],
)
def test_an_alias_is_not_in_scope_where_trino_has_none(sql: str) -> None:
    with pytest.raises(QueryFailed, match="COLUMN_NOT_FOUND: line 1:"):
        World.with_two_months().run(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT service AS s, sum(cost) AS c FROM costs GROUP BY 1 ORDER BY c DESC, upper(s)",
        "SELECT upper(service) AS service, sum(cost) AS cost FROM costs GROUP BY service",
        "WITH a AS (SELECT cost AS c FROM costs) SELECT c AS d FROM a WHERE c > 1 ORDER BY d",
        "SELECT t.c AS x FROM (SELECT cost AS c FROM costs) AS t JOIN costs ON t.c = costs.cost",
        "SELECT 1 AS a UNION ALL SELECT 2 AS b ORDER BY a",
        "SELECT cost AS c, *, row_number() OVER (ORDER BY cost) AS n FROM costs",
    ],
)
def test_aliases_where_trino_knows_them(sql: str) -> None:
    assert World.with_two_months().rows(sql)
