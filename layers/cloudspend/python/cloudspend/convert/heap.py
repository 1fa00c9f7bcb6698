"""How a conversion takes memory, and what it does with what it needs no more."""

import ctypes

import pyarrow as pa

# glibc's mallopt(3): blocks from this size on are mapped by themselves.
M_MMAP_THRESHOLD = -3
LARGE = 4 * 1024 * 1024


def keep_little() -> None:
    """Have memory given back when it is freed rather than kept for later.

    Of the allocators that Arrow has, jemalloc is the fastest here and keeps the least. glibc raises
    the size from which arrays are mapped by themselves with what it has seen, up to 32 MB, after
    which those of a run stay about in pieces; other C libraries decide by themselves.
    """
    if "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())
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
