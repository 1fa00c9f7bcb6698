"""What AWS's delivery writes, whole and damaged."""

import csv
import gzip
import io
import json
import zlib
from typing import Any

import pytest

from local.world import breakage
from local.world.delivery import Assembly, Report, assemble
from local.world.world import World

REPORT = Report("cloudspend-export-111111111111-us-east-1", "cloudspend", "cloudspend-cur")
ID = "11111111-2222-4333-8444-555555555555"
FOLDER = f"cloudspend/cloudspend-cur/20261001-20261101/{ID}"


@pytest.fixture
def assembly(world: World) -> Assembly:
    return assemble(world.bills()[1], REPORT, ID)


def rows_of(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(gzip.decompress(body).decode())))


def manifest_of(assembly: Assembly) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(assembly.manifest)
    return found


def test_the_layout_is_that_of_create_new_report(assembly: Assembly) -> None:
    keys = [key for key, _ in assembly.objects]
    assert keys == [
        f"{FOLDER}/cloudspend-cur-00001.csv.gz",
        f"{FOLDER}/cloudspend-cur-00002.csv.gz",
        f"{FOLDER}/cloudspend-cur-00003.csv.gz",
        f"{FOLDER}/cloudspend-cur-Manifest.json",
        "cloudspend/cloudspend-cur/20261001-20261101/cloudspend-cur-Manifest.json",
    ]


def test_the_manifest_says_all_that_aws_says(assembly: Assembly) -> None:
    manifest = manifest_of(assembly)
    assert manifest["assemblyId"] == ID
    assert manifest["account"] == "111111111111"
    assert manifest["billingPeriod"] == {
        "start": "20261001T000000.000Z",
        "end": "20261101T000000.000Z",
    }
    assert manifest["bucket"] == REPORT.bucket
    assert manifest["reportKeys"] == list(assembly.data)
    assert manifest["columns"][0] == {
        "category": "identity",
        "name": "LineItemId",
        "type": "String",
    }


def test_manifest_and_files_have_the_same_columns(assembly: Assembly) -> None:
    named = [f"{each['category']}/{each['name']}" for each in manifest_of(assembly)["columns"]]
    assert all(rows_of(body)[0] == named for body in assembly.data.values())


def test_the_files_hold_the_bill(assembly: Assembly) -> None:
    rows = [tuple(row) for body in assembly.data.values() for row in rows_of(body)[1:]]
    assert rows == list(assembly.bill.rows)


def test_the_same_bill_gives_the_same_bytes_and_another_assembly(world: World) -> None:
    first, second = (assemble(world.bills()[1], REPORT) for _ in range(2))
    assert first.assembly_id != second.assembly_id
    assert list(first.data.values()) == list(second.data.values())


def test_a_truncated_file_does_not_decompress(assembly: Assembly) -> None:
    broken = breakage.truncated(assembly, 2)
    with pytest.raises((EOFError, zlib.error)):
        gzip.decompress(broken.data[breakage.key_of(broken, 2)])
    assert broken.report_keys == assembly.report_keys


def test_a_missing_file_is_still_in_the_manifest(assembly: Assembly) -> None:
    broken = breakage.without_file(assembly, 1)
    assert len(broken.data) == 2
    assert manifest_of(broken)["reportKeys"] == list(assembly.report_keys)


def test_a_file_that_is_left_out_is_nowhere(assembly: Assembly) -> None:
    broken = breakage.left_out(assembly, 1)
    assert manifest_of(broken)["reportKeys"] == list(broken.data)
    assert len(broken.data) == 2


def test_a_file_twice(assembly: Assembly) -> None:
    listed = manifest_of(breakage.listed_twice(assembly, 3))["reportKeys"]
    assert listed.count(f"{FOLDER}/cloudspend-cur-00003.csv.gz") == 2
    copied = breakage.delivered_twice(assembly, 3)
    assert len(set(copied.report_keys)) == 4
    assert len(set(copied.data.values())) == 3


def test_one_bad_cost_and_one_row_of_another_month(world: World) -> None:
    bill = world.bills()[1]
    costly = breakage.with_cost(bill, 1, 1, "n/a")
    assert costly.values("lineItem/UnblendedCost").count("n/a") == 1
    strayed = breakage.outside_period(bill, 2, 1)
    starts = strayed.values("bill/BillingPeriodStartDate")
    assert starts.count("2026-09-01T00:00:00Z") == 1
    assert starts[3000] == "2026-09-01T00:00:00Z"
