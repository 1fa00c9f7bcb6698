"""The simulation at scale runs, and shows what a sweep with nothing new asks of AWS."""

import pytest

from benchmarks.scale import Size, ingest, main, sweep

SMALL = Size(accounts=2, periods=36, rows=5_000_000, deliveries=2)


def test_a_sweep_asks_the_registry_once_an_account_and_lists_no_data_file() -> None:
    calls = sweep(SMALL).calls
    assert calls["dynamodb:Query"] == SMALL.accounts
    assert calls["s3:ListObjectsV2 of data files"] == 0
    assert calls["s3:GetObject (customer)"] == 0
    assert calls["dynamodb:PutItem"] == 0
    assert calls["states:StartExecution"] == 0
    assert calls["s3:HeadObject (customer)"] < SMALL.accounts * SMALL.periods


def test_a_delivery_is_published_by_one_call_to_glue() -> None:
    calls = ingest(SMALL).calls
    deliveries = SMALL.accounts * SMALL.deliveries
    assert calls["glue:UpdatePartition"] == deliveries
    assert calls["dynamodb:PutItem"] == deliveries
    assert calls["s3:HeadObject (customer)"] == deliveries * SMALL.files


def test_a_delivery_has_as_many_files_as_its_rows_need() -> None:
    assert Size().files == 1
    assert Size(accounts=10, rows=100_000_000, deliveries=1).files == 10


def test_the_figures_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--accounts", "1", "--periods", "3", "--rows", "10"])
    said = capsys.readouterr().out
    assert "1 accounts, 3 months each" in said
    assert "one sweep, nothing new" in said
    assert "planning and publishing a day" in said
