"""How a conversion takes memory, and what it does with what it needs no more."""

import ctypes

import pyarrow as pa

# glibc's mallopt(3): how much may be free at the end before it is given back, and from which size
# on blocks are mapped by themselves.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGE = 16 * 1024 * 1024
# For so long jemalloc keeps what is free. Arrow has it keep that for a second, in which a fast
# processor frees a tenth of a conversion's memory; a quarter takes no longer to convert.
KEPT_MS = 250


def configure_allocators() -> None:
    """Have large pieces of memory given back when they are freed, and small ones kept until
    `release_unused`, since asking for them anew takes longer than filling them.

    Of the allocators that Arrow has, jemalloc is the fastest here and keeps the least. glibc would
    change with what it has seen what is large; other C libraries decide by themselves.
    """
    if "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())
        pa.jemalloc_set_decay_ms(KEPT_MS)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE)
        mallopt(M_TRIM_THRESHOLD, LARGE)


def release_unused() -> None:
    """Have Arrow and glibc give back now what they hold for later: the text of a run that has
    become codes, and the pieces that its blocks were held in."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
