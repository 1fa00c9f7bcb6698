"""Trino's meaning of an expression, where DuckDB's own would be another."""

import pytest
from athena_world import World
from hypothesis import given
from hypothesis import strategies as st

from local.athena import datatypes, run, statements, text
from local.athena.failures import QueryFailed, RequestRefused


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("7 / 2", "3"),
        ("7 / 2.0", "3.5"),
        ("7 / 2E0", "3.5"),
        ("sum(7) / 2", "3"),
        ("sum(7) / sum(2)", "3"),
        ("sum(7E0) / 2", "3.5"),
        ("sum(7E0) / sum(2E0)", "3.5"),
        ("100 * sum(7E0) / sum(2)", "350.0"),
        ("7 / (2 * 2)", "1"),
        ("12 / 2 / 3", "2"),
        ("date_trunc('month', DATE '2026-10-05')", "2026-10-01"),
        ("date_trunc('month', TIMESTAMP '2026-10-05 01:02:03')", "2026-10-01 00:00:00.000"),
        ("DATE '2026-10-05' + INTERVAL '1' DAY", "2026-10-06"),
        ("DATE '2026-10-05' - INTERVAL '1' MONTH", "2026-09-05"),
        ("date_add('day', -5, DATE '2026-10-05')", "2026-09-30"),
        ("date_diff('day', DATE '2026-10-01', DATE '2026-10-05')", "4"),
        ("date_format(DATE '2026-10-05', '%Y-%m')", "2026-10"),
        ("date_parse('2026-10', '%Y-%m')", "2026-10-01 00:00:00.000"),
        ("from_iso8601_timestamp('2026-10-05T00:00:00Z')", "2026-10-05 00:00:00.000 UTC"),
        ("cardinality(map(ARRAY['a', 'b'], ARRAY[1, 2]))", "2"),
        ("cardinality(ARRAY[1, 2, 3])", "3"),
        ("map_keys(map(ARRAY['a'], ARRAY['x']))", "[a]"),
        ("map(ARRAY['a'], ARRAY['x'])", "{a=x}"),
        ("map(ARRAY['a'], ARRAY['x'])['a']", "x"),
        ("element_at(map(ARRAY['a'], ARRAY['x']), 'b')", None),
        ("map_agg('a', 1)", "{a=1}"),
        ("CAST(1.5 AS decimal(10, 3))", "1.500"),
        ("sum(CAST(0.1E0 AS decimal(38, 12)))", "0.100000000000"),
        ("TRY_CAST('x' AS double)", None),
        ("coalesce(nullif('', ''), 'b') || 'c'", "bc"),
        ("approx_distinct(1)", "1"),
        ("arbitrary('x')", "x"),
        ("max_by('x', 1)", "x"),
        ("regexp_like('abc', 'b')", "true"),
        ("1.0E10", "1.0E10"),
        ("CAST(1 AS boolean)", "true"),
    ],
)
def test_expressions(expression: str, value: str | None) -> None:
    assert World(tables=()).rows(f"SELECT {expression}") == [(value,)]


def test_a_map_unfolds_into_keys_and_values() -> None:
    sql = (
        "SELECT k, v FROM (SELECT map(ARRAY['a'], ARRAY['x']) AS m) CROSS JOIN UNNEST(m) AS t(k, v)"
    )
    assert World(tables=()).rows(sql) == [("a", "x")]


@pytest.mark.parametrize("duck", ["TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP"])
def test_a_view_declares_any_files_timestamps(duck: str) -> None:
    assert datatypes.to_trino(duck) == "timestamp(3)"
    assert datatypes.to_hive(duck) == "timestamp"


def test_rows_of_values_are_columns() -> None:
    sql = "SELECT b, a FROM (VALUES ROW('x', 1), ROW('y', 2)) AS t (a, b) ORDER BY a DESC"
    assert World().rows(sql) == [("2", "y"), ("1", "x")]
    assert World().rows("SELECT t.a FROM (VALUES 3, 4) AS t (a)") == [("3",), ("4",)]


def test_a_missing_key_fails_as_in_trino() -> None:
    with pytest.raises(QueryFailed, match="Key not present in map: b"):
        World(tables=()).run("SELECT map(ARRAY['a'], ARRAY['x'])['b']")


def test_whole_numbers_cannot_be_divided_by_zero() -> None:
    with pytest.raises(QueryFailed, match="DIVISION_BY_ZERO"):
        World(tables=()).run("SELECT 1 / 0")


@pytest.mark.parametrize("sql", ["", "SELEC 1", "SELECT (1", "SELECT 1; SELECT 2", "VACUUM t"])
def test_what_athena_does_not_take_is_refused(sql: str) -> None:
    with pytest.raises(RequestRefused):
        statements.read(sql)


@pytest.mark.parametrize(
    ("sql", "kind", "shown"),
    [
        ("-- note\nSELECT 1;", statements.Select, "SELECT"),
        ("WITH a AS (SELECT 1) SELECT * FROM a", statements.Select, "SELECT"),
        ("SHOW TABLES IN lake 'cost*'", statements.Show, ""),
        ("DESCRIBE lake.costs", statements.Show, ""),
        ("CREATE OR REPLACE VIEW v AS SELECT 1 AS x", statements.CreateView, "CREATE_VIEW"),
        ("DROP VIEW IF EXISTS lake.v", statements.Drop, "DROP"),
        ("INSERT INTO t (a) SELECT 1", statements.Insert, "INSERT"),
        (
            "ALTER TABLE t ADD IF NOT EXISTS PARTITION (p = 'x')",
            statements.Partitions,
            "ALTER_TABLE",
        ),
        ("UNLOAD (SELECT 1) TO 's3://b/c/' WITH (format = 'JSON')", statements.Unload, "UNLOAD"),
        ("EXECUTE p USING 1, 'a'", statements.Execute, "EXECUTE"),
    ],
)
def test_kinds_of_statements(sql: str, kind: type[statements.Statement], shown: str) -> None:
    found = statements.read(sql)
    assert isinstance(found, kind)
    assert found.substatement == shown


@given(
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=20)
)
def test_a_quoted_parameter_is_only_ever_a_value(value: str) -> None:
    parameter = "'" + value.replace("'", "''") + "'"
    filled = run.with_parameters("SELECT ? AS v, '?' AS mark", [parameter])
    select = statements.read(filled)
    assert isinstance(select, statements.Select)
    assert select.tree.expressions[0].this.this == value


@pytest.mark.parametrize(
    "parameter", ["a", "1 OR 1 = 1", "1, 2", "(SELECT 1)", "now()", "1 FROM t", ""]
)
def test_a_parameter_must_be_a_literal(parameter: str) -> None:
    with pytest.raises(RequestRefused):
        run.with_parameters("SELECT ?", [parameter])


def test_parameters_must_be_as_many_as_the_marks() -> None:
    with pytest.raises(RequestRefused, match="expected 2 but found 1"):
        run.with_parameters("SELECT ?, ?", ["1"])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.1, "0.1"),
        (12345.0, "12345.0"),
        (1e7, "1.0E7"),
        (123456789.5, "1.234567895E8"),
        (0.00025, "2.5E-4"),
        (-0.0, "-0.0"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_doubles_look_as_java_prints_them(value: float, shown: str) -> None:
    assert text.java_double(value) == shown


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_survive_their_text(value: float) -> None:
    assert float(text.java_double(value)) == value


def test_the_result_file_keeps_null_and_empty_apart() -> None:
    assert text.csv(["a", "b"], [("", None), ('x"y', "1")]) == b'"a","b"\n"",\n"x""y","1"\n'
