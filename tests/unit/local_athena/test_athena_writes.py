"""Statements that write, workgroups, and what errors say."""

import json

import pytest
from athena_world import ROOT, World

from local.athena import views, workgroups
from local.athena.catalog import Partition
from local.athena.failures import QueryFailed, RequestRefused


def test_create_table_as_writes_and_registers_partitions() -> None:
    world = World.with_two_months()
    outcome = world.run(
        "CREATE TABLE copies WITH (external_location = 's3://lake/copies', "
        "partitioned_by = ARRAY['billing_period']) AS SELECT cost, billing_period FROM costs"
    )
    created, *added = world.changes.made
    assert created[3]["StorageDescriptor"]["Columns"] == [{"Name": "cost", "Type": "double"}]
    assert created[3]["PartitionKeys"] == [{"Name": "billing_period", "Type": "string"}]
    places = [f"s3://lake/copies/billing_period={each}/" for each in ("2026-09", "2026-10")]
    assert [each[3].location for each in added] == places
    assert len(outcome.manifest) == 2


def test_an_enforced_workgroup_refuses_an_external_location() -> None:
    world = World.with_two_months()
    world.enforced = True
    with pytest.raises(QueryFailed, match="enforces a centralized output location"):
        world.run("CREATE TABLE t WITH (external_location = 's3://lake/t/') AS SELECT 1 AS x")
    assert world.changes.made == []


def test_a_place_that_holds_objects_is_not_written_to() -> None:
    with pytest.raises(QueryFailed, match="HIVE_PATH_ALREADY_EXISTS"):
        World.with_two_months().run(f"UNLOAD (SELECT 1 AS x) TO '{ROOT}/'")


def test_insert_adds_rows_to_old_and_new_partitions() -> None:
    world = World.with_two_months()
    world.run(
        "INSERT INTO costs (service, cost, account_id, billing_period) "
        "VALUES ('Tax', 1, '1', '2026-10'), ('Tax', 2, '1', '2026-11')"
    )
    [added] = world.changes.made
    assert added[3] == Partition(("1", "2026-11"), f"{ROOT}/account_id=1/billing_period=2026-11/")


def test_insert_needs_the_tables_columns() -> None:
    with pytest.raises(QueryFailed, match="TYPE_MISMATCH: Insert query has mismatched"):
        World.with_two_months().run("INSERT INTO costs SELECT 1")


@pytest.mark.parametrize("form", ["PARQUET", "JSON", "TEXTFILE"])
def test_unload_writes_without_a_table(form: str) -> None:
    world = World(tables=())
    outcome = world.run(f"UNLOAD (SELECT 1 AS x) TO 's3://lake/out' WITH (format = '{form}')")
    [uri] = outcome.manifest
    assert uri.startswith("s3://lake/out/")
    assert world.bucket.objects[uri]


def test_unload_as_json_writes_a_row_a_line() -> None:
    world = World(tables=())
    [uri] = world.run("UNLOAD (SELECT 1 AS x) TO 's3://lake/o/' WITH (format = 'JSON')").manifest
    assert json.loads(world.bucket.objects[uri]) == {"x": 1}


def test_create_view_stores_what_athena_stores() -> None:
    world = World.with_two_months()
    world.run("CREATE VIEW sums AS SELECT service, sum(cost) AS total FROM costs GROUP BY 1")
    [(_, _, name, made)] = world.changes.made
    assert (name, made["TableType"]) == ("sums", "VIRTUAL_VIEW")
    table = type(world.tables[0])("lake", "sums", (), view_text=made["ViewOriginalText"])
    stored = views.decode(table)
    assert stored.columns == (("service", "varchar"), ("total", "double"))
    assert stored.schema == "lake"


def test_create_view_refuses_a_query_that_does_not_work() -> None:
    with pytest.raises(QueryFailed, match=r"COLUMN_NOT_FOUND: .* Column 'price'"):
        World.with_two_months().run("CREATE VIEW v AS SELECT price FROM costs")


def test_drop_leaves_the_files() -> None:
    world = World.with_two_months()
    before = dict(world.bucket.objects)
    world.run("DROP TABLE costs")
    assert world.changes.made == [("drop", "lake", "costs")]
    assert world.bucket.objects == before
    with pytest.raises(QueryFailed, match="TABLE_NOT_FOUND"):
        world.run("DROP VIEW costs")
    world.run("DROP VIEW IF EXISTS costs")


def test_partitions_are_added_and_dropped() -> None:
    world = World.with_two_months()
    world.run(
        "ALTER TABLE costs ADD PARTITION (account_id='1', billing_period='2026-11') LOCATION 's3://x/y/'"
    )
    world.run("ALTER TABLE costs DROP PARTITION (account_id='1', billing_period='2026-10')")
    assert world.changes.made == [
        ("add", "lake", "costs", Partition(("1", "2026-11"), "s3://x/y/")),
        ("remove", "lake", "costs", ("1", "2026-10")),
    ]


def test_show_and_describe() -> None:
    world = World.with_two_months()
    assert world.rows("SHOW DATABASES") == [("lake",)]
    assert world.rows("SHOW TABLES 'co*'") == [("costs",)]
    assert world.rows("SHOW PARTITIONS costs")[0] == ("account_id=1/billing_period=2026-09",)
    assert str(world.rows("DESCRIBE costs")[2][0]).split() == ["tags", "map<string,string>"]


def group(**configuration: object) -> dict[str, object]:
    return {"Name": "w", "State": "ENABLED", "Configuration": configuration}


OWN = {"OutputLocation": "s3://own/place"}


@pytest.mark.parametrize(
    ("name", "configuration", "asked", "expected"),
    [
        ("w", {"ResultConfiguration": OWN}, "s3://asked/", "s3://own/place/"),
        (
            "w",
            {"ResultConfiguration": OWN, "EnforceWorkGroupConfiguration": False},
            "s3://asked/",
            "s3://asked/",
        ),
        (
            "w",
            {"ResultConfiguration": OWN, "EnforceWorkGroupConfiguration": "false"},
            "",
            "s3://own/place/",
        ),
        ("w", {}, "s3://asked/x", "s3://asked/x/"),
        ("primary", {"ResultConfiguration": OWN}, "s3://asked/", "s3://asked/"),
    ],
)
def test_who_decides_where_results_go(
    name: str, configuration: dict[str, object], asked: str, expected: str
) -> None:
    assert workgroups.rules(name, group(**configuration), asked).results == expected


@pytest.mark.parametrize(
    ("workgroup", "asked", "words"),
    [
        (None, "s3://a/", "WorkGroup w is not found"),
        ({**group(), "State": "DISABLED"}, "s3://a/", "is disabled"),
        (group(), "", "No output location provided"),
        (group(), "a/b", "not a valid S3 path"),
    ],
)
def test_a_workgroup_refuses(workgroup: dict[str, object] | None, asked: str, words: str) -> None:
    with pytest.raises(RequestRefused, match=words):
        workgroups.rules("w", workgroup, asked)
