"""Conversion task: delivered files in, Parquet objects and their control totals out.

The calling thread reads and encodes; two other threads parse and map. Memory holds one run of rows,
which are sorted together and written as row groups of each table. The result does not depend on the
speed of any thread.
"""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from cloudspend.convert.engine.blocks import Buffers, CorruptFile, decompressed, header_and_blocks
from cloudspend.convert.engine.chunk_queue import ChunkQueue
from cloudspend.convert.engine.chunks import BatchPiece, BlockPiece, Chunk
from cloudspend.convert.engine.memory import configure_allocators, release_unused
from cloudspend.convert.engine.parquet import opened
from cloudspend.convert.engine.parse import column_names, damaged, unreadable
from cloudspend.convert.focus.mapping import KindMapping, Layout
from cloudspend.convert.focus.mappings import MAPPINGS
from cloudspend.convert.focus.names import column_key
from cloudspend.convert.focus.rules import KNOWN_CHARGE_TYPES
from cloudspend.convert.model import ConversionSummary, ConversionTask, Output
from cloudspend.convert.ports import ByteStream, Sink, Source
from cloudspend.convert.run import RunWriter
from cloudspend.convert.writer import Part, TableFiles
from cloudspend.errors import UsageError
from cloudspend.exports.model import DeliveredFile

WORKERS = 2
# Bytes of text that are gathered and sorted together: about 500,000 rows of CUR 2.0.
RUN_BYTES = 51 * 16 * 1024 * 1024
PARQUET = "parquet"


def convert_task(task: ConversionTask, source: Source, sink: Sink) -> ConversionSummary:
    """Convert the files of a task and store the results in the lake.

    Stores nothing when any file is unreadable. Raises DeliveryError with `file`, `line`, `column`
    and `value` of the first invalid row (in Parquet `row_group` and `row`); DeliveryReplaced,
    PermissionDenied and TransientError as the source does.
    """
    mapping = MAPPINGS[task.kind].with_tags(task.tag_columns)
    missing = [table for table in task.tables if table not in mapping.tables]
    if missing:
        raise UsageError(f"Files of kind {task.kind} cannot fill the table {missing[0]}.")
    configure_allocators()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
        files = {
            table: TableFiles(Path(folder), table, mapping.tables[table].schema)
            for table in task.tables
        }
        for own in files.values():
            closing.callback(own.abandon)
        pool = closing.enter_context(ThreadPoolExecutor(WORKERS, "convert"))
        writer = RunWriter(task, mapping, files, pool, WORKERS)
        conversion = _Conversion(task, mapping, ChunkQueue(pool, WORKERS), writer)
        conversion.run(source)
        outputs = [
            _put(part, task.output_key(table, number), table, sink)
            for table, own in files.items()
            for number, part in enumerate(own.finish())
        ]
        return conversion.summary(tuple(outputs))


def _put(part: Part, key: str, table: str, sink: Sink) -> Output:
    sink.put(part.path, key)
    return Output(table, sink.bucket, key, part.rows, part.path.stat().st_size)


class _Conversion:
    """A running task: chunks are read one after another and gathered into runs."""

    def __init__(
        self,
        task: ConversionTask,
        mapping: KindMapping,
        gathering: ChunkQueue,
        writer: RunWriter,
    ) -> None:
        self._task = task
        self._mapping = mapping
        self._gathering = gathering
        self._writer = writer
        self._buffers = Buffers(WORKERS + 1)
        self._layout = Layout(())
        self._names: list[str] | None = None
        self._unknown: set[str] = set()

    def run(self, source: Source) -> None:
        """Read all files. Raises the first error by its position in the files."""
        try:
            for file in self._task.files:
                with source.open(file) as stream:
                    self._read(file, stream)
        finally:
            # Rows before an unreadable position can be invalid themselves.
            self._finish_run()

    def summary(self, outputs: tuple[Output, ...]) -> ConversionSummary:
        totals = self._writer.totals
        return ConversionSummary(
            task=self._task.task,
            rows_read=totals.rows_read,
            rows_left_out=totals.rows_read - totals.rows_expected,
            billed_cost=totals.billed_cost,
            effective_cost=totals.effective_cost,
            list_cost=totals.list_cost,
            unblended_cost=totals.unblended_cost,
            currency=self._writer.currency.code,
            unknown_columns=tuple(sorted(self._unknown)),
            unknown_charge_types=tuple(sorted(totals.charge_types - KNOWN_CHARGE_TYPES)),
            outputs=outputs,
        )

    def _read(self, file: DeliveredFile, stream: ByteStream) -> None:
        place = file.place
        if self._task.compression == PARQUET:
            pieces = self._batches(stream, place)
        else:
            pieces = self._blocks(stream, file.size, place)
        for piece in pieces:
            self._gathering.add(piece)
            if self._gathering.size >= RUN_BYTES:
                self._finish_run()

    def _blocks(self, stream: ByteStream, size: int, place: str) -> Iterator[Chunk]:
        try:
            with decompressed(stream, self._task.compression, size) as plain:
                header, blocks = header_and_blocks(plain, self._buffers)
                names = column_names(header, place)
                layout = self._layout_of(names, place, 1)
                for block in blocks:
                    yield BlockPiece(place, layout, block, names)
        except CorruptFile as error:
            raise damaged(place, error) from error

    def _batches(self, stream: ByteStream, place: str) -> Iterator[Chunk]:
        with opened(stream, place) as parquet:
            layout = self._layout_of(parquet.names, place, None)
            for batch in parquet.batches(layout.wanted):
                yield BatchPiece(place, layout, batch)

    def _layout_of(self, names: list[str], place: str, line: int | None) -> Layout:
        """Return the layout of a file's columns; files with other columns start another run."""
        self._require(names, place, line)
        if names != self._names:
            self._finish_run()
            self._layout = self._mapping.layout(names, self._task.tables)
            self._unknown |= {name for _, name in self._layout.unknown}
            self._names = names
        return self._layout

    def _require(self, names: list[str], place: str, line: int | None) -> None:
        there = {column_key(name) for name in names}
        for name in self._mapping.required:
            if column_key(name) not in there:
                raise unreadable(place, line, f"the column {name} is missing", column=name)

    def _finish_run(self) -> None:
        """Write the gathered rows. Raises the first error among them."""
        self._buffers.forget()
        rows, failure = self._gathering.end()
        release_unused()
        if rows:
            self._writer.write(rows, self._layout)
            del rows
            release_unused()
        if failure:
            raise failure
