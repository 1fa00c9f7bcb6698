"""Large arrays' memory is given back where the C library can be instructed so."""

import ctypes
from types import SimpleNamespace
from unittest.mock import patch

import pyarrow as pa

from cloudspend.convert.engine.memory import (
    KEPT_MS,
    LARGE,
    M_MMAP_THRESHOLD,
    M_TRIM_THRESHOLD,
    configure_allocators,
    release_unused,
)


def test_glibc_is_told_what_is_large() -> None:
    stated = list[tuple[int, int]]()
    library = SimpleNamespace(mallopt=lambda what, size: stated.append((what, size)))
    with patch.object(ctypes, "CDLL", return_value=library):
        configure_allocators()
    assert stated == [(M_MMAP_THRESHOLD, LARGE), (M_TRIM_THRESHOLD, LARGE)]


def test_jemalloc_is_told_for_how_long_to_keep_what_is_free() -> None:
    stated = list[int]()
    with (
        patch.object(pa, "supported_memory_backends", return_value=["jemalloc"]),
        patch.object(pa, "jemalloc_memory_pool", return_value=pa.default_memory_pool()),
        patch.object(pa, "jemalloc_set_decay_ms", stated.append),
    ):
        configure_allocators()
    assert stated == [KEPT_MS]


def test_what_is_unused_is_given_back_down_to_nothing() -> None:
    kept = list[int]()
    with patch.object(ctypes, "CDLL", return_value=SimpleNamespace(malloc_trim=kept.append)):
        release_unused()
    assert kept == [0]


def test_another_c_library_is_left_alone() -> None:
    with patch.object(ctypes, "CDLL", return_value=SimpleNamespace()):
        configure_allocators()
        release_unused()
