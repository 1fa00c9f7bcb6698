"""Chunks of delivered files, which a reader passes to workers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cloudspend.convert.engine.blocks import BLOCK_BYTES, Block
from cloudspend.convert.engine.parquet import BATCH_ROWS, Batch, parse_batch
from cloudspend.convert.engine.parse import parse
from cloudspend.convert.engine.rows import Rows
from cloudspend.convert.focus.mapping import Layout


class Chunk(Protocol):
    """Rows that are not parsed yet."""

    @property
    def size(self) -> int:
        """Return the approximate bytes of text."""

    def parse(self) -> Rows:
        """Parse the wanted columns. Raises DeliveryError."""


@dataclass(frozen=True)
class BlockPiece:
    """Rows of a CSV file."""

    file: str
    layout: Layout
    block: Block
    names: Sequence[str]

    @property
    def size(self) -> int:
        """Return the bytes of text."""
        return len(self.block.data)

    def parse(self) -> Rows:
        """Parse the wanted columns. Raises DeliveryError."""
        layout = self.layout
        return parse(self.block, self.names, layout.wanted, self.file, layout.high_cardinality)


@dataclass(frozen=True)
class BatchPiece:
    """Rows of a Parquet file."""

    file: str
    layout: Layout
    batch: Batch

    @property
    def size(self) -> int:
        """Return the approximate size of the same rows as CSV."""
        return int(self.batch.data.num_rows) * BLOCK_BYTES // BATCH_ROWS

    def parse(self) -> Rows:
        """Parse the wanted columns. Raises DeliveryError."""
        return parse_batch(self.batch, self.file)
