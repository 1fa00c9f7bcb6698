"""Memory allocation of a conversion."""

import ctypes

import pyarrow as pa

# glibc's mallopt(3): free memory at the end of the heap before it is returned, and the size from
# which blocks are mapped separately.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGE = 16 * 1024 * 1024
# Milliseconds for which jemalloc keeps free memory. Arrow's default of a second lets a fast
# processor free a tenth of a conversion's memory in that time; a quarter is as fast.
KEPT_MS = 250


def configure_allocators() -> None:
    """Return large blocks of memory when they are freed, and keep small ones until
    `release_unused`.

    Allocating small blocks again takes longer than filling them. Of Arrow's allocators, jemalloc is
    the fastest here and keeps the least. glibc's thresholds would otherwise change at run time;
    other C libraries have their own.
    """
    if "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())
        pa.jemalloc_set_decay_ms(KEPT_MS)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE)
        mallopt(M_TRIM_THRESHOLD, LARGE)


def release_unused() -> None:
    """Return memory that Arrow and glibc keep for later: the text of an encoded run, and the
    buffers of its blocks.
    """
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
