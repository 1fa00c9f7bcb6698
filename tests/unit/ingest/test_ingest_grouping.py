"""Which files are converted together."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cloudspend.exports.model import DeliveredFile
from cloudspend.ingest.grouping import grouped


def files(*sizes: int) -> list[DeliveredFile]:
    return [DeliveredFile("a-bucket", f"{n}.csv.gz", "etag", size) for n, size in enumerate(sizes)]


def sizes(*given_sizes: int, most: int = 10, count: int = 100) -> list[list[int]]:
    return [[file.size for file in group] for group in grouped(files(*given_sizes), most, count)]


def test_many_small_files_are_one_group() -> None:
    assert sizes(1, 2, 3, 4) == [[1, 2, 3, 4]]


def test_a_huge_file_is_alone_and_keeps_nothing_back() -> None:
    assert sizes(2, 50, 3, 4) == [[2], [50], [3, 4]]


def test_a_group_has_only_so_many_files() -> None:
    assert sizes(0, 0, 0, 0, 0, count=2) == [[0, 0], [0, 0], [0]]


def test_no_files_are_no_group() -> None:
    assert grouped([]) == []


@given(
    st.lists(st.integers(0, 30), max_size=30),
    st.integers(1, 20),
    st.integers(1, 5),
)
def test_every_file_is_in_one_group_as_often_as_listed(
    given_sizes: list[int], most: int, count: int
) -> None:
    listed = files(*given_sizes)
    listed += listed[:2]
    groups = grouped(listed, most, count)
    assert [file for group in groups for file in group] == listed
    for group in groups:
        assert 1 <= len(group) <= count
        assert len(group) == 1 or sum(file.size for file in group) <= most
    for before, after in pairwise(groups):
        assert len(before) == count or sum(file.size for file in (*before, after[0])) > most
