"""How sources are named, and where the files of a manifest lie on a disk."""

from pathlib import Path, PurePosixPath

from cloudspend.errors import UsageError
from cloudspend.exports.files import SUFFIXES
from cloudspend.standalone.disk import ON_DISK

S3 = "s3://"
MANIFEST = ".json"
# What AWS delivers, and a bill that someone has unpacked.
COMPRESSIONS = {**SUFFIXES, ".csv": "none"}


def parse_source(text: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`; ON_DISK and the path of anything else.

    Raises UsageError where a key is missing.
    """
    if not text.lower().startswith(S3):
        return ON_DISK, text
    bucket, _, key = text[len(S3) :].partition("/")
    if not bucket or not key or key.endswith("/"):
        raise UsageError(
            f"{text} names no object in S3.", remedy="Write s3://BUCKET/KEY of a manifest or file."
        )
    return bucket, key


def is_manifest(key: str) -> bool:
    return key.lower().endswith(MANIFEST)


def compression_of(key: str) -> str:
    """What a data file is, by its name. Raises UsageError when the name does not say."""
    for suffix, compression in COMPRESSIONS.items():
        if key.lower().endswith(suffix):
            return compression
    known = ", ".join((*COMPRESSIONS, MANIFEST))
    raise UsageError(
        f"The name of {key} does not say what it is.",
        remedy=f"Name a manifest or data files that end in {known}.",
    )


def downloaded(manifest: Path, key: str) -> Path | None:
    """The file that a manifest on disk calls `key` (a key of the bucket it was downloaded from).

    People download the whole export, one delivery or one folder: the end of the key is looked for
    below each folder that the manifest lies in, the longest first, and the bare name beside the
    manifest. None when it is nowhere.
    """
    parts = PurePosixPath(key).parts
    if {"..", "/"} & set(parts) or not parts:
        return None
    folder = manifest.absolute().parent
    # A bare name is no place of its own further up: other deliveries have the same names.
    tried = [base.joinpath(*parts[n:]) for n in range(len(parts) - 1) for base in _above(folder)]
    return next((path for path in (*tried, folder / parts[-1]) if path.is_file()), None)


def _above(folder: Path) -> tuple[Path, ...]:
    return (folder, *folder.parents)
