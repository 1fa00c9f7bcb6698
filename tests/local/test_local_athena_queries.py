"""The main way of a query on a running local cloud, as a caller of AWS's API sees it."""

import base64
import io
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import awswrangler
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from local.machine import LocalCloud, LocalSession

pytestmark = pytest.mark.e2e

LAKE, RESULTS = "lake-111111111111", "results-111111111111"
ROOT = f"s3://{LAKE}/cost_and_usage"
COLUMNS = [("servicename", "string"), ("billedcost", "double"), ("tags", "map<string,string>")]
KEYS = [("account_id", "string"), ("billing_period", "string")]
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
VIEW_SQL = (
    "SELECT billing_period, servicename, sum(billedcost) AS cost FROM cost_and_usage GROUP BY 1, 2"
)


def storage(location: str) -> dict[str, Any]:
    return {
        "Columns": [{"Name": name, "Type": kind} for name, kind in COLUMNS],
        "Location": location,
        "SerdeInfo": {"SerializationLibrary": PARQUET},
    }


def partition(period: str, location: str) -> dict[str, Any]:
    return {"Values": ["111111111111", period], "StorageDescriptor": storage(location)}


def presto_view(sql: str, columns: list[tuple[str, str]]) -> str:
    body = {
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": "cloudspend",
        "columns": [{"name": name, "type": kind} for name, kind in columns],
    }
    return f"/* Presto View: {base64.b64encode(json.dumps(body).encode()).decode()} */"


def put(session: LocalSession, place: str, rows: list[tuple[str, float]]) -> None:
    table = pa.table(
        {
            "ServiceName": [name for name, _ in rows],
            "BilledCost": [cost for _, cost in rows],
            "tags": pa.array([[("team", "a")]] * len(rows), pa.map_(pa.string(), pa.string())),
        }
    )
    body = io.BytesIO()
    pq.write_table(table, body)
    key = place.removeprefix(f"s3://{LAKE}/") + "0.parquet"
    session.client("s3").put_object(Bucket=LAKE, Key=key, Body=body.getvalue())


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud.start() as running:
        yield running


@pytest.fixture(scope="module")
def session(cloud: LocalCloud) -> LocalSession:
    session = cloud.session("111111111111")
    s3, glue, athena = (session.client(name) for name in ("s3", "glue", "athena"))
    for bucket in (LAKE, RESULTS):
        s3.create_bucket(Bucket=bucket)
    glue.create_database(DatabaseInput={"Name": "cloudspend"})
    glue.create_table(
        DatabaseName="cloudspend",
        TableInput={
            "Name": "cost_and_usage",
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": name, "Type": kind} for name, kind in KEYS],
            "StorageDescriptor": storage(ROOT),
        },
    )
    glue.create_table(
        DatabaseName="cloudspend",
        TableInput={
            "Name": "cost_by_service",
            "TableType": "VIRTUAL_VIEW",
            "Parameters": {"presto_view": "true", "comment": "Presto View"},
            "ViewOriginalText": presto_view(
                VIEW_SQL,
                [("billing_period", "varchar"), ("servicename", "varchar"), ("cost", "double")],
            ),
        },
    )
    for period, generation, rows in (
        ("2026-09", "g1", [("EC2", 10.0), ("S3", 1.5)]),
        ("2026-10", "g1", [("EC2", 20.0)]),
        ("2026-10", "g2", [("EC2", 21.0), ("RDS", 0.25)]),
    ):
        place = f"{ROOT}/billing_period={period}/generation={generation}/"
        put(session, place, rows)
        if generation == "g1":
            glue.create_partition(
                DatabaseName="cloudspend",
                TableName="cost_and_usage",
                PartitionInput=partition(period, place),
            )
    athena.create_work_group(
        Name="cloudspend",
        Configuration={
            "EnforceWorkGroupConfiguration": True,
            "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/athena/"},
        },
    )
    return session


def finished(session: LocalSession, sql: str, **more: Any) -> dict[str, Any]:
    athena = session.client("athena")
    query_id = athena.start_query_execution(
        QueryString=sql,
        **{"WorkGroup": "cloudspend", "QueryExecutionContext": {"Database": "cloudspend"}, **more},
    )["QueryExecutionId"]
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found: dict[str, Any] = athena.get_query_execution(QueryExecutionId=query_id)[
            "QueryExecution"
        ]
        if found["Status"]["State"] not in ("QUEUED", "RUNNING"):
            return found
        time.sleep(0.02)
    raise AssertionError(found)


def rows(session: LocalSession, sql: str, **more: Any) -> list[list[str | None]]:
    """All rows of a query that must succeed, without the header."""
    execution = finished(session, sql, **more)
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    pages = session.client("athena").get_paginator("get_query_results")
    found = [
        [datum.get("VarCharValue") for datum in row["Data"]]
        for page in pages.paginate(QueryExecutionId=execution["QueryExecutionId"])
        for row in page["ResultSet"]["Rows"]
    ]
    return found[1:] if execution.get("SubstatementType") == "SELECT" else found


def reason(session: LocalSession, sql: str, **more: Any) -> str:
    status = finished(session, sql, **more)["Status"]
    assert status["State"] == "FAILED", status
    return str(status["StateChangeReason"])


def test_a_view_groups_the_partitions_that_the_catalog_points_to(session: LocalSession) -> None:
    found = rows(session, "SELECT * FROM cost_by_service ORDER BY billing_period, servicename")
    assert found == [
        ["2026-09", "EC2", "10.0"],
        ["2026-09", "S3", "1.5"],
        ["2026-10", "EC2", "20.0"],
    ]


def test_a_moved_pointer_changes_what_the_next_query_reads(session: LocalSession) -> None:
    glue = session.client("glue")
    sql = "SELECT sum(billedcost) FROM cost_and_usage WHERE billing_period = '2026-10'"
    for generation, total in (("g2", "21.25"), ("g1", "20.0")):
        place = f"{ROOT}/billing_period=2026-10/generation={generation}/"
        glue.update_partition(
            DatabaseName="cloudspend",
            TableName="cost_and_usage",
            PartitionValueList=["111111111111", "2026-10"],
            PartitionInput=partition("2026-10", place),
        )
        assert rows(session, sql) == [[total]]


def test_a_query_in_a_loop_sees_whole_generations_only(session: LocalSession) -> None:
    glue = session.client("glue")
    done = threading.Event()

    def move() -> None:
        for turn in range(200):
            place = f"{ROOT}/billing_period=2026-10/generation={('g2', 'g1')[turn % 2]}/"
            glue.update_partition(
                DatabaseName="cloudspend",
                TableName="cost_and_usage",
                PartitionValueList=["111111111111", "2026-10"],
                PartitionInput=partition("2026-10", place),
            )
        done.set()

    mover = threading.Thread(target=move)
    mover.start()
    seen = set()
    while not done.is_set():
        [[total]] = rows(session, "SELECT sum(billedcost) FROM cost_and_usage")
        seen.add(total)
    mover.join()
    assert seen == {"31.5", "32.75"}


def test_only_matching_partitions_and_touched_columns_are_scanned(session: LocalSession) -> None:
    def scanned(sql: str) -> int:
        return int(finished(session, sql)["Statistics"]["DataScannedInBytes"])

    one = scanned("SELECT sum(cost) FROM cost_by_service WHERE billing_period = '2026-09'")
    both = scanned("SELECT sum(cost) FROM cost_by_service")
    wide = scanned("SELECT * FROM cost_and_usage WHERE billing_period = '2026-09'")
    assert 0 < one < both
    assert one < wide
    assert scanned("SELECT * FROM cost_and_usage WHERE billing_period = '1999-01'") == 0


def test_the_result_file_is_at_the_reported_key(session: LocalSession) -> None:
    execution = finished(session, "SELECT 'a\"b' AS x, CAST(NULL AS varchar) AS y, 1.5E0 AS z")
    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://{RESULTS}/athena/{execution['QueryExecutionId']}.csv"
    key = location.removeprefix(f"s3://{RESULTS}/")
    body = session.client("s3").get_object(Bucket=RESULTS, Key=key)["Body"].read().decode()
    assert body == '"x","y","z"\n"a""b",,"1.5"\n'
    session.client("s3").head_object(Bucket=RESULTS, Key=f"{key}.metadata")


def test_an_enforced_workgroup_decides_where_results_go(session: LocalSession) -> None:
    asked = {"OutputLocation": f"s3://{LAKE}/elsewhere/"}
    found = finished(session, "SELECT 1", ResultConfiguration=asked)
    assert found["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{RESULTS}/athena/")


def test_no_output_location_is_refused(session: LocalSession) -> None:
    with pytest.raises(ClientError, match="No output location provided"):
        finished(session, "SELECT 1", WorkGroup="primary")


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (
            "SELECT *\nFROM nothing_here",
            "TABLE_NOT_FOUND: line 2:6: Table 'awsdatacatalog.cloudspend.nothing_here' does not",
        ),
        ("SELECT colour FROM cost_and_usage", "COLUMN_NOT_FOUND: line 1:8: Column 'colour'"),
        ("SELECT no_such(1)", "FUNCTION_NOT_FOUND: line 1:1: Function 'no_such'"),
        (
            "SELECT servicename, sum(billedcost) FROM cost_and_usage",
            "EXPRESSION_NOT_AGGREGATE: line 1:8: 'servicename'",
        ),
        ("SELECT tags['absent'] FROM cost_and_usage", "Key not present in map: absent"),
        ("SELECT CAST('x' AS bigint)", "INVALID_CAST_ARGUMENT"),
    ],
)
def test_a_failed_query_says_why_as_athena_does(
    session: LocalSession, sql: str, words: str
) -> None:
    assert words in reason(session, sql)


def test_malformed_sql_is_refused_at_once(session: LocalSession) -> None:
    with pytest.raises(ClientError, match=r"line 1:\d+: mismatched input") as error:
        finished(session, "SELECT FROM WHERE (")
    assert error.value.response["Error"]["Code"] == "InvalidRequestException"


def test_placeholders_take_literals_in_order(session: LocalSession) -> None:
    sql = "SELECT servicename FROM cost_and_usage WHERE billing_period = ? AND billedcost < ?"
    assert rows(session, sql, ExecutionParameters=["'2026-09'", "5"]) == [["S3"]]
    with pytest.raises(ClientError, match="is not a literal"):
        rows(session, sql, ExecutionParameters=["'x' OR 1 = 1", "5"])


def test_prepared_statements(session: LocalSession) -> None:
    rows(session, "PREPARE dear FROM SELECT servicename FROM cost_and_usage WHERE billedcost > ?")
    assert rows(session, "EXECUTE dear USING 15") == [["EC2"]]
    rows(session, "DEALLOCATE PREPARE dear")


def test_results_come_in_pages_of_a_thousand_with_the_header(session: LocalSession) -> None:
    sql = "SELECT n FROM UNNEST(sequence(1, 1500)) AS t(n)"
    execution = finished(session, sql)
    athena = session.client("athena")
    first = athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    assert len(first["ResultSet"]["Rows"]) == 1000
    assert len(rows(session, sql)) == 1500


def test_create_table_as_insert_and_unload(session: LocalSession) -> None:
    rows(
        session,
        "CREATE TABLE copies WITH (format = 'PARQUET', partitioned_by = ARRAY['billing_period']) "
        "AS SELECT servicename, billedcost, billing_period FROM cost_and_usage",
    )
    rows(session, "INSERT INTO copies VALUES ('Tax', 3.0E0, '2026-11')")
    assert rows(session, "SHOW PARTITIONS copies") == [
        ["billing_period=2026-09"],
        ["billing_period=2026-10"],
        ["billing_period=2026-11"],
    ]
    sql = "SELECT billing_period, sum(billedcost) FROM copies GROUP BY 1 ORDER BY 1"
    assert rows(session, sql)[0] == ["2026-09", "11.5"]
    assert rows(session, sql)[2] == ["2026-11", "3.0"]
    target = f"s3://{LAKE}/unloaded/"
    done = finished(session, f"UNLOAD (SELECT 1 AS n) TO '{target}' WITH (format = 'PARQUET')")
    assert done["Status"]["State"] == "SUCCEEDED", done["Status"]
    assert done["Statistics"]["DataManifestLocation"].endswith("-manifest.csv")
    again = reason(session, f"UNLOAD (SELECT 1 AS n) TO '{target}' WITH (format = 'PARQUET')")
    assert again.startswith("HIVE_PATH_ALREADY_EXISTS")
    rows(session, "DROP TABLE copies")


def test_views_can_be_made_shown_and_dropped(session: LocalSession) -> None:
    rows(
        session,
        "CREATE OR REPLACE VIEW totals AS SELECT sum(billedcost) AS total FROM cost_and_usage",
    )
    assert rows(session, "SELECT total FROM totals") == [["31.5"]]
    assert ["totals"] in rows(session, "SHOW VIEWS")
    assert "cost_and_usage" in {row[0] for row in rows(session, "SHOW TABLES")}
    described = rows(session, "DESCRIBE totals")
    assert described[0][0] is not None
    assert described[0][0].split() == ["total", "double"]
    rows(session, "DROP VIEW totals")
    assert "TABLE_NOT_FOUND" in reason(session, "SELECT * FROM totals")


def test_a_view_whose_declared_columns_do_not_fit_is_stale(session: LocalSession) -> None:
    session.client("glue").create_table(
        DatabaseName="cloudspend",
        TableInput={
            "Name": "stale",
            "TableType": "VIRTUAL_VIEW",
            "ViewOriginalText": presto_view(VIEW_SQL, [("billing_period", "varchar")]),
        },
    )
    assert "VIEW_IS_STALE" in reason(session, "SELECT * FROM stale")


def test_a_query_can_be_stopped(session: LocalSession) -> None:
    athena = session.client("athena")
    query_id = athena.start_query_execution(
        QueryString="SELECT count(*) FROM UNNEST(sequence(1, 300000)) AS a(n), "
        "UNNEST(sequence(1, 300000)) AS b(m) WHERE n * m % 7 = 3",
        WorkGroup="cloudspend",
    )["QueryExecutionId"]
    athena.stop_query_execution(QueryExecutionId=query_id)
    found = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
    assert found["Status"]["State"] == "CANCELLED"
    assert rows(session, "SELECT 1") == [["1"]]


def test_the_same_request_token_starts_one_query(session: LocalSession) -> None:
    athena = session.client("athena")
    token = "t" * 40
    start = {"WorkGroup": "cloudspend", "ClientRequestToken": token}
    first = athena.start_query_execution(QueryString="SELECT 1", **start)["QueryExecutionId"]
    second = athena.start_query_execution(QueryString="SELECT 1", **start)["QueryExecutionId"]
    assert first == second
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        athena.start_query_execution(QueryString="SELECT 2", **start)


# awswrangler 3.17 passes pandas 3 an option that it has given up; the frame is not affected.
@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
def test_awswrangler_reads_typed_results(session: LocalSession) -> None:
    awswrangler.config.athena_endpoint_url = session.endpoint
    awswrangler.config.s3_endpoint_url = session.endpoint
    awswrangler.config.sts_endpoint_url = session.endpoint
    awswrangler.config.glue_endpoint_url = session.endpoint
    frame = awswrangler.athena.read_sql_query(
        "SELECT servicename, billedcost, CAST(billedcost AS decimal(10,2)) AS exact, "
        "TIMESTAMP '2026-10-01 00:00:00' AS at FROM cost_and_usage ORDER BY billedcost",
        database="cloudspend",
        workgroup="cloudspend",
        ctas_approach=False,
        boto3_session=session,
    )
    assert list(frame["servicename"]) == ["S3", "EC2", "EC2"]
    assert float(frame["billedcost"].sum()) == 31.5
    assert [str(value) for value in frame["exact"]] == ["1.50", "10.00", "20.00"]
    assert str(frame["at"][0]) == "2026-10-01 00:00:00"
