"""How a delivery's files are compressed, by their names."""

from collections.abc import Sequence

from cloudspend.exports.fields import Fields
from cloudspend.exports.model import NamedFile

# Sources: the user guides named in `layout`; both families name their files so.
SUFFIXES = {".gz": "gzip", ".zip": "zip", ".parquet": "parquet"}


def compression_by_name(fields: Fields, files: Sequence[NamedFile]) -> str:
    """What all of `files` are; at least one is given. Raises DeliveryError when a name does not
    say so, or when the names say different things."""
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
