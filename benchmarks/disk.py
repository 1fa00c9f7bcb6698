"""A generated chunk on disk, converted into a folder as the function converts into the lake."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.chunk import PERIOD
from cloudspend.accounts.model import ExportKind
from cloudspend.convert.focus.schema import COST_AND_USAGE
from cloudspend.convert.model import ConversionTask
from cloudspend.convert.ports import ByteStream
from cloudspend.exports.model import BillingPeriod, DeliveredFile


class Disk:
    """A chunk to read, and a folder to write to: one file an object, named after its whole key."""

    bucket = ""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def open(self, file: DeliveredFile) -> Iterator[ByteStream]:
        with Path(file.key).open("rb") as stream:
            yield stream

    def put(self, path: Path, key: str) -> None:
        # A peer's file is written once as well.
        self.place(key).hardlink_to(path)

    def place(self, key: str) -> Path:
        """Where the object of that key is."""
        return self._folder / key.replace("/", "-")


def task_of(
    chunk: Path, tables: tuple[str, ...] = (COST_AND_USAGE,), tag_columns: tuple[str, ...] = ()
) -> ConversionTask:
    """The conversion of a chunk that `benchmarks.chunk` wrote."""
    return ConversionTask(
        account_id="111111111111",
        period=BillingPeriod.parse(PERIOD),
        generation="benchmark",
        task=0,
        kind=ExportKind.CUR_2_0,
        compression="gzip",
        files=(DeliveredFile("", str(chunk), "", chunk.stat().st_size),),
        tables=tables,
        tag_columns=tag_columns,
    )
