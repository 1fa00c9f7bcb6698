"""A bill on a disk, converted into a folder: what is found, written, replaced, and refused."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from cloudspend.accounts.model import ExportKind
from cloudspend.convert.ports import ByteStream
from cloudspend.errors import (
    DeliveryError,
    DeliveryReplaced,
    TotalsDiffer,
    TransientError,
    UsageError,
)
from cloudspend.exports.model import BillingPeriod, DeliveredFile
from cloudspend.standalone import convert as use_case
from cloudspend.standalone import staging as staging_room
from cloudspend.standalone import swap as swap_room
from cloudspend.standalone.convert import Request, convert_bill
from cloudspend.standalone.disk import Disk
from cloudspend.standalone.model import Converted
from cloudspend.standalone.names import downloaded
from cloudspend.standalone.staging import Staging
from cloudspend.standalone.swap import swap
from tests.corpus.bills import LEGACY, PACKED, ROWS, csv_of, rows

KIND = ExportKind.CUR_LEGACY
OCTOBER, NOVEMBER = BillingPeriod(2026, 10), BillingPeriod(2026, 11)
COST, SERVICE = LEGACY.cost, "product/ProductName"


def write(path: Path, *changes: dict[str, str], compression: str = "gzip") -> str:
    """A bill of one row for each of `changes`; the header alone without any."""
    table = csv_of(rows(KIND, *changes) if changes else rows(KIND, {}))
    body = table if changes else table.split(b"\n")[0] + b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(PACKED[compression](body) if compression in PACKED else body)
    return str(path)


def in_november(**change: str) -> dict[str, str]:
    return {LEGACY.period: "2026-11-01T00:00:00Z", **change}


def convert(folder: Path, *sources: str, **options: Any) -> Converted:
    return convert_bill(Request(sources, folder, **options), Disk(), lambda *_: None)


def files_in(folder: Path) -> list[str]:
    """Everything below `folder`, hidden or not."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def costs(folder: Path, period: BillingPeriod = OCTOBER) -> list[float]:
    """The billed costs that a reader finds."""
    found = pq.read_table(folder / "cost_and_usage" / f"billing_period={period}")
    return sorted(found.column("billedcost").to_pylist())


def manifest(folder: Path, *keys: str, name: str = "bill-Manifest.json") -> str:
    body = {
        "assemblyId": "a1",
        "account": "111111111111",
        "billingPeriod": {"start": "20261001T000000.000Z", "end": "20261101T000000.000Z"},
        "bucket": "somewhere",
        "compression": "GZIP",
        "columns": [
            {"category": column.split("/")[0], "name": column.split("/")[1], "type": "String"}
            for column in ROWS[KIND]
        ],
        "reportKeys": list(keys),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(body))
    return str(folder / name)


@pytest.mark.parametrize(
    ("name", "compression"),
    [("a.csv.gz", "gzip"), ("A.CSV.GZ", "gzip"), ("a.csv.zip", "zip"), ("a.csv", "none")],
)
def test_a_file_becomes_a_period_of_a_table(tmp_path: Path, name: str, compression: str) -> None:
    source = write(tmp_path / name, {COST: "1"}, {COST: "2"}, compression=compression)
    done = convert(tmp_path / "lake", source)
    assert files_in(tmp_path / "lake") == ["cost_and_usage/billing_period=2026-10/00000-00.parquet"]
    assert costs(tmp_path / "lake") == [1, 2]
    assert (done.kind, done.periods) == (KIND, (OCTOBER,))
    assert (done.rows_read, done.rows_written, done.currency) == (2, 2, "USD")
    assert (done.billed_cost, done.effective_cost) == (Decimal(3), Decimal(3))
    assert [path.is_file() for path in done.files] == [True]


def test_files_of_several_months_are_grouped_by_month(tmp_path: Path) -> None:
    sources = (
        write(tmp_path / "1.csv.gz", {COST: "1"}),
        write(tmp_path / "2.csv.gz", in_november(**{COST: "2"})),
        write(tmp_path / "3.csv.zip", {COST: "4"}, compression="zip"),
    )
    done = convert(tmp_path / "lake", *sources)
    assert done.periods == (OCTOBER, NOVEMBER)
    assert costs(tmp_path / "lake") == [1, 4]
    assert costs(tmp_path / "lake", NOVEMBER) == [2]
    assert len(done.files) == len(files_in(tmp_path / "lake")) == 3
    assert done.billed_cost == 7


def test_totals_by_category_and_service_are_those_of_the_written_files(tmp_path: Path) -> None:
    exact = ["0.1000000001", "0.2000000002", "0.2000000002"]
    source = write(
        tmp_path / "a.csv.gz",
        *({COST: cost, SERVICE: "Amazon S3"} for cost in exact),
        {LEGACY.category: "Tax", COST: "1.9", SERVICE: "Amazon EC2"},
        {LEGACY.category: "SavingsPlanNegation", COST: "-100"},
    )
    done = convert(tmp_path / "lake", source)
    by_category = {group.value: group for group in done.groups["charge category"]}
    assert list(by_category) == ["Tax", "Usage"]
    assert by_category["Usage"].costs["billed_cost"] == Decimal("0.5000000005")
    assert {group.value: group.rows for group in done.groups["service"]} == {
        "Amazon EC2": 1,
        "Amazon S3": 3,
    }
    assert (done.rows_read, done.rows_written) == (5, 4)


def test_a_second_run_replaces_its_months_and_leaves_the_others(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    both = write(tmp_path / "1.csv.gz", {COST: "1"}), write(tmp_path / "2.csv.gz", in_november())
    convert(lake, *both)
    convert(lake, write(tmp_path / "3.csv.gz", {COST: "3"}))
    assert costs(lake) == [3]
    assert costs(lake, NOVEMBER) == [0.096]
    assert len(files_in(lake)) == 2


def test_files_without_rows_belong_to_no_month(tmp_path: Path) -> None:
    done = convert(tmp_path / "lake", write(tmp_path / "a.csv.gz"))
    assert (done.rows_read, done.periods, done.files) == (0, (), ())
    assert [file.key for file in done.empty] == [str(tmp_path / "a.csv.gz")]
    assert not (tmp_path / "lake").exists()


def test_the_folder_tells_the_month_of_a_file_without_rows(tmp_path: Path) -> None:
    source = write(tmp_path / "data" / "BILLING_PERIOD=2026-10" / "a.csv.gz")
    done = convert(tmp_path / "lake", source)
    assert (done.periods, done.rows_written, done.currency) == ((OCTOBER,), 0, "")
    assert costs(tmp_path / "lake") == []


KEYS = tuple(f"exports/bill/20261001-20261101/a1/bill-{number}.csv.gz" for number in (1, 2))
DOWNLOADS = {
    "the delivery's folder": ("", ""),
    "the report's folder": ("20261001-20261101", "20261001-20261101/a1"),
    "the assembly's copy of the manifest": ("20261001-20261101/a1", "20261001-20261101/a1"),
    "the bucket": ("exports/bill/20261001-20261101", "exports/bill/20261001-20261101/a1"),
}


@pytest.mark.parametrize("download", DOWNLOADS)
def test_a_manifest_finds_its_files_however_they_were_downloaded(
    tmp_path: Path, download: str
) -> None:
    of_manifest, of_files = (tmp_path / folder for folder in DOWNLOADS[download])
    for key in KEYS:
        write(of_files / Path(key).name, {COST: "1"})
    done = convert(tmp_path / "lake", manifest(of_manifest, *KEYS))
    assert (done.periods, done.billed_cost) == ((OCTOBER,), 2)


def test_a_manifest_takes_no_other_deliverys_file_of_the_same_name(tmp_path: Path) -> None:
    write(tmp_path / "bill-1.csv.gz", {})
    write(tmp_path / "20261001-20261101" / "a2" / "bill-1.csv.gz", {})
    assert downloaded(tmp_path / "20261001-20261101" / "bill-Manifest.json", KEYS[0]) is None


@pytest.mark.parametrize("key", ["../secret.csv.gz", "/etc/passwd", "a/../../x.csv.gz", ""])
def test_a_manifest_cannot_lead_out_of_where_it_was_downloaded(tmp_path: Path, key: str) -> None:
    (tmp_path / "secret.csv.gz").touch()
    (tmp_path / "inner").mkdir()
    assert downloaded(tmp_path / "inner" / "bill-Manifest.json", key) is None


def test_a_missing_file_of_a_manifest_is_named(tmp_path: Path) -> None:
    write(tmp_path / "bill-1.csv.gz", {})
    with pytest.raises(DeliveryError) as caught:
        convert(tmp_path / "lake", manifest(tmp_path, *KEYS))
    assert caught.value.details["file"] == KEYS[1]
    assert str(tmp_path / "bill-Manifest.json") in caught.value.summary
    assert not (tmp_path / "lake").exists()


Case = Callable[[Path], tuple[list[str], str]]


def _pipe(folder: Path) -> tuple[list[str], str]:
    os.mkfifo(folder / "pipe.csv.gz")
    return [str(folder / "pipe.csv.gz")], "no regular file"


def _linked(folder: Path) -> tuple[list[str], str]:
    good = write(folder / "a.csv.gz", {})
    (folder / "link.csv.gz").symlink_to(good)
    return [good, str(folder / "link.csv.gz")], "twice"


def _two_deliveries(folder: Path) -> tuple[list[str], str]:
    for name in ("a", "b"):
        write(folder / name / "bill-1.csv.gz", {})
    return [manifest(folder / name, "x/bill-1.csv.gz") for name in ("a", "b")], "both manifests"


def _by_manifest_and_name(folder: Path) -> tuple[list[str], str]:
    good = write(folder / "bill-1.csv.gz", {})
    return [manifest(folder, "x/bill-1.csv.gz"), good], "twice"


MISUSES: dict[str, Case] = {
    "missing": lambda folder: ([str(folder / "a.csv.gz")], "does not exist"),
    "a missing manifest": lambda folder: ([str(folder / "a.json")], "does not exist"),
    "below a file": lambda folder: ([write(folder / "a.csv.gz", {}) + "/b.gz"], "does not exist"),
    "a folder": lambda folder: ([str(folder)], "is a folder"),
    "a pipe": _pipe,
    "another name": lambda folder: ([write(folder / "bill.txt", {})], ".parquet"),
    "an impossible name": lambda _: (["a\0.csv.gz"], "cannot be read"),
    "twice": lambda folder: ([write(folder / "a.csv.gz", {})] * 2, "twice"),
    "twice by a link": _linked,
    "twice by manifest and name": _by_manifest_and_name,
    "two deliveries of a month": _two_deliveries,
    "a bucket without a key": lambda _: (["s3://bucket"], "is not the URI of an S3 object"),
    "a folder in S3": lambda _: (["s3://bucket/folder/"], "is not the URI of an S3 object"),
}


@pytest.mark.parametrize("why", MISUSES)
def test_sources_that_cannot_be_meant_are_wrong_usage(tmp_path: Path, why: str) -> None:
    sources, says = MISUSES[why](tmp_path)
    with pytest.raises(UsageError) as caught:
        convert(tmp_path / "lake", *sources)
    assert says in caught.value.sentence
    assert caught.value.remedy
    assert not (tmp_path / "lake").exists()


def test_the_kind_that_was_asked_for_is_held_against_what_is_found(tmp_path: Path) -> None:
    source = write(tmp_path / "a.csv.gz", {})
    assert convert(tmp_path / "lake", source, kind=KIND).kind is KIND
    with pytest.raises(UsageError, match="is a legacy Cost and Usage Report, but it was asked for"):
        convert(tmp_path / "lake", source, kind=ExportKind.FOCUS_1_2)


def test_a_file_that_is_no_bill_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,age\nx,1\n")
    with pytest.raises(DeliveryError, match="columns are those of no cost export"):
        convert(tmp_path / "lake", str(tmp_path / "a.csv"))


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda body: PACKED["gzip"](body)[:-9],
    "a bad row at the end": lambda body: PACKED["gzip"](body + b"x,y\n"),
    "a bad cost": lambda body: PACKED["gzip"](body.replace(b"0.0960000000", b"much", 1)),
    "not compressed": lambda body: body,
}


@pytest.mark.parametrize("fault", BROKEN)
def test_bad_input_leaves_the_folder_as_it_was(tmp_path: Path, fault: str) -> None:
    lake = tmp_path / "lake"
    convert(lake, write(tmp_path / "0.csv.gz", {COST: "1"}))
    before = files_in(lake)
    body = csv_of(rows(KIND, *({} for _ in range(50))))
    (tmp_path / "2.csv.gz").write_bytes(BROKEN[fault](body))
    good = write(tmp_path / "1.csv.gz", {COST: "5"})
    with pytest.raises(DeliveryError) as caught:
        convert(lake, good, str(tmp_path / "2.csv.gz"))
    assert caught.value.details["file"] == str(tmp_path / "2.csv.gz")
    assert (costs(lake), files_in(lake)) == ([1], before)
    with pytest.raises(DeliveryError):
        convert(tmp_path / "a" / "new" / "lake", good, str(tmp_path / "2.csv.gz"))
    assert not (tmp_path / "a").exists()


def test_a_month_in_two_currencies_is_not_added_up(tmp_path: Path) -> None:
    euros = write(tmp_path / "2.csv.gz", in_november(**{LEGACY.currency: "EUR"}))
    with pytest.raises(DeliveryError, match=r"USD \(2026-10\), EUR \(2026-11\)"):
        convert(tmp_path / "lake", write(tmp_path / "1.csv.gz", {}), euros)
    assert not (tmp_path / "lake").exists()


def test_a_table_that_the_kind_cannot_fill_is_wrong_usage(tmp_path: Path) -> None:
    source = write(tmp_path / "a.csv.gz", {})
    with pytest.raises(UsageError, match="novelty cannot be created from a legacy"):
        convert(tmp_path / "lake", source, tables=("novelty",))


def test_nothing_is_written_when_the_parquet_is_not_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(tmp_path / "a.csv.gz", {COST: "1"}, {COST: "2"})
    real = use_case.groups_of

    def one_row_less(table: str, paths: list[Path]) -> Any:
        found = real(table, paths)
        return {title: (replace(groups[0], rows=1), *groups[1:]) for title, groups in found.items()}

    monkeypatch.setattr(use_case, "groups_of", one_row_less)
    with pytest.raises(TotalsDiffer, match="1 rows instead of 2"):
        convert(tmp_path / "lake", source)
    assert not (tmp_path / "lake").exists()


class Interrupting(Disk):
    """A disk during whose reading something happens."""

    def __init__(self, happens: Callable[[DeliveredFile], None], after: int) -> None:
        self._happens = happens
        self._left = after

    @contextmanager
    def open(self, file: DeliveredFile) -> Iterator[ByteStream]:
        with super().open(file) as stream:
            yield stream
            self._left -= 1
            if self._left == 0:
                self._happens(file)


def _interrupt(_: DeliveredFile) -> None:
    raise KeyboardInterrupt


def _grow(file: DeliveredFile) -> None:
    with Path(file.key).open("ab") as opened:
        opened.write(b"more")


@pytest.mark.parametrize(
    ("happens", "error"), [(_interrupt, KeyboardInterrupt), (_grow, DeliveryReplaced)]
)
@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_what_happens_in_between_leaves_nothing(
    tmp_path: Path, happens: Callable[[DeliveredFile], None], error: type[BaseException], after: int
) -> None:
    lake = tmp_path / "lake"
    sources = write(tmp_path / "1.csv.gz", {}), write(tmp_path / "2.csv.gz", in_november())
    before = set(threading.enumerate())
    with pytest.raises(error):
        convert_bill(Request(sources, lake), Interrupting(happens, after), lambda *_: None)
    assert not lake.exists()
    assert set(threading.enumerate()) <= before


def two_months(folder: Path, cost: str) -> tuple[str, str]:
    return (
        write(folder / f"{cost}-1.csv.gz", {COST: cost}),
        write(folder / f"{cost}-2.csv.gz", in_november(**{COST: cost})),
    )


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_a_publication_that_fails_half_way_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool, error: type[BaseException]
) -> None:
    lake = tmp_path / "lake"
    if exists:
        convert(lake, *two_months(tmp_path, "1"))
    real, calls = staging_room._move, []

    def failing(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 2:
            raise error
        real(*arguments)

    monkeypatch.setattr(staging_room, "_move", failing)
    with pytest.raises((error, TransientError)):
        convert(lake, *two_months(tmp_path, "2"))
    assert len(calls) == 2
    if exists:
        assert costs(lake) == costs(lake, NOVEMBER) == [1]
        assert len(files_in(lake)) == 2
    else:
        assert not lake.exists()


def test_files_that_no_conversion_wrote_are_not_deleted(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    convert(lake, *two_months(tmp_path, "1"))
    notes = lake / "cost_and_usage" / "billing_period=2026-11" / "notes.txt"
    notes.write_text("mine")
    with pytest.raises(UsageError, match=r"notes\.txt"):
        convert(lake, *two_months(tmp_path, "2"))
    assert notes.read_text() == "mine"
    notes.unlink()
    assert costs(lake) == costs(lake, NOVEMBER) == [1]


def test_a_folder_that_cannot_be_is_wrong_usage(tmp_path: Path) -> None:
    source = write(tmp_path / "a.csv.gz", {})
    with pytest.raises(UsageError, match="cannot be a folder"):
        convert(Path(source), source)


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Staging, "put", full)
    with pytest.raises(TransientError, match="No space left on device"):
        convert(tmp_path / "lake", write(tmp_path / "a.csv.gz", {}))
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize("at_once", [True, False])
def test_two_folders_change_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / folder.name).touch()
    if not at_once:
        monkeypatch.setattr(swap_room, "_exchanged", lambda *_: False)
    swap(one, other)
    assert (files_in(one), files_in(other)) == (["other"], ["one"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]


def test_a_reader_always_finds_one_of_two_folders_that_change_places(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
        (folder / folder.name).touch()
    if not swap_room._exchanged(*folders):
        pytest.skip("this system needs two renames, with a moment without a folder")
    missing, ended = [], threading.Event()

    def look() -> None:
        while not ended.is_set():
            if not folders[0].exists():
                missing.append(1)

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(2000):
        swap(*folders)
    ended.set()
    reader.join()
    assert missing == []


def test_progress_is_told_to_the_end(tmp_path: Path) -> None:
    stated: list[tuple[int, int]] = []
    sources = two_months(tmp_path, "1")
    convert_bill(Request(sources, tmp_path / "lake"), Disk(), lambda *step: stated.append(step))
    size = sum(Path(source).stat().st_size for source in sources)
    assert stated[-1] == (size, size)
    assert stated == sorted(stated)


def test_who_is_told_of_progress_can_end_it_until_all_is_ready(tmp_path: Path) -> None:
    source = write(tmp_path / "a.csv.gz", {})
    stated = 0

    def tell(*_: int) -> None:
        nonlocal stated
        stated += 1
        if stated == last:
            raise KeyboardInterrupt

    last = 0
    convert_bill(Request([source], tmp_path / "lake"), Disk(), tell)
    for last in range(1, stated + 1):
        stated = 0
        with pytest.raises(KeyboardInterrupt):
            convert_bill(Request([source], tmp_path / str(last)), Disk(), tell)
        assert not (tmp_path / str(last)).exists()
