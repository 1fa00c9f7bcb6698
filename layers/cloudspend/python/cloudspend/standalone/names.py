"""Names of sources, and locations of a manifest's files on disk."""

from pathlib import Path, PurePosixPath

from cloudspend.errors import UsageError
from cloudspend.exports.files import SUFFIXES
from cloudspend.standalone.disk import ON_DISK

S3 = "s3://"
MANIFEST = ".json"
# The file names that AWS delivers, and those of an unpacked bill.
COMPRESSIONS = {**SUFFIXES, ".csv": "none"}


def parse_source(text: str) -> tuple[str, str]:
    """Return bucket and key of `s3://bucket/key`; ON_DISK and the path for anything else.

    Raises UsageError if the key is missing.
    """
    if not text.lower().startswith(S3):
        return ON_DISK, text
    bucket, _, key = text[len(S3) :].partition("/")
    if not bucket or not key or key.endswith("/"):
        raise UsageError(
            f"{text} is not the URI of an S3 object.",
            remedy="Write s3://BUCKET/KEY of a manifest or file.",
        )
    return bucket, key


def is_manifest(key: str) -> bool:
    return key.lower().endswith(MANIFEST)


def compression_of(key: str) -> str:
    """Return the compression of a data file by its name. Raises UsageError for an unknown name."""
    for suffix, compression in COMPRESSIONS.items():
        if key.lower().endswith(suffix):
            return compression
    known = ", ".join((*COMPRESSIONS, MANIFEST))
    raise UsageError(
        f"The name of {key} does not show its format.",
        remedy=f"Name a manifest or data files that end in {known}.",
    )


def downloaded(manifest: Path, key: str) -> Path | None:
    """Return the downloaded file for `key`, a key of the bucket that the manifest came from.

    People download the whole export, one delivery or one folder: search for the longest ending of
    the key below each parent folder of the manifest, then for the bare name in the manifest's
    folder. None if there is no such file.
    """
    parts = PurePosixPath(key).parts
    if {"..", "/"} & set(parts) or not parts:
        return None
    folder = manifest.absolute().parent
    # Do not search for the bare name in parent folders: other deliveries use the same names.
    tried = [base.joinpath(*parts[n:]) for n in range(len(parts) - 1) for base in _above(folder)]
    return next((path for path in (*tried, folder / parts[-1]) if path.is_file()), None)


def _above(folder: Path) -> tuple[Path, ...]:
    return (folder, *folder.parents)
