"""What a process does with memory that it needs no more."""

import ctypes

import pyarrow as pa

# glibc's mallopt(3): blocks from this size on are mapped by themselves.
M_MMAP_THRESHOLD = -3
LARGE = 256 * 1024


def give_back_large_blocks() -> None:
    """Have memory of large arrays given back when they are freed, not kept for later ones.

    glibc raises the size from which it does so with what it has seen, up to 32 MB, after which the
    arrays of a run stay about in pieces: a quarter of a conversion's memory. Other C libraries
    decide by themselves.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE)


def give_back_unused() -> None:
    """Have Arrow and glibc give back now what they hold for later: the text of a run that has
    become codes, and the pieces that its blocks were held in."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
