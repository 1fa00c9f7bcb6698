"""Find the files of a bill, their kind, month and compression, from the operator's sources."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cloudspend.accounts.model import ExportKind
from cloudspend.errors import UsageError
from cloudspend.exports.fields import wrong
from cloudspend.exports.kinds import NAMES, named
from cloudspend.exports.layout import period_of
from cloudspend.exports.manifest import MANIFEST_LIMIT, read_manifest
from cloudspend.exports.model import BillingPeriod, DeliveredFile, NamedFile
from cloudspend.standalone.disk import ON_DISK
from cloudspend.standalone.model import Bill, BillFile
from cloudspend.standalone.names import compression_of, downloaded, is_manifest, parse_source
from cloudspend.standalone.peek import peek
from cloudspend.standalone.ports import Objects


@dataclass(frozen=True)
class _Found:
    """The content of one source. `period` is None if it has only `empty` files."""

    place: str
    kinds: frozenset[ExportKind]
    period: BillingPeriod | None
    compression: str
    files: tuple[DeliveredFile, ...] = ()
    empty: tuple[DeliveredFile, ...] = ()
    whole: bool = False


def find(sources: Sequence[str], asked: ExportKind | None, objects: Objects) -> Bill:
    """Return the bill in `sources` (paths or s3:// URIs of manifests and data files).

    `asked` is the required kind, None to use the detected one. Raises UsageError for a source that
    does not exist, that would count twice, or that is of another kind than the others;
    DeliveryError for an unreadable manifest or beginning of a file.
    """
    found = [_look(*parse_source(source), objects) for source in sources]
    _require_once(found)
    return Bill(
        _one_kind(found, asked),
        tuple(
            BillFile(file, source.compression, source.period)
            for source in found
            if source.period is not None
            for file in source.files
        ),
        tuple(file for source in found for file in source.empty),
    )


def _look(bucket: str, key: str, objects: Objects) -> _Found:
    look = _look_into_manifest if is_manifest(key) else _look_into_file
    return look(bucket, key, objects)


def _look_into_file(bucket: str, key: str, objects: Objects) -> _Found:
    file = _stored(bucket, key, objects)
    if file is None:
        raise _missing(_place(bucket, key))
    compression = compression_of(key)
    seen = peek(file, compression, objects)
    # A file without rows can still belong to the month of its folder.
    period = seen.period or period_of(key)
    if period is None:
        return _Found(file.place, seen.kinds, None, compression, empty=(file,))
    return _Found(file.place, seen.kinds, period, compression, (file,))


def _look_into_manifest(bucket: str, key: str, objects: Objects) -> _Found:
    place = _place(bucket, key)
    read = objects.read(bucket, key, MANIFEST_LIMIT)
    if read is None:
        raise _missing(place)
    manifest = read_manifest(place, read[1])
    files = tuple(_named(each, bucket, key, objects) for each in manifest.files)
    kinds = manifest.kinds
    if len(kinds) > 1:
        # The manifest lists no columns, or none that identify the kind: use those of the files.
        kinds &= peek(files[0], manifest.compression, objects).kinds
    return _Found(place, kinds, manifest.period, manifest.compression, files, whole=True)


def _named(file: NamedFile, bucket: str, key: str, objects: Objects) -> DeliveredFile:
    """Return a file that the manifest at `bucket` and `key` lists. Raises DeliveryError."""
    if bucket != ON_DISK:
        found = _stored(file.bucket or bucket, file.key, objects)
        where = "is not there"
    else:
        path = downloaded(Path(key), file.key)
        found = None if path is None else _stored(ON_DISK, os.path.relpath(path), objects)
        where = f"is not on this disk, neither in {Path(key).parent} nor where its key says"
    if found is None:
        raise wrong(
            _place(bucket, key),
            f"names the file {file}, which {where}",
            "Fetch every file that the manifest names.",
            file=str(file),
        )
    return found


def _stored(bucket: str, key: str, objects: Objects) -> DeliveredFile | None:
    found = objects.head(bucket, key)
    return None if found is None else DeliveredFile(bucket, key, found.etag, found.size)


def _require_once(found: Sequence[_Found]) -> None:
    """Refuse a file that occurs twice, or two deliveries of one month: both would double the
    costs.
    """
    seen: dict[tuple[str, str], str] = {}
    for source in found:
        for file in (*source.files, *source.empty):
            key = os.path.realpath(file.key) if file.bucket == ON_DISK else file.key
            if (file.bucket, key) in seen:
                raise UsageError(
                    f"{file.place} is listed twice. Its costs would count twice.",
                    remedy="Name each manifest and file once.",
                )
            seen[file.bucket, key] = file.place
    manifests: dict[BillingPeriod | None, str] = {}
    for source in found:
        if source.whole and manifests.setdefault(source.period, source.place) != source.place:
            raise UsageError(
                f"{manifests[source.period]} and {source.place} are both manifests of "
                f"{source.period}: a manifest lists the whole month.",
                remedy="Convert the newer one, or each to a folder of its own.",
            )


def _one_kind(found: Sequence[_Found], asked: ExportKind | None) -> ExportKind:
    """Return the kind of all sources. Raises UsageError that lists the kind of each source."""
    kinds = frozenset(ExportKind) if asked is None else frozenset({asked})
    said = "" if asked is None else f"it was asked for {NAMES[asked]}"
    for source in found:
        if not kinds & source.kinds:
            raise UsageError(
                f"{source.place} is {named(source.kinds)}, but {said}.",
                remedy="Omit --kind to detect the kind, and convert one kind at a time.",
            )
        kinds &= source.kinds
        said = said or f"{source.place} is {named(kinds)}"
    if len(kinds) > 1:
        raise UsageError(
            f"{found[0].place} has too few columns to tell whether it is {named(kinds)}.",
            remedy="Choose one with --kind.",
        )
    return next(iter(kinds))


def _place(bucket: str, key: str) -> str:
    return key if bucket == ON_DISK else f"s3://{bucket}/{key}"


def _missing(place: str) -> UsageError:
    return UsageError(f"{place} does not exist.", remedy="Check the path.")
