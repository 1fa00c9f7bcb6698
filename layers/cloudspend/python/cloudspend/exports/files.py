"""Compression of a delivery's files, by their names."""

from collections.abc import Sequence

from cloudspend.exports.fields import Fields
from cloudspend.exports.model import NamedFile

# Sources: the user guides listed in `layout`; both families use these names.
SUFFIXES = {".gz": "gzip", ".zip": "zip", ".parquet": "parquet"}


def compression_by_name(fields: Fields, files: Sequence[NamedFile]) -> str:
    """Return the compression of `files` (at least one).

    Raises DeliveryError when a name does not show it, or when names disagree.
    """
    found: dict[str, NamedFile] = {}
    for file in files:
        found.setdefault(_compression(fields, file), file)
    if len(found) > 1:
        unlike = " and ".join(str(file) for file in found.values())
        raise fields.wrong(f"names files of different formats: {unlike}")
    return next(iter(found))


def _compression(fields: Fields, file: NamedFile) -> str:
    for suffix, compression in SUFFIXES.items():
        if file.key.lower().endswith(suffix):
            return compression
    raise fields.wrong(
        f"names a file that is none of {', '.join(SUFFIXES)}: {file}", file=str(file)
    )
